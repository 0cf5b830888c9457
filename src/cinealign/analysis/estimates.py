"""Estimates with their bootstrap interval over movies, in the shape in which analysis.json holds them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cinealign.errors import DataError
from cinealign.evaluation.statistics import bootstrap, percentiles

Estimate = dict[str, float | None]
"""`value`, `low`, `high`: a number and its 95 % bootstrap interval over movies."""


def estimate(values: ArrayLike, *, samples: int, seed: int) -> Estimate:
    """The mean of (Q,) values, one a movie."""
    array = np.asarray(values, dtype=np.float64)
    return from_draws(float(array.mean()), bootstrap(array, samples=samples, seed=seed)[:, 0])


def from_draws(value: float, drawn: NDArray[np.float64]) -> Estimate:
    """A number and the interval of its bootstrap samples (B,); no interval where a sample is not finite."""
    if not np.isfinite(value):
        return {"value": None, "low": None, "high": None}
    if not np.isfinite(drawn).all():
        return {"value": float(value), "low": None, "high": None}
    low, high = percentiles(drawn)[0].tolist()
    return {"value": float(value), "low": low, "high": high}


def difference(value: float, drawn: NDArray[np.float64]) -> dict[str, float | None]:
    """A difference with the interval of its bootstrap samples (B,) and the two-sided p of "there is none".

    p is twice the smaller share of samples on one side of 0, the observation counted among them.
    """
    smaller = min(np.count_nonzero(drawn <= 0), np.count_nonzero(drawn >= 0))
    p = min(1.0, 2 * (1 + int(smaller)) / (len(drawn) + 1))
    return {**from_draws(value, drawn), "p": p}


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
