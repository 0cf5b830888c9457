"""Learning rate schedules: the share of the full rate at every step, or one that waits for the loss."""

from __future__ import annotations

import math
from collections.abc import Callable

from cinealign.training.loop.settings import ScheduleKind

ONE_CYCLE_START = 1 / 25
ONE_CYCLE_END = 1 / 250_000
PLATEAU_PATIENCE = 5
"""Epochs without a better loss after which `plateau` halves the rate."""
PLATEAU_GAIN = 1e-4
"""Relative improvement of the loss that counts."""


def warm_up_cosine(step: int, steps: int, warm_up: float) -> float:
    """Share of the full learning rate at `step` of `steps`: linear rise, then half a cosine down to 0.

    Source: Loshchilov and Hutter 2017 (arXiv 1608.03983) without restarts.
    """
    rise = warm_up * steps
    if step < rise:
        return (step + 1) / (rise + 1)
    return 0.5 * (1.0 + math.cos(math.pi * (step - rise) / max(1.0, steps - rise)))


def warm_up_constant(step: int, steps: int, warm_up: float) -> float:
    """Linear rise, then 1."""
    rise = warm_up * steps
    return (step + 1) / (rise + 1) if step < rise else 1.0


def one_cycle(step: int, steps: int, warm_up: float) -> float:
    """Half a cosine from 1/25 up to 1 within the warm-up, then half a cosine down to 1/250,000.

    Source: Smith and Topin 2019 (arXiv 1708.07120); the numbers are those of PyTorch's OneCycleLR, whose warm-up is 0.3.
    """
    last, rise = max(1, steps - 1), warm_up * max(1, steps - 1)
    if step < rise:
        return _between(ONE_CYCLE_START, 1.0, step / rise)
    return _between(1.0, ONE_CYCLE_END, (step - rise) / max(1.0, last - rise))


class Plateau:
    """Full rate after the warm-up, halved when the epoch's loss has not fallen for `PLATEAU_PATIENCE` epochs."""

    def __init__(self) -> None:
        self.share, self._best, self._waited = 1.0, math.inf, 0

    def epoch(self, loss: float) -> None:
        """Take note of the mean loss of an epoch."""
        if loss < self._best - PLATEAU_GAIN * abs(self._best) or math.isinf(self._best):
            self._best, self._waited = loss, 0
            return
        self._waited += 1
        if self._waited >= PLATEAU_PATIENCE:
            self.share, self._waited = self.share / 2, 0


SCHEDULES: dict[ScheduleKind, Callable[[int, int, float], float]] = {
    "cosine": warm_up_cosine,
    "constant": warm_up_constant,
    "one_cycle": one_cycle,
    "plateau": warm_up_constant,
}
"""(step, steps, warm-up share of the steps) -> share of the full rate; `plateau` is multiplied by `Plateau.share`."""


def _between(start: float, end: float, way: float) -> float:
    return end + (start - end) * 0.5 * (1.0 + math.cos(math.pi * min(1.0, way)))
