"""Ray, quiet: started on this machine or joined, with nothing of its own on the screen and no word sent to anybody."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from cinealign.errors import ConfigError

STORE = 256 * 2**20
"""Bytes of shared memory for a cluster that is started here: blocks travel as addresses, so it needs little."""

STARTS = 5
"""How often a cluster is started before that counts as failed."""


def need_ray() -> Any:
    """The package `ray`.

    Raises:
        ConfigError: a package of the extra is missing.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_worker_niceness", "0")  # 15 else: on a busy machine workers would not get anywhere
    os.environ.setdefault("LANCE_LOG", "error")
    for name in ("lance", "lance_ray"):  # not imported yet: Lance warns of forks, and Ray forks as it starts
        if find_spec(name) is None:
            raise ConfigError(f"scale needs {name}, which is missing; pip install 'cinealign[scale]'")
    try:
        import ray
    except ImportError as error:
        raise ConfigError(f"scale needs {error.name}, which is missing; pip install 'cinealign[scale]'") from None
    return ray


@contextmanager
def cluster(address: str = "auto", workers: int = 1) -> Iterator[Any]:
    """Inside, Ray is there: the cluster at `address`, or one on this machine that ends with the block.

    Args:
        address: "local" starts one here; "auto" joins the one that RAY_ADDRESS names or that runs on this machine, and
            starts one where there is none; else HOST:PORT of a cluster of which this machine is a part.
        workers: processors of a cluster that is started here.
    Raises:
        ConfigError: Ray is missing, or there is no cluster at the address.
    """
    ray = need_ray()
    if ray.is_initialized():  # the caller's own
        yield ray
        return
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address not in ("auto", "local"):
        _join(ray, address, quiet)
    elif address == "local" or not _joined(ray, quiet):
        _start(ray, workers, quiet)
    try:
        yield ray
    finally:
        ray.shutdown()


def _start(ray: Any, workers: int, quiet: dict[str, Any]) -> None:
    """Start a cluster here; Ray gives its own processes thirty seconds, which a busy machine may need several times."""
    for left in reversed(range(STARTS)):
        try:
            ray.init(address="local", num_cpus=workers, include_dashboard=False, object_store_memory=STORE, **quiet)
            return
        except Exception as error:  # Ray raises nothing narrower
            ray.shutdown()
            if "timed out" not in str(error):
                raise
            if not left:
                raise ConfigError(
                    f"Ray did not start on this machine within {STARTS} times 30 s; is it very busy? try again later"
                ) from None


def _join(ray: Any, address: str, quiet: dict[str, Any]) -> None:
    try:
        ray.init(address=address, **quiet)
    except (ConnectionError, ValueError, RuntimeError, TimeoutError) as error:
        reason = " ".join(str(error).split())[:160]
        raise ConfigError(f"--address {address}: no Ray cluster answers there ({reason})") from None


def _joined(ray: Any, quiet: dict[str, Any]) -> bool:
    try:
        ray.init(address="auto", **quiet)
    except ConnectionError:
        return False
    return True
