"""How sure a number is: bootstrap intervals over movies, and Wilson's interval of a single share.

The unit is the movie. One draw of movies serves every number of a split, both directions included, so that an interval
of a sum or a difference keeps what the two have in common. The gallery stays whole: what varies is which movies are
asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from cinealign.errors import ConfigError, DataError

SAMPLES = 2000
LEVEL = 0.95
DRAWS_AT_ONCE = 4_000_000


def bootstrap(
    values: ArrayLike, *, statistic: Literal["mean", "median"] = "mean", samples: int = SAMPLES, seed: int = 0
) -> NDArray[np.float64]:
    """Means or medians of movies drawn with replacement.

    Equal `seed`, `samples` and number of movies give equal draws, so two calls can be combined sample by sample. Needs
    about 64 MB beside the result, and time O(samples * Q).

    Args:
        values: (Q,) or (Q, S) numbers, a row a movie: hits (0 or 1), ranks ...
        statistic: "mean" or "median", taken of each column.
        samples: how many times movies are drawn.
        seed: of the draws.
    Returns:
        (samples, S) float64; S = 1 for (Q,) values.
    Raises:
        DataError: no movies, or a value that is not finite.
        ConfigError: `samples` is below 1 or `statistic` unknown.
    Source:
        Efron, "Bootstrap methods: another look at the jackknife" (1979).
    """
    columns = _as_columns(values)
    if statistic not in ("mean", "median"):
        raise ConfigError(f"statistic must be 'mean' or 'median', got {statistic!r}")
    if samples < 1:
        raise ConfigError(f"samples must be >= 1, got {samples}")
    drawn = np.empty((samples, columns.shape[1]))
    order = np.argsort(columns, axis=0, kind="stable") if statistic == "median" else None
    at = 0
    for counts in draws(len(columns), samples, seed):  # (b, Q) how often each movie was drawn
        if order is None:
            drawn[at : at + len(counts)] = counts.astype(np.float64) @ columns / len(columns)
        else:
            for column in range(columns.shape[1]):
                inner = order[:, column]
                drawn[at : at + len(counts), column] = _medians(columns[inner, column], counts[:, inner])
        at += len(counts)
    return drawn


def bootstrap_interval(
    values: ArrayLike,
    *,
    statistic: Literal["mean", "median"] = "mean",
    samples: int = SAMPLES,
    seed: int = 0,
    level: float = LEVEL,
) -> NDArray[np.float64]:
    """Percentile interval of a mean or median by `bootstrap`: (S, 2) rows of low and high.

    It has no width where all movies agree (all hits, or none); `wilson_interval` still has one there.

    Raises:
        DataError: no movies, or a value that is not finite.
        ConfigError: an option is out of range.
    """
    return percentiles(bootstrap(values, statistic=statistic, samples=samples, seed=seed), level)


def percentiles(drawn: ArrayLike, level: float = LEVEL) -> NDArray[np.float64]:
    """The middle `level` of bootstrap samples.

    Args:
        drawn: (samples,) or (samples, S).
        level: part of the samples inside, in (0, 1).
    Returns:
        (S, 2) low and high; S = 1 for (samples,).
    Raises:
        DataError: no samples, or a value that is not finite.
        ConfigError: `level` is out of range.
    """
    _check_level(level)
    outside = (1 - level) / 2
    return np.quantile(_as_columns(drawn), [outside, 1 - outside], axis=0).T


def two_sided_p(drawn: NDArray[np.float64]) -> float:
    """Of "there is no difference", from bootstrap samples (B,) of one.

    Twice the smaller share of samples on one side of 0, the observation counted among them.

    Source:
        Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 15.
    """
    smaller = min(np.count_nonzero(drawn <= 0), np.count_nonzero(drawn >= 0))
    return min(1.0, 2 * (1 + int(smaller)) / (len(drawn) + 1))


def wilson_interval(hits: int, queries: int, level: float = LEVEL) -> tuple[float, float]:
    """Wilson's score interval of a share of independent queries: (low, high) in [0, 1].

    Args:
        hits: successes, in [0, queries].
        queries: at least 1.
        level: coverage, in (0, 1).
    Raises:
        DataError: no queries, or more hits than queries.
        ConfigError: `level` is out of range.
    Source:
        Wilson, "Probable inference, the law of succession, and statistical inference" (1927).
    """
    _check_level(level)
    if queries < 1 or not 0 <= hits <= queries:
        raise DataError(f"hits must be in [0, queries] and queries >= 1, got {hits} of {queries}")
    z = float(ndtri(1 - (1 - level) / 2))
    share, weight = hits / queries, z * z / queries
    middle = (share + weight / 2) / (1 + weight)
    half = z * np.sqrt(share * (1 - share) / queries + weight / (4 * queries)) / (1 + weight)
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


def mean_interval(values: ArrayLike, level: float = LEVEL) -> tuple[float, float]:
    """Normal interval of a mean: what `bootstrap_interval` tends to with many items, in time and memory O(Q).

    Args:
        values: (Q,) finite numbers of independent items, Q >= 1.
        level: coverage, in (0, 1).
    """
    _check_level(level)
    column = _as_columns(values)[:, 0]
    half = float(ndtri(1 - (1 - level) / 2) * column.std() / np.sqrt(len(column)))
    return float(column.mean()) - half, float(column.mean()) + half


def median_interval(values: ArrayLike, level: float = LEVEL) -> tuple[float, float]:
    """Interval of a median between two order statistics, by the normal form of the binomial, in time O(Q).

    Args:
        values: (Q,) finite numbers of independent items, Q >= 1.
        level: coverage, in (0, 1).
    Source:
        Conover, "Practical nonparametric statistics" (1999), 3.2.
    """
    _check_level(level)
    column = _as_columns(values)[:, 0]
    count = len(column)
    half = float(ndtri(1 - (1 - level) / 2)) * np.sqrt(count) / 2
    low, high = int(max(0, np.floor(count / 2 - half))), int(min(count - 1, np.ceil(count / 2 + half)))
    placed = np.partition(column, (low, high))
    return float(placed[low]), float(placed[high])


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise ConfigError(f"level must be between 0 and 1, got {level}; 0.95 gives a 95 % interval")


def _as_columns(values: ArrayLike) -> NDArray[np.float64]:
    columns = np.asarray(values, dtype=np.float64)
    columns = columns[:, None] if columns.ndim == 1 else columns
    if columns.ndim != 2 or 0 in columns.shape:
        raise DataError(f"an interval needs numbers (items,) or (items, S) of one item at least, got {columns.shape}")
    if not np.isfinite(columns).all():
        raise DataError("an interval needs finite numbers, got NaN or infinity; look at the ranks it is made of")
    return columns


def draws(queries: int, samples: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """The draws behind `bootstrap`: how often each movie was drawn, (b, Q) a few draws at a time, for other statistics.

    Args:
        queries: how many movies there are, and how many are drawn each time, with replacement.
        samples: how many times they are drawn; the b of all blocks add up to it.
        seed: of the draws; equal arguments give equal draws.
    """
    generator = np.random.default_rng(seed)
    at_once = max(1, DRAWS_AT_ONCE // queries)
    for start in range(0, samples, at_once):
        rows = min(at_once, samples - start)
        picked = generator.integers(0, queries, size=(rows, queries))
        picked += np.arange(rows)[:, None] * queries
        yield np.bincount(picked.ravel(), minlength=rows * queries).reshape(rows, queries)


def _medians(values: NDArray[np.float64], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Medians of sorted (Q,) `values` taken `counts` (b, Q) times: (b,)."""
    upto = np.cumsum(counts, axis=1)  # (b, Q) draws at or below each value
    total = counts.shape[1]
    low, high = ((upto > place).argmax(axis=1) for place in ((total - 1) // 2, total // 2))
    middle: NDArray[np.float64] = (values[low] + values[high]) / 2
    return middle
