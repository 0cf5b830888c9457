"""Finding movies that belong together: other parts of a series, near-duplicates, and the odd one out of a set."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cinealign.analysis.downstream.numbers import AlikePair, OddSets, Series
from cinealign.analysis.downstream.probes import genre_table
from cinealign.analysis.downstream.task_table import Kind, Measured, Table, feature_sets
from cinealign.analysis.material import Material
from cinealign.analysis.neighbours.neighbours import nearest_others
from cinealign.analysis.skipped import SkippedError
from cinealign.data.series import series_name
from cinealign.experts.base import Vectors

NEAR = 10
FEWEST_QUERIES = 5
SHOWN_PAIRS = 10
SETS, SET_SIZE = 1000, 5


def series(material: Material, table: Table) -> Series:
    """Is another part of a held-out movie's series among its 10 nearest movies of all N?

    Raises:
        SkippedError: too few held-out movies have another part in the catalogue.
    """
    names = [series_name(movie.title) for movie in material.catalogue.movies]
    counts = Counter(names)
    of_series = np.array([counts[name] > 1 for name in names])
    queries = material.held_out[of_series[material.held_out]]
    if len(queries) < FEWEST_QUERIES:
        raise SkippedError(f"only {len(queries)} held-out items have another part of their series in the catalogue")
    number = np.unique(np.array(names), return_inverse=True)[1]
    mates = number[queries, None] == number  # (S, N)
    mates[np.arange(len(queries)), queries] = False
    n = len(names)
    chance = float(np.mean([_chance(n - 1, int(count), NEAR) for count in mates.sum(axis=1)]))
    sets: list[tuple[str, Kind, Any, str | None]] = list(feature_sets(material.aligned, material.raw))
    for method, kind, features, against in sets:
        found = found_near(features, features, queries, mates, NEAR)
        _add_series(material, table, method, kind, found, against, chance)
    poster, intro = material.aligned["poster"], material.aligned["intro"]
    across = found_near(poster, intro, queries, mates, NEAR)
    _add_series(material, table, "aligned poster to intros", "aligned", across, None, chance)
    several = sum(count > 1 for count in counts.values())
    return Series(series=several, queries=len(queries), pairs=_nearest_pairs(material, number))


def found_near(
    query: Vectors, gallery: Vectors, queries: NDArray[np.int64], mates: NDArray[np.bool_], k: int
) -> NDArray[np.bool_]:
    """(S,) whether one of a query's mates is among its k nearest others.

    Args:
        query, gallery: (N, D).
        queries: (S,) rows that are asked for.
        mates: (S, N) who counts as found.
        k: how many are looked at.
    """
    near = nearest_others(query, gallery, queries, k)
    found: NDArray[np.bool_] = np.any(np.take_along_axis(mates, near, axis=1), axis=1)
    return found


def odd_one_out(material: Material, table: Table) -> OddSets:
    """Four held-out movies of one genre and a fifth without it: is the fifth the least like the others?"""
    names, labels = genre_table(material)
    sets, genres = draw_sets(labels[material.held_out], SETS, SET_SIZE, seed=material.seed)
    n, options = len(sets), {"samples": material.samples, "seed": material.seed}
    chance = 1 / SET_SIZE
    for method, kind, features, against in feature_sets(material.aligned, material.raw):
        rows = features[material.held_out]
        right = least_alike(rows, sets) == SET_SIZE - 1
        found = Measured.mean(right, **options)
        table.add("odd one out", "accuracy", method, kind, found, n, chance=chance, against=against, unit="sets")
    used = Counter(names[genre] for genre in genres)
    return OddSets(sets=n, size=SET_SIZE, genres=dict(sorted(used.items())))


def draw_sets(
    labels: NDArray[np.bool_], count: int, size: int, *, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sets of movies of which all but the last have a label that the last has not.

    Args:
        labels: (Q, G); every label has `size` - 1 movies at least, and one movie without.
        count: sets to draw, each of a label drawn evenly.
        size: movies of a set.
        seed: of the draw.
    Returns:
        (count, size) rows in [0, Q), the odd one last, and (count,) the label.
    """
    generator = np.random.default_rng(seed)
    sets, used = np.empty((count, size), dtype=np.int64), generator.integers(0, labels.shape[1], count)
    for at, label in enumerate(used):
        inside, outside = np.flatnonzero(labels[:, label]), np.flatnonzero(~labels[:, label])
        sets[at, :-1] = generator.choice(inside, size - 1, replace=False)
        sets[at, -1] = generator.choice(outside)
    return sets, used


def least_alike(rows: Vectors, sets: NDArray[np.int64]) -> NDArray[np.int64]:
    """(M,) place in each set of the movie with the lowest mean cosine to the others; the first of equals.

    Args:
        rows: (Q, D) unit rows.
        sets: (M, S) rows of each set.
    """
    gram = rows @ rows.T  # (Q, Q)
    products = gram[sets[:, :, None], sets[:, None, :]]  # (M, S, S)
    own = np.einsum("mss->ms", products)
    found: NDArray[np.int64] = (products.sum(axis=2) - own).argmin(axis=1)
    return found


def _add_series(
    material: Material,
    table: Table,
    method: str,
    kind: Kind,
    found: NDArray[np.bool_],
    against: str | None,
    chance: float,
) -> None:
    measured = Measured.mean(found, samples=material.samples, seed=material.seed)
    table.add("series mates", f"recall@{NEAR}", method, kind, measured, len(found), chance=chance, against=against)


def _chance(others: int, mates: int, k: int) -> float:
    """That `k` of `others` drawn at random hold one of `mates`."""
    missed = 1.0
    for at in range(k):
        missed *= max(0, others - mates - at) / (others - at)
    return 1 - missed


def _nearest_pairs(material: Material, number: NDArray[np.int64]) -> list[AlikePair]:
    both = material.aligned["both"]
    similarity = both @ both.T
    similarity[np.tril_indices(len(both))] = -np.inf
    flat = np.argpartition(-similarity.ravel(), SHOWN_PAIRS)[:SHOWN_PAIRS]
    flat = flat[np.argsort(-similarity.ravel()[flat], kind="stable")]
    pairs = []
    for first, second in zip(*np.unravel_index(flat, similarity.shape), strict=True):
        same = bool(number[first] == number[second])
        alike = float(similarity[first, second])
        one, other = material.movie(int(first)), material.movie(int(second))
        pairs.append(AlikePair(first=one, second=other, similarity=alike, same_series=same))
    return pairs
