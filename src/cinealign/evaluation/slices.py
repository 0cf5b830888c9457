"""Where a model is good and where it is not: accuracy of parts of the movies, each with an interval.

Attributes come from the caller, one value a movie; this file only groups and counts. The gallery is always whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cinealign.errors import ConfigError, DataError
from cinealign.evaluation.accuracy import top_k
from cinealign.evaluation.keys import DIRECTIONS, TASK_RATIO, BothWays
from cinealign.evaluation.statistics import LEVEL, wilson_interval

SMALL = 30
"""A slice of fewer movies is marked: its interval is wide and its order among the others is mostly luck."""

Slices = dict[str, NDArray[np.int64]]
"""Name of a slice -> rows of its movies."""


@dataclass(frozen=True, kw_only=True)
class SliceAccuracy:
    """One direction of a slice.

    Attributes:
        accuracy: share of its movies that find their partner.
        interval: Wilson's, low and high.
        median: of the partner's ranks.
    """

    accuracy: float
    interval: list[float]
    median: float


@dataclass(frozen=True, kw_only=True)
class SliceScore(BothWays[SliceAccuracy]):
    """A slice of the movies asked for: of which attribute, its name, how many movies, and whether these are few."""

    attribute: str
    slice: str
    movies: int
    small: bool
    poster_to_intro: SliceAccuracy
    intro_to_poster: SliceAccuracy


def by_label(labels: Sequence[str | Iterable[str] | None]) -> Slices:
    """Slices of movies that share a label, the largest first; a movie with several (genres) is in several slices.

    Args:
        labels: (N,) one label, several, or None or "" where it is not known: such movies are in no slice.
    """
    rows: dict[str, list[int]] = {}
    for row, label in enumerate(labels):
        for name in [label] if isinstance(label, str) else sorted(set(label or ())):
            if name:
                rows.setdefault(name, []).append(row)
    return {name: np.array(rows[name]) for name in sorted(rows, key=lambda name: (-len(rows[name]), name))}


def by_decade(years: ArrayLike) -> Slices:
    """Slices by decade of the year ("1990s"), in order.

    Args:
        years: (N,) years; NaN where not known: such movies are in no slice.
    """
    values = _numbers(years)
    known = np.flatnonzero(np.isfinite(values))
    decades = np.floor(values[known] / 10).astype(np.int64) * 10
    return {f"{decade}s": known[decades == decade] for decade in np.unique(decades)}


def by_size(values: ArrayLike, parts: int = 4) -> Slices:
    """Slices of about equally many movies, from the smallest values to the largest; equal values stay together.

    Args:
        values: (N,) numbers: words of the intro, letters read on the poster, colourfulness, ratings ...; NaN where not
            known: such movies are in no slice.
        parts: how many slices at most; fewer where equal values are many.
    Raises:
        ConfigError: `parts` is below 1.
        DataError: `values` is not a list of numbers.
    """
    if parts < 1:
        raise ConfigError(f"parts must be >= 1, got {parts}")
    numbers = _numbers(values)
    known = np.flatnonzero(np.isfinite(numbers))
    if not len(known):
        return {}
    edges = np.unique(np.quantile(numbers[known], np.linspace(0, 1, parts + 1)[1:-1], method="inverted_cdf"))
    part = np.searchsorted(edges, numbers[known], side="left")  # values up to and including an edge are below it
    found = {}
    for index in np.unique(part):
        rows = known[part == index]
        low, high = numbers[rows].min(), numbers[rows].max()
        found[f"{low:g}" if low == high else f"{low:g} to {high:g}"] = rows
    return found


def score_slices(
    ranks: Mapping[str, ArrayLike],
    attributes: Mapping[str, Slices],
    *,
    rows: ArrayLike | None = None,
    ratio: float = TASK_RATIO,
    level: float = LEVEL,
) -> list[SliceScore]:
    """Accuracy of every slice in both directions, with Wilson's interval (which keeps a width where all are right).

    Args:
        ranks: {"poster_to_intro": (N,) ranks, "intro_to_poster": (N,) ranks} in the whole gallery.
        attributes: name ("genre") -> slices, as `by_label`, `by_decade` and `by_size` make them.
        rows: the movies that are asked for, held-out rows as a rule; all without it.
        ratio: part of the gallery that counts as near.
        level: coverage of the intervals.
    Returns:
        One entry a slice with a movie in `rows`, small if it has fewer than 30. The first, of the attribute "all", has
        every movie asked for. With many slices some intervals miss the whole's accuracy by chance alone.
    Raises:
        DataError: ranks or rows that do not fit each other, or no movie asked for.
        ConfigError: `ratio` or `level` is out of range.
    """
    arrays = {direction: np.asarray(ranks[direction]) for direction in DIRECTIONS}
    n = len(arrays[DIRECTIONS[0]])
    if any(array.shape != (n,) for array in arrays.values()):
        raise DataError("both directions must have ranks of the same items; score one catalogue at a time")
    asked = np.zeros(n, dtype=bool)
    asked[_rows(np.arange(n) if rows is None else rows, n, "rows")] = True
    k = top_k(ratio, n)
    entries = []
    for attribute, slices in {"all": {"all": np.arange(n)}, **attributes}.items():
        for name, members in slices.items():
            inside = _rows(members, n, f"slice {name!r} of {attribute}")
            inside = inside[asked[inside]]
            if not len(inside):
                continue
            ways = {direction: _accuracy(array[inside], k, level) for direction, array in arrays.items()}
            small = len(inside) < SMALL
            entries.append(SliceScore(attribute=attribute, slice=name, movies=len(inside), small=small, **ways))
    if not entries:
        raise DataError("no item is asked for; give rows")
    return entries


def _accuracy(ranks: NDArray[np.int64], k: int, level: float) -> SliceAccuracy:
    hits = int(np.count_nonzero(ranks <= k))
    interval = list(wilson_interval(hits, len(ranks), level))
    return SliceAccuracy(accuracy=hits / len(ranks), interval=interval, median=float(np.median(ranks)))


def _numbers(values: ArrayLike) -> NDArray[np.float64]:
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(
            "an attribute must be numbers, one an item, NaN where not known; give labels to by_label"
        ) from None
    if numbers.ndim != 1:
        raise DataError(f"an attribute must be numbers, one an item; got {numbers.shape}")
    return numbers


def _rows(rows: ArrayLike, n: int, what: str) -> NDArray[np.int64]:
    array = np.asarray(rows)
    if array.size == 0:
        return np.zeros(0, dtype=np.int64)
    if array.ndim != 1 or array.dtype.kind not in "iu" or array.min() < 0 or array.max() >= n:
        raise DataError(f"{what} must be row numbers below {n}, got {array.dtype} {array.shape}")
    return array.astype(np.int64)
