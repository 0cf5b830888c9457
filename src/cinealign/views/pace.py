"""How long a view will take on this machine that has never computed it: its work over the speed of the processor."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from cinealign.device import device
from cinealign.views.compiled import processor_threads

WORK = {"appearance": 4.6, "lettering": 36.0, "language_model": 2.0}
"""GFLOP of `processor_speed` an item of the packaged models, from one cold run of `default` on MovieLens: 36.7, 4.8 and 84
items a second where the speed was 170. Others are not foretold."""
BFLOAT16 = 2.0
"""How much faster reading is where the processor computes in bfloat16."""
_SIDE, _TIMES = 384, 20


def foretold_rate(view: str, settings: Mapping[str, Any]) -> float | None:
    """Items a second, within a factor of about two; None for a model that is not packaged, or on a graphics card."""
    packaged = view == "lettering" or settings.get("model") in ("efficientnet-lite2", "minilm")
    if view not in WORK or not packaged or device() != "cpu":
        return None
    return processor_speed() / WORK[view] * (BFLOAT16 if settings.get("precision") == "bfloat16" else 1.0)


@cache
def processor_speed() -> float:
    """GFLOP/s in float32 of all threads of this process; measured in a tenth of a second, by the fastest of some products."""
    from threadpoolctl import threadpool_limits

    ones, fastest = np.ones((_SIDE, _SIDE), dtype=np.float32), float("inf")
    with threadpool_limits(1, user_api="blas"):
        for _ in range(_TIMES):
            began = time.perf_counter()
            ones @ ones
            fastest = min(fastest, time.perf_counter() - began)
    return 2e-9 * _SIDE**3 / max(fastest, 1e-9) * processor_threads()
