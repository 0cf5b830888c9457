"""Estimates with their bootstrap interval over movies, as analysis.json holds them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cinealign.errors import DataError
from cinealign.evaluation.statistics import bootstrap, percentiles, two_sided_p


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A number and its 95 % bootstrap interval over movies."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, kw_only=True)
class Difference(Estimate):
    """A difference, and the two-sided p of "there is none"."""

    p: float


def estimate(values: ArrayLike, *, samples: int, seed: int) -> Estimate:
    """The mean of (Q,) values, one a movie."""
    array = np.asarray(values, dtype=np.float64)
    return from_draws(float(array.mean()), bootstrap(array, samples=samples, seed=seed)[:, 0])


def from_draws(value: float, drawn: NDArray[np.float64]) -> Estimate:
    """A number and the interval of its bootstrap samples (B,); no interval where a sample is not finite."""
    if not np.isfinite(value):
        return Estimate(value=None, low=None, high=None)
    if not np.isfinite(drawn).all():
        return Estimate(value=float(value), low=None, high=None)
    low, high = percentiles(drawn)[0].tolist()
    return Estimate(value=float(value), low=low, high=high)


def difference(value: float, drawn: NDArray[np.float64]) -> Difference:
    """A difference with the interval of its bootstrap samples (B,) and the two-sided p of "there is none"."""
    found = from_draws(value, drawn)
    return Difference(value=found.value, low=found.low, high=found.high, p=two_sided_p(drawn))


def ratio_draws(
    above: NDArray[Any], below: NDArray[Any], *, samples: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sums of `above` divided by sums of `below`, and the same for movies drawn with replacement.

    So is the mean of a measure that only some pairs have: above are sums over a movie's known pairs, below their number.

    Args:
        above, below: (Q, S), a row a movie.
    Returns:
        (S,) ratios and (samples, S) of them; NaN where below sums to 0.
    Raises:
        DataError: shapes that do not fit.
    """
    if above.shape != below.shape or above.ndim != 2:
        raise DataError(f"a ratio needs (Q, S) above and below, got {above.shape} and {below.shape}")
    both = bootstrap(np.concatenate([above, below], axis=1), samples=samples, seed=seed)
    width = above.shape[1]
    with np.errstate(invalid="ignore", divide="ignore"):
        return above.sum(axis=0) / below.sum(axis=0), both[:, :width] / both[:, width:]
