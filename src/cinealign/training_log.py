"""Logs of training beside history.jsonl, written while it goes on: what `cinealign run --log` chooses from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cinealign.arguments import one_of
from cinealign.epochs import listening
from cinealign.errors import ConfigError

NOT_DRAWN = ("epoch", "member", "phase")
"""Keys of an entry that say where it belongs."""


class TensorBoardLog:
    """Event files that TensorBoard reads: a folder for each part that is trained, a scalar for each number of an epoch."""

    def __init__(self, folder: Path) -> None:
        """Raises ConfigError where TensorBoard is not installed."""
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ModuleNotFoundError as error:
            if error.name is None or error.name.partition(".")[0] != "tensorboard":
                raise
            raise ConfigError(
                "--log tensorboard needs 'tensorboard', which is not installed; install it with: "
                "pip install 'cinealign[tensorboard]'"
            ) from None
        self._folder, self._new, self._writers = folder, SummaryWriter, dict[str, Any]()

    def __call__(self, parts: tuple[str, ...], entry: Mapping[str, Any]) -> None:
        """Write an epoch, so that it can be seen at once."""
        name = "-".join(re.sub(r"\W+", "-", part).strip("-") for part in parts) or "training"
        if name not in self._writers:
            self._writers[name] = self._new(str(self._folder / name))
        for key, value in entry.items():
            if key not in NOT_DRAWN and isinstance(value, int | float):
                self._writers[name].add_scalar(key, value, entry["epoch"])
        self._writers[name].flush()

    def close(self) -> None:
        """Close the files."""
        for writer in self._writers.values():
            writer.close()


LOGS: dict[str, Callable[[Path], TensorBoardLog]] = {"tensorboard": TensorBoardLog}
"""Name of a kind of log, which is also its folder within the run -> what writes it there."""


@contextmanager
def training_log(kind: str | None, run: Path) -> Iterator[None]:
    """Inside, every epoch is also written to a log of that kind in the folder `run`; None is no log.

    Raises:
        ConfigError: no such kind, or it needs a library that is not installed.
    """
    if kind is None:
        yield
        return
    log = LOGS[one_of(kind, "log", list(LOGS))](run / kind)
    try:
        with listening(log):
            yield
    finally:
        log.close()
