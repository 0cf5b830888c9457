"""The number format of a frozen network: bfloat16 where the processor computes in it, float32 elsewhere."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

from cinealign.device import device

Precision = Literal["auto", "float32", "bfloat16"]
ResolvedPrecision = Literal["float32", "bfloat16"]


def resolve_precision(precision: Precision) -> ResolvedPrecision:
    """What `precision` means on this machine; it belongs into a view's settings, as features differ in the third digit.

    "auto" is bfloat16 on a processor with AVX512-BF16, where it is about twice as fast as float32, else float32, as on a
    graphics card.
    """
    if precision != "auto":
        return precision
    return "float32" if device() != "cpu" else processor_precision()


def processor_precision() -> ResolvedPrecision:
    """The number format in which this processor computes fastest."""
    return "bfloat16" if _has_bfloat16() else "float32"


def resolve_compiled(precision: Precision) -> ResolvedPrecision:
    """The same for a network that OpenVINO runs: "auto" is float32, as it is fast enough there."""
    return "float32" if precision == "auto" else precision


@cache
def _has_bfloat16() -> bool:
    flags = processor_flags()
    return "avx512_bf16" in flags if flags is not None else _torch_has_bfloat16()


def processor_flags() -> frozenset[str] | None:
    """What the processor can do, as Linux tells it for x86; None elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    told = next((line for line in lines if line.split(":")[0].strip() == "flags"), None)
    return None if told is None else frozenset(told.partition(":")[2].split())


def _torch_has_bfloat16() -> bool:
    import torch

    if hasattr(torch.cpu, "get_capabilities"):
        return bool(torch.cpu.get_capabilities().get("avx512_bf16", False))
    return bool(getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)())  # torch before 2.10
