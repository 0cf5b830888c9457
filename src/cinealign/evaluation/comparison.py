"""Is one run better than another, and is there anything at all: tests on the same movies.

Two runs answer the same queries, so what counts is where they differ. Without this pairing a difference of accuracies
needs many times as many movies to be seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtr, ndtri

from cinealign.distance.distances import as_distances, refuse_nan
from cinealign.errors import ConfigError, DataError
from cinealign.evaluation.accuracy import top_k
from cinealign.evaluation.metrics import DIRECTIONS, TASK_RATIO
from cinealign.evaluation.statistics import LEVEL, SAMPLES, bootstrap, percentiles, two_sided_p

PERMUTATIONS = 9999


@dataclass(frozen=True)
class Difference:
    """What `paired_bootstrap` finds: means over the same movies, their difference, its interval and its p-value."""

    movies: int
    first: float
    second: float
    difference: float
    """`second - first`: above 0 where the second is better."""
    low: float
    high: float
    p: float
    """Two-sided, of "the means are equal"."""


def paired_bootstrap(
    first: ArrayLike, second: ArrayLike, *, samples: int = SAMPLES, seed: int = 0, level: float = LEVEL
) -> Difference:
    """Difference of the means of two measurements of the same movies, with a percentile interval over movies.

    The p-value is twice the smaller share of samples on one side of 0, the observation counted among them; it cannot be
    below `2 / (samples + 1)`.

    Args:
        first, second: (Q,) numbers, row i of both is one movie: hits, hits of both directions summed ...
        samples, seed, level: as in `statistics.bootstrap_interval`.
    Raises:
        DataError: another number of movies on the two, none, or a value that is not finite.
    Source:
        Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapters 8 and 13.
    """
    before, after = _pair(first, second)
    drawn = bootstrap(after - before, samples=samples, seed=seed)[:, 0]
    low, high = percentiles(drawn, level)[0].tolist()
    means = float(before.mean()), float(after.mean())
    return Difference(len(before), *means, float((after - before).mean()), low, high, two_sided_p(drawn))


@dataclass(frozen=True)
class McNemar:
    """What `mcnemar` finds: movies that only one of two runs gets right, and the exact p-value."""

    only_first: int
    only_second: int
    p: float


def mcnemar(first: ArrayLike, second: ArrayLike) -> McNemar:
    """Exact two-sided McNemar test of "both runs get equally many movies right".

    Args:
        first, second: (Q,) hits, True or 1 where a run gets the movie right; row i of both is one movie.
    Returns:
        The movies that only one gets right, and p = 2 * P(X <= the smaller number), X ~ Binomial(their sum, 1/2), at
        most 1; 1 where the runs agree on every movie.
    Raises:
        DataError: another number of movies on the two, none, or values other than 0 and 1.
    Source:
        McNemar, "Note on the sampling error of the difference between correlated proportions" (1947), exact form.
    """
    before, after = _pair(first, second)
    if not (np.isin(before, (0, 1)).all() and np.isin(after, (0, 1)).all()):
        raise DataError("McNemar's test needs hits, 0 or 1 an item; give `ranks <= k`")
    only_first = int(np.count_nonzero(before > after))
    only_second = int(np.count_nonzero(after > before))
    p = 2 * float(bdtr(min(only_first, only_second), only_first + only_second, 0.5))
    return McNemar(only_first, only_second, min(1.0, p))


def holm(p_values: ArrayLike) -> list[float]:
    """Holm's adjusted p-values: comparing these with 0.05 keeps the chance of any false alarm among all below 0.05.

    Args:
        p_values: (M,) in [0, 1], in any order.
    Returns:
        M adjusted values in the same order, in [0, 1], none below its own p-value.
    Raises:
        DataError: a value is not in [0, 1].
    Source:
        Holm, "A simple sequentially rejective multiple test procedure" (1979).
    """
    values = np.asarray(p_values, dtype=np.float64)
    if values.ndim != 1 or not ((values >= 0) & (values <= 1)).all():
        raise DataError(f"p-values must be a list of numbers in [0, 1], got {values.tolist()}")
    order = np.argsort(values, kind="stable")
    adjusted = np.empty_like(values)
    adjusted[order] = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1)) if len(values) else values
    return [float(value) for value in np.minimum(adjusted, 1.0)]


def compare_runs(
    runs: Mapping[str, Mapping[str, ArrayLike]],
    rows: ArrayLike,
    *,
    ratio: float = TASK_RATIO,
    samples: int = SAMPLES,
    seed: int = 0,
    level: float = LEVEL,
) -> list[dict[str, Any]]:
    """Every pair of runs on the same movies: both directions by McNemar and paired bootstrap, and the sum of both.

    Holm's correction runs over all McNemar tests of the list, and separately over all bootstrap tests of sums.

    Args:
        runs: name -> {"poster_to_intro": (N,) ranks, "intro_to_poster": (N,) ranks}, all of one catalogue, row i is
            movie i. Two at least.
        rows: the movies to compare on; held-out rows, as a rule.
        ratio: part of the gallery that counts as near.
        samples, seed, level: of the bootstrap.
    Returns:
        One dict a pair: `first`, `second` (names), `movies`, `k`; for each direction a dict with the fields of
        `Difference` and `mcnemar: {only_first, only_second, p, p_holm}`; `sum` with those of `Difference` and `p_holm`.
    Raises:
        DataError: fewer than two runs, or ranks or rows that do not fit each other.
        ConfigError: `ratio` or `level` is out of range.
    """
    if len(runs) < 2:
        raise DataError(f"a comparison needs two runs at least, got {len(runs)}")
    chosen, hits, k, n = np.asarray(rows), {}, 0, -1
    for name, ranks in runs.items():
        columns = [np.asarray(ranks[direction]) for direction in DIRECTIONS]
        n = len(columns[0]) if n < 0 else n
        if any(column.shape != (n,) for column in columns):
            raise DataError(
                f"run {name!r} has ranks of another number of items than {n}; compare runs of one catalogue"
            )
        if (
            chosen.ndim != 1
            or chosen.dtype.kind not in "iu"
            or chosen.size == 0
            or chosen.min() < 0
            or chosen.max() >= n
        ):
            raise DataError(f"rows must name items of {n}, one at least; got {chosen.dtype} {chosen.shape}")
        k = top_k(ratio, n)
        hits[name] = np.stack([column[chosen] <= k for column in columns], axis=1).astype(float)  # (Q, 2)
    options: dict[str, Any] = {"samples": samples, "seed": seed, "level": level}
    pairs: list[dict[str, Any]] = []
    for first, second in combinations(runs, 2):
        pair: dict[str, Any] = {"first": first, "second": second, "movies": len(chosen), "k": k}
        for side, direction in enumerate(DIRECTIONS):
            both = hits[first][:, side], hits[second][:, side]
            pair[direction] = {**asdict(paired_bootstrap(*both, **options)), "mcnemar": asdict(mcnemar(*both))}
        pair["sum"] = asdict(paired_bootstrap(hits[first].sum(axis=1), hits[second].sum(axis=1), **options))
        pairs.append(pair)
    tests = [pair[direction]["mcnemar"] for pair in pairs for direction in DIRECTIONS]
    _add_holm(tests)
    _add_holm([pair["sum"] for pair in pairs])
    return pairs


def permutation_test(
    D: ArrayLike | torch.Tensor,
    rows: ArrayLike,
    *,
    ratio: float = TASK_RATIO,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> dict[str, Any]:
    """Could these accuracies come from posters and intros that have nothing to do with each other?

    Gives the intros of `rows` to their posters at random, again and again, and counts how often the sum of both
    directions' top-`ratio` accuracies is as high as with the true partners. Distances to the whole gallery stay as they
    are, ties count against a pair. Use it on held-out rows: train pairs are related because the model has seen them.
    Holds Q x Q bytes and Q x N distances.

    Args:
        D: (N, N), `D[i, j]` is the distance of poster i and intro j; may be a mapped file.
        rows: (Q,) movies whose partners are exchanged.
        ratio: part of the gallery of N that counts as near.
        permutations: random assignments.
        seed: of the assignments.
    Returns:
        `movies`, `k`, `acc_sum` (true partners), `permuted_mean`, `permuted_high` (the largest met), `permutations` and
        `p` = (1 + assignments as good) / (1 + permutations), one-sided.
    Raises:
        DataError: D or rows that cannot be used, or NaN.
        ConfigError: `ratio` or `permutations` is out of range.
    Source:
        Phipson and Smyth, "Permutation p-values should never be zero" (2010).
    """
    matrix = as_distances(D)
    n, chosen = len(matrix), np.asarray(rows)
    if chosen.ndim != 1 or chosen.dtype.kind not in "iu" or chosen.size == 0 or chosen.min() < 0 or chosen.max() >= n:
        raise DataError(f"rows must name items of {n}, one at least; got {chosen.dtype} {chosen.shape}")
    if permutations < 1:
        raise ConfigError(f"permutations must be >= 1, got {permutations}")
    k = top_k(ratio, n)
    hits = np.zeros((len(chosen), len(chosen)), dtype=np.int8)  # [i, j]: how many directions find poster i and intro j
    for dim in (0, 1):
        lines = np.asarray(matrix[chosen] if dim == 1 else matrix[:, chosen].T)  # (Q, N) one query a line
        refuse_nan(lines, 0, "D, read from the chosen rows,")
        if k < n:  # among the k nearest with ties against it: nearer than the (k + 1)-th
            near = lines[:, chosen] < np.partition(lines, k, axis=1)[:, k, None]
        else:
            near = np.ones((len(chosen), len(chosen)), dtype=bool)
        hits += near if dim == 1 else near.T
    generator = np.random.default_rng(seed)
    posters = np.arange(len(chosen))
    sums = np.array([hits[posters, generator.permutation(len(chosen))].sum() for _ in range(permutations)])
    true = int(np.trace(hits))
    return {
        "movies": len(chosen),
        "k": k,
        "acc_sum": true / len(chosen),
        "permuted_mean": float(sums.mean()) / len(chosen),
        "permuted_high": int(sums.max()) / len(chosen),
        "permutations": permutations,
        "p": (1 + int(np.count_nonzero(sums >= true))) / (1 + permutations),
    }


def minimal_detectable_difference(movies: int, discordant: float, *, level: float = LEVEL, power: float = 0.8) -> float:
    """The smallest true difference of two accuracies that McNemar's test on so many movies finds with this power.

    By the normal approximation; a difference that is seen in fewer movies is no sign that there is none.

    Args:
        movies: answered by both runs, at least 1.
        discordant: share of movies that exactly one of the two gets right, in (0, 1]. Of two runs with accuracy a whose
            errors are independent it is 2 a (1 - a); of related runs it is smaller.
        level: 1 minus the two-sided error rate, in (0, 1).
        power: chance to find the difference, in [0.5, 1).
    Returns:
        The difference, in (0, discordant]; `discordant` itself where not even that would be found.
    Raises:
        DataError: `movies` or `discordant` is out of range.
        ConfigError: `level` or `power` is out of range.
    Source:
        Connor, "Sample size for testing differences in proportions for the paired-sample design" (1987).
    """
    if movies < 1 or not 0 < discordant <= 1:
        raise DataError(f"the number of items must be >= 1 and discordant in (0, 1], got {movies} and {discordant}")
    if not (0 < level < 1 and 0.5 <= power < 1):
        raise ConfigError(f"level must be in (0, 1) and power in [0.5, 1), got {level} and {power}")
    alpha, beta = float(ndtri(1 - (1 - level) / 2)), float(ndtri(power))
    # Connor: d * sqrt(n) = alpha * sqrt(c) + beta * sqrt(c - d^2), squared and solved for d (the larger root).
    a, b, c = movies + beta**2, alpha * (movies * discordant) ** 0.5, (alpha**2 - beta**2) * discordant
    return float(min(discordant, (b + max(0.0, b * b - a * c) ** 0.5) / a))


def _add_holm(tests: Sequence[dict[str, Any]]) -> None:
    for test, adjusted in zip(tests, holm([test["p"] for test in tests]), strict=True):
        test["p_holm"] = adjusted


def _pair(first: ArrayLike, second: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    before, after = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if before.ndim != 1 or before.shape != after.shape or before.size == 0:
        raise DataError(f"both runs must answer the same items, one at least; got {before.shape} and {after.shape}")
    return before, after
