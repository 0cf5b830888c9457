"""A frozen network compiled by OpenVINO: the same numbers as PyTorch's, several times sooner on a processor.

What is compiled here may be called by several threads at once: each has an inference request of its own.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import warnings
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from cinealign.device import autocast, device, placed
from cinealign.views.first_inference import ALONE, first_alone
from cinealign.views.graphs import kept_graph
from cinealign.views.precision import ResolvedPrecision

if TYPE_CHECKING:
    from torch import Tensor, nn

Compiled = Callable[[NDArray[np.float32]], list[NDArray[np.float32]]]
"""(B, ...) float32 -> the network's outputs, an array (B, ...) float32 each."""

ENGINE = "openvino"
"""For a view's settings; releases of it differ by rounding only."""
TORCH_ENGINE = "torch"
"""What computes on a graphics card."""
AT_ONCE = 4
"""Pictures of one pass: few enough for their maps to stay in the processor's cache."""


def engine() -> str:
    """What computes a network of `compile_network` on this process's device, for a view's settings."""
    return ENGINE if device() == "cpu" else TORCH_ENGINE


def compile_network(
    make: Callable[[], nn.Module], shape: tuple[int, ...], precision: ResolvedPrecision, key: Mapping[str, Any]
) -> Compiled:
    """A network of pictures for batches of any size; it keeps to as many threads as PyTorch, which runs it on other devices.

    In float32 the outputs are PyTorch's up to rounding (cosines of 1.0000). bfloat16 is a hint: a processor that does not
    compute in it uses float32.

    Args:
        make: gives the network in eval mode, with one tensor or a tuple of them as output; called where the cache folder
            does not have its graph.
        shape: of one item.
        precision: that products are computed in.
        key: what the network depends on: its weights and whatever else shapes it.
    """

    if device() != "cpu":
        return _by_pytorch(make(), precision)

    def convert() -> Any:
        import torch

        return converted(make(), (torch.zeros(1, *shape),), [[-1, *shape]])

    compiled = compile_graph(kept_graph({**key, "shape": list(shape)}, convert), precision)

    def run(batch: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        found = [compiled(batch[start : start + AT_ONCE]) for start in range(0, len(batch), AT_ONCE)]
        return [np.concatenate(each) for each in zip(*found, strict=True)]

    return run


def _by_pytorch(network: nn.Module, precision: ResolvedPrecision) -> Compiled:
    """`network` as it is, on the device of this process."""
    import torch

    network = placed(network)

    def run(batch: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        with torch.inference_mode(), autocast(precision == "bfloat16"):
            found = network(placed(torch.from_numpy(batch)))
        outputs = found if isinstance(found, tuple) else (found,)
        return [output.float().cpu().numpy() for output in outputs]

    return run


def converted(network: nn.Module, examples: tuple[Tensor, ...], shapes: list[list[int]]) -> Any:
    """`network` as an `openvino.Model`.

    Args:
        network: in eval mode; gives one tensor or a tuple of them.
        examples: an input each.
        shapes: of each input, -1 where it varies from call to call.
    """
    import openvino
    import torch

    with ALONE, _quiet_tracing(), torch.inference_mode():
        # Traced and frozen first: OpenVINO's own way takes four times as long.
        traced = torch.jit.trace(network, examples, check_trace=False)  # type: ignore[no-untyped-call]
        traced = torch.jit.freeze(traced)
        return openvino.convert_model(traced, example_input=examples, input=shapes)


def compile_graph(model: Any, precision: ResolvedPrecision) -> Callable[..., list[NDArray[np.float32]]]:
    """A graph as a function of arrays, in one pass over what it is given.

    Args:
        model: an `openvino.Model`.
        precision: as in `compile_network`.
    """
    import openvino

    settings = {
        "INFERENCE_PRECISION_HINT": "bf16" if precision == "bfloat16" else "f32",
        "INFERENCE_NUM_THREADS": processor_threads(),
        "PERFORMANCE_HINT": "LATENCY",
        "ENABLE_CPU_PINNING": False,  # two programs would be pinned to the same cores
    }
    with ALONE:
        compiled: Any = openvino.Core().compile_model(model, "CPU", settings)

    own = threading.local()

    def run(*inputs: NDArray[Any]) -> list[NDArray[np.float32]]:
        if not hasattr(own, "request"):
            with ALONE:
                own.request = compiled.create_infer_request()
        found = own.request.infer([np.ascontiguousarray(each) for each in inputs])
        return [cast("NDArray[np.float32]", np.array(each)) for each in found.to_tuple()]

    return first_alone(run)


def processor_threads() -> int:
    """Threads of one computation: PyTorch's number where it is loaded, else the one that it would begin with."""
    if (torch := sys.modules.get("torch")) is not None and hasattr(torch, "get_num_threads"):
        return int(torch.get_num_threads())
    named = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    if named.isdecimal() and int(named) > 0:
        return int(named)
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return allowed or 1


P = ParamSpec("P")
Made = TypeVar("Made")


def kept(make: Callable[P, Made]) -> Callable[P, Made]:
    """`make`, whose results are kept for the process, a device each; threads that ask at the same time wait for the one that
    makes it.

    Args:
        make: takes hashable arguments.
    """

    @cache
    def made(_: str, *args: P.args, **kwargs: P.kwargs) -> Made:
        return make(*args, **kwargs)

    lock = threading.Lock()

    @wraps(make)
    def asked(*args: P.args, **kwargs: P.kwargs) -> Made:
        with lock:
            return made(device(), *cast("tuple[Hashable, ...]", args), **cast("dict[str, Hashable]", kwargs))

    return asked


@contextmanager
def _quiet_tracing() -> Iterator[None]:
    """Keeps from the screen what a tracer brings about: its own warnings, about shapes that are meant to be constant, and
    those of transformers, whose every attribute it reads, the loss of a model that is never trained among them.
    """
    library = logging.getLogger("transformers")
    level = library.level
    library.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        library.setLevel(level)
