"""The device that networks compute on: the processor, or a graphics card that PyTorch knows.

One device serves a whole process and is chosen before anything is computed. Closed forms, statistics and files stay on the
processor; what is moved is the frozen networks with what they look at, and the networks that learn by gradient.
"""

from __future__ import annotations

import ctypes
import dataclasses
import platform
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from cinealign.errors import ConfigError

if TYPE_CHECKING:
    import torch

Device = Literal["cpu", "cuda", "mps"]
DEVICES: tuple[Device, ...] = ("cpu", "cuda", "mps")
AUTO = "auto"
T = TypeVar("T")

_chosen: Device | None = "cpu"


def use_device(name: str) -> None:
    """Compute on `name` from now on: cpu, cuda, mps, or auto for a graphics card where there is one.

    auto is settled when a network is first used: most commands need none, and asking costs loading PyTorch.

    Raises:
        ConfigError: no such device, or none here.
    """
    global _chosen
    if name not in (AUTO, *DEVICES):
        raise ConfigError(f"device must be {AUTO}, {', '.join(DEVICES)}, got {name!r}")
    if name not in (AUTO, "cpu") and not available(cast(Device, name)):
        found = ", ".join(each for each in DEVICES if available(each))
        raise ConfigError(f"device {name} is not available to PyTorch on this machine, which has: {found}")
    _chosen = None if name == AUTO else cast(Device, name)


def device() -> Device:
    """The device of this process."""
    global _chosen
    if (chosen := _chosen) is None:
        found: list[Device] = ["cuda"] if available("cuda") else ["mps"] if available("mps") else ["cpu"]
        chosen = _chosen = found[0]
    return chosen


def available(name: Device) -> bool:
    """Whether PyTorch can compute on `name` here; PyTorch is loaded only where the system has such a device."""
    if name == "cpu":
        return True
    if not (_has_driver() if name == "cuda" else platform.system() == "Darwin"):
        return False
    import torch

    return bool(torch.cuda.is_available() if name == "cuda" else torch.backends.mps.is_available())


def described() -> str:
    """The device in words: "cpu", "cuda (NVIDIA A100)"."""
    if device() != "cuda":
        return device()
    import torch

    return f"cuda ({torch.cuda.get_device_name()})"


def device_settings() -> dict[str, str]:
    """For the settings of a view whose networks are moved: another device rounds otherwise, so its values are kept apart."""
    return {} if device() == "cpu" else {"device": device()}


def placed(thing: T) -> T:
    """`thing` on the device: a tensor, a module (moved in place), or a mapping, list, tuple or dataclass that holds tensors."""
    return thing if device() == "cpu" else cast(T, _moved(thing, device()))


def to_processor(thing: T) -> T:
    """`thing`, as `placed` takes it, back on the processor."""
    return thing if device() == "cpu" else cast(T, _moved(thing, "cpu"))


def on_device() -> AbstractContextManager[Any]:
    """Inside, tensors that are made without naming a device are made on ours."""
    return nullcontext() if device() == "cpu" else _making_on(device())


def autocast(bfloat16: bool) -> torch.autocast:
    """PyTorch's autocast of the device to bfloat16, or to nothing."""
    import torch

    return torch.autocast(device(), torch.bfloat16, enabled=bfloat16)


def _making_on(name: Device) -> AbstractContextManager[Any]:
    import torch

    return torch.device(name)


def _moved(thing: Any, to: Device) -> Any:
    import torch

    if isinstance(thing, torch.Tensor | torch.nn.Module):
        return thing.to(to)
    if isinstance(thing, Mapping):
        return {key: _moved(value, to) for key, value in thing.items()}
    if isinstance(thing, list | tuple):
        return type(thing)(_moved(value, to) for value in thing)
    if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        fields = {
            field.name: _moved(getattr(thing, field.name), to) for field in dataclasses.fields(thing) if field.init
        }
        return dataclasses.replace(thing, **fields)
    return thing


def _has_driver() -> bool:
    """Whether NVIDIA's or AMD's driver is installed."""
    names = ("nvcuda.dll",) if platform.system() == "Windows" else ("libcuda.so.1", "libamdhip64.so")
    for name in names:
        try:
            ctypes.CDLL(name)
        except OSError:
            continue
        return True
    return False
