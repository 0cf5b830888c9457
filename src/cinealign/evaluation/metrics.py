"""metrics.json of a run: everything that is measured of one distance matrix, from vectors or from D itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from cinealign.distance.distances import Vectors, as_distances, as_pair
from cinealign.errors import DataError
from cinealign.evaluation.accuracy import course_score, top_k
from cinealign.evaluation.curve import PARTS, top_p_area, top_p_curve
from cinealign.evaluation.keys import DIRECTIONS as DIRECTIONS
from cinealign.evaluation.keys import RECALL_AT as RECALL_AT
from cinealign.evaluation.keys import SPLITS as SPLITS
from cinealign.evaluation.keys import TASK_RATIO as TASK_RATIO
from cinealign.evaluation.keys import TEST_STEP_RATIO as TEST_STEP_RATIO
from cinealign.evaluation.keys import Metrics as Metrics
from cinealign.evaluation.ranks import Ranks, ranks_from_distances, retrieval_ranks
from cinealign.evaluation.statistics import SAMPLES, bootstrap, mean_interval, median_interval, percentiles


def score(
    ranks_p2i: ArrayLike,
    ranks_i2p: ArrayLike,
    *,
    train_rows: ArrayLike,
    n: int,
    ratio: float = TASK_RATIO,
    seed: int = 0,
    samples: int = SAMPLES,
    held_out_ranks: tuple[ArrayLike, ArrayLike] | None = None,
    rows: ArrayLike | None = None,
) -> Metrics:
    """metrics.json from the ranks of both directions.

    A split says which movies are asked for; the gallery is always all n. `acc_sum` and `course_score` are those of
    `all`. A split without movies has None in place of numbers. The keys:
    `n`, `k`, `ratio`, `chance` (= k / n); for each direction `{all, train, held_out}` the top-`ratio` accuracy;
    `acc_sum`, `course_score`; `ratio_0.5` with the same keys at ratio 0.5; `ranks[direction][split]` with `recall@1`,
    `recall@5`, `recall@10`, `median`, `mrr`, `queries`; `intervals[direction][split]` and `intervals["acc_sum"]`, 95 %
    bootstrap intervals over movies, and in `intervals["ranks"]` those of the rank measures; `curve` with `p`, the top-p
    accuracies `curve[direction][split]` at each p, and the areas below in `curve["area"][direction][split]`, by chance
    `curve["area_chance"]`; with `held_out_ranks` also `held_out_gallery`: held-out movies asked for in a gallery of
    held-out movies only, with its own `n`, `k` (by floor), `ratio`, `chance`, an accuracy a direction, `acc_sum`,
    `ranks` and `intervals`.

    Args:
        ranks_p2i, ranks_i2p: (n,) ranks in [1, n] of poster to intro and intro to poster; row i is movie i. (Q,) where
            `rows` are given.
        train_rows: rows of the train movies; all others are held out.
        n: movies in the gallery.
        ratio: part of the gallery that counts as near, in [0, 1].
        seed: of the bootstrap.
        samples: draws of the bootstrap; 0 gives the large-sample forms that it tends to, which need no draws.
        held_out_ranks: ranks of the held-out movies that are asked for, in row order, in a gallery of the held-out
            movies only, as (poster to intro, intro to poster).
        rows: (Q,) rising rows of the movies that are asked for, where that is a sample; the gallery is all n.
    Raises:
        DataError: ranks or train rows that do not fit n.
        ConfigError: `ratio` or `samples` is out of range.
    Source:
        The assignment (accuracy, course score); intervals as in `statistics.bootstrap`.
    """
    every = split_rows(train_rows, n)
    asked = every["all"] if rows is None else np.asarray(rows)
    given = dict(zip(DIRECTIONS, (ranks_p2i, ranks_i2p), strict=True))
    ranks = {name: _as_ranks(each, n, len(asked)) for name, each in given.items()}
    splits = every if rows is None else {name: np.flatnonzero(np.isin(asked, each)) for name, each in every.items()}
    metrics: Metrics = {"n": n, **_accuracies(ranks, splits, n, ratio)}
    metrics["ratio_0.5"] = _accuracies(ranks, splits, n, TEST_STEP_RATIO)
    metrics["ranks"] = {
        direction: {split: _rank_measures(ranks[direction][rows]) for split, rows in splits.items()}
        for direction in DIRECTIONS
    }
    metrics["intervals"] = _intervals(ranks, splits, metrics["k"], seed, samples)
    metrics["curve"] = _curve(ranks, splits, n)
    if held_out_ranks is not None:
        metrics["held_out_gallery"] = _held_out_gallery(held_out_ranks, len(every["held_out"]), ratio, seed, samples)
    return metrics


def ranks_both_ways(
    poster: Vectors, intro: Vectors, ids: ArrayLike, rows: NDArray[np.int64] | None = None, *, chunk_size: int = 1024
) -> dict[str, Ranks]:
    """Direction -> (Q,) ranks of the movies `rows` in the whole gallery; of all N movies where `rows` is None.

    Args:
        poster, intro: (N, D) vectors.
        ids: (N,) movie ids; an equal id makes a positive.
        rows: (Q,) the movies that are asked for.
        chunk_size: queries ranked at a time.
    Raises:
        DataError: as `retrieval_ranks`.
    """
    ids = np.asarray(ids)
    asked = slice(None) if rows is None else rows
    return {
        name: retrieval_ranks(query[asked], gallery, ids[asked], ids, chunk_size=chunk_size)
        for name, query, gallery in zip(DIRECTIONS, (poster, intro), (intro, poster), strict=True)
    }


def evaluate_vectors(
    poster: Vectors,
    intro: Vectors,
    ids: ArrayLike,
    train_rows: ArrayLike,
    *,
    ratio: float = TASK_RATIO,
    seed: int = 0,
    samples: int = SAMPLES,
    chunk_size: int = 1024,
) -> Metrics:
    """metrics.json of the cosine distance of these vectors, without ever holding N x N; the keys are those of `score`.

    Equal to `evaluate_distances` of their D but for near ties: similarities within 1e-6 count as equal here, only equal
    distances do there.

    Args:
        poster, intro: (N, D) vectors, row i is movie i; used as they are.
        ids: (N,) movie ids; an equal id makes a positive.
        train_rows: rows of the train movies.
        ratio, seed, samples: as in `score`.
        chunk_size: queries ranked at a time.
    Raises:
        DataError: vectors, ids or train rows that cannot be used.
        ConfigError: an option is out of range.
    """
    poster, intro = as_pair(poster, intro)
    held_out = split_rows(train_rows, len(poster))["held_out"]

    def ranks(rows: slice | NDArray[np.int64]) -> tuple[Ranks, Ranks]:
        found = ranks_both_ways(poster[rows], intro[rows], np.asarray(ids)[rows], chunk_size=chunk_size)
        return found["poster_to_intro"], found["intro_to_poster"]

    p2i, i2p = ranks(slice(None))
    among = ranks(held_out) if len(held_out) else None
    options: Metrics = {"train_rows": train_rows, "ratio": ratio, "seed": seed, "samples": samples}
    return score(p2i, i2p, n=len(poster), held_out_ranks=among, **options)


def evaluate_distances(
    D: ArrayLike | torch.Tensor,
    ids: ArrayLike | None,
    train_rows: ArrayLike,
    *,
    ratio: float = TASK_RATIO,
    seed: int = 0,
    samples: int = SAMPLES,
) -> Metrics:
    """metrics.json of a given distance matrix; its accuracies are those of `get_acc`, the keys those of `score`.

    Args:
        D: (N, N), `D[i, j]` is the distance of poster i and intro j; may be a mapped file.
        ids: (N,) movie ids, an equal id makes a positive; None when each row is a movie of its own.
        train_rows: rows of the train movies.
        ratio, seed, samples: as in `score`.
    Raises:
        DataError: D, ids or train rows that cannot be used, or NaN.
        ConfigError: an option is out of range.
    """
    matrix = as_distances(D)
    held_out = split_rows(train_rows, len(matrix))["held_out"]

    def ranks(rows: NDArray[np.int64] | None) -> tuple[Ranks, Ranks]:
        return ranks_from_distances(matrix, 1, ids=ids, rows=rows), ranks_from_distances(matrix, 0, ids=ids, rows=rows)

    p2i, i2p = ranks(None)
    among = ranks(held_out) if len(held_out) else None
    options: Metrics = {"train_rows": train_rows, "ratio": ratio, "seed": seed, "samples": samples}
    return score(p2i, i2p, n=len(matrix), held_out_ranks=among, **options)


def split_rows(train_rows: ArrayLike, n: int) -> dict[str, NDArray[np.int64]]:
    """Rows of `all`, `train` and `held_out`, each sorted.

    Raises:
        DataError: a train row is not in [0, n), or is named twice.
    """
    train = np.asarray(train_rows)
    train = train.astype(np.int64) if train.size == 0 else train
    if train.ndim != 1 or train.dtype.kind not in "iu":
        raise DataError(f"train_rows must be a list of row numbers, got {train.dtype} {train.shape}")
    outside = train[(train < 0) | (train >= n)]
    if len(outside):
        raise DataError(f"train_rows names row {outside[0]} but there are {n} items; is it from another data set?")
    named = np.bincount(train, minlength=n)
    if named.max(initial=0) > 1:
        raise DataError(f"train_rows names row {int(named.argmax())} twice; name each item once")
    return {"all": np.arange(n), "train": np.flatnonzero(named), "held_out": np.flatnonzero(named == 0)}


def _as_ranks(ranks: ArrayLike, n: int, queries: int) -> Ranks:
    array = np.asarray(ranks)
    if array.dtype.kind not in "iu" or array.shape != (queries,) or queries < 1 or array.min() < 1 or array.max() > n:
        raise DataError(f"ranks must be {queries} integers in [1, {n}], one an item; got {array.dtype} {array.shape}")
    return array.astype(np.int64)


def _accuracies(ranks: dict[str, Ranks], splits: dict[str, NDArray[np.int64]], n: int, ratio: float) -> Metrics:
    k = top_k(ratio, n)
    accuracies: Metrics = {
        direction: {split: _mean(ranks[direction][rows] <= k) for split, rows in splits.items()}
        for direction in DIRECTIONS
    }
    first, second = (accuracies[direction]["all"] for direction in DIRECTIONS)
    course = course_score(first, second)
    return {
        "k": k,
        "ratio": float(ratio),
        "chance": k / n,
        **accuracies,
        "acc_sum": first + second,
        "course_score": course,
    }


def _curve(ranks: dict[str, Ranks], splits: dict[str, NDArray[np.int64]], n: int) -> Metrics:
    curve: Metrics = {"p": list(PARTS), "area": {}, "area_chance": (n - 1) / (2 * n)}
    for direction in DIRECTIONS:
        asked = {split: ranks[direction][rows] for split, rows in splits.items()}
        curve[direction] = {split: top_p_curve(r, n) if len(r) else None for split, r in asked.items()}
        curve["area"][direction] = {split: top_p_area(r, n) if len(r) else None for split, r in asked.items()}
    return curve


def _held_out_gallery(
    held_out_ranks: tuple[ArrayLike, ArrayLike], n: int, ratio: float, seed: int, samples: int
) -> Metrics:
    queries = len(np.asarray(held_out_ranks[0]))
    ranks = {name: _as_ranks(given, n, queries) for name, given in zip(DIRECTIONS, held_out_ranks, strict=True)}
    k = top_k(ratio, n)
    hits = np.stack([ranks[direction] <= k for direction in DIRECTIONS], axis=1)  # (Q, 2)
    spans, total = _sum_intervals(hits, samples, seed)
    accuracies = dict(zip(DIRECTIONS, hits.mean(axis=0).tolist(), strict=True))
    return {
        **{"n": n, "k": k, "ratio": float(ratio), "chance": k / n},
        **accuracies,
        "acc_sum": sum(accuracies.values()),
        "ranks": {direction: _rank_measures(ranks[direction]) for direction in DIRECTIONS},
        "intervals": {**dict(zip(DIRECTIONS, spans, strict=True)), "acc_sum": total},
    }


def _sum_intervals(hits: NDArray[np.bool_], samples: int, seed: int) -> tuple[list[list[float]], list[float]]:
    """Intervals of the shares of both directions, and of their sum."""
    if samples == 0:
        return [list(mean_interval(column)) for column in hits.T], list(mean_interval(hits.sum(axis=1)))
    drawn = bootstrap(hits, samples=samples, seed=seed)
    spans: list[list[float]] = percentiles(drawn).tolist()
    return spans, percentiles(drawn.sum(axis=1)).tolist()[0]


def _mean(values: NDArray[Any]) -> float | None:
    return float(values.mean()) if len(values) else None


def _rank_measures(ranks: Ranks) -> Metrics:
    measures: Metrics = {f"recall@{k}": _mean(ranks <= k) for k in RECALL_AT}
    measures["median"] = float(np.median(ranks)) if len(ranks) else None
    measures["mrr"] = _mean(1 / ranks)
    return {**measures, "queries": len(ranks)}


def _intervals(
    ranks: dict[str, Ranks], splits: dict[str, NDArray[np.int64]], k: int, seed: int, samples: int
) -> Metrics:
    """The same movies are drawn for both directions and every measure of a split."""
    names = ("accuracy", *(f"recall@{at}" for at in RECALL_AT), "mrr")
    accuracy: Metrics = {direction: {} for direction in DIRECTIONS}
    measures: Metrics = {direction: {} for direction in DIRECTIONS}
    for split, rows in splits.items():
        if not len(rows):
            for direction in DIRECTIONS:
                accuracy[direction][split] = measures[direction][split] = None
            continue
        asked = [ranks[direction][rows] for direction in DIRECTIONS]
        if samples == 0:
            for direction, r in zip(DIRECTIONS, asked, strict=True):
                accuracy[direction][split], measures[direction][split] = _large_intervals(r, k)
            if split == "all":
                accuracy["acc_sum"] = _sum_intervals(np.stack([r <= k for r in asked], axis=1), 0, seed)[1]
            continue
        columns = [column for r in asked for column in (r <= k, *(r <= at for at in RECALL_AT), 1 / r)]
        means = bootstrap(np.stack(columns, axis=1), samples=samples, seed=seed).reshape(samples, 2, len(names))
        medians = bootstrap(np.stack(asked, axis=1), statistic="median", samples=samples, seed=seed)
        for side, direction in enumerate(DIRECTIONS):
            found = dict(zip(names, percentiles(means[:, side]).tolist(), strict=True))
            accuracy[direction][split] = found.pop("accuracy")
            measures[direction][split] = {**found, "median": percentiles(medians[:, side]).tolist()[0]}
        if split == "all":
            accuracy["acc_sum"] = percentiles(means[:, :, 0].sum(axis=1)).tolist()[0]
    return {**accuracy, "ranks": measures}


def _large_intervals(ranks: Ranks, k: int) -> tuple[list[float], Metrics]:
    """Interval of the accuracy, and those of the rank measures, without draws."""
    found: Metrics = {f"recall@{at}": list(mean_interval(ranks <= at)) for at in RECALL_AT}
    return list(mean_interval(ranks <= k)), {
        **found,
        "mrr": list(mean_interval(1 / ranks)),
        "median": list(median_interval(ranks)),
    }
