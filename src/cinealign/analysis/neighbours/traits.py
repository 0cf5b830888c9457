"""What two movies can share: genres, decade, people, words, colours, an audience. Each as a number for every pair.

A trait is a (Q, N) array of float32, NaN where it is not known for one of the two.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cinealign.data.posters import Poster, open_poster
from cinealign.data.ratings import Ratings
from cinealign.threads import on_threads

Trait = NDArray[np.float32]
COMMON_RATERS = 10
"""Users who have rated both movies, below whom their correlation is taken as not known."""
_BINS, _AB_RANGE = 5, 60.0


def overlap(labels: Sequence[Collection[str]], rows: NDArray[np.int64]) -> Trait:
    """Jaccard overlap of the label sets of movies `rows` (Q,) and all N, in [0, 1]; NaN where a movie has no label."""
    shared, sizes = _shared(labels, rows)
    union = sizes[rows, None] + sizes - shared
    known = (sizes[rows, None] > 0) & (sizes > 0)
    found: Trait = np.divide(shared, union, out=np.full_like(shared, np.nan), where=known)
    return found


def any_shared(labels: Sequence[Collection[str]], rows: NDArray[np.int64]) -> Trait:
    """1 where two movies share a label (a director, say), else 0; NaN where a movie has none."""
    shared, sizes = _shared(labels, rows)
    known = (sizes[rows, None] > 0) & (sizes > 0)
    return np.where(known, (shared > 0).astype(np.float32), np.float32(np.nan))


def same_decade(years: ArrayLike, rows: NDArray[np.int64]) -> Trait:
    """1 where two movies are of one decade, else 0; NaN where a year is not known.

    Args:
        years: (N,) years, NaN where not known.
        rows: (Q,) the movies to compare with all N.
    """
    decades = np.floor(np.asarray(years, dtype=np.float64) / 10)
    known = np.isfinite(decades)[rows, None] & np.isfinite(decades)
    return np.where(known, (decades[rows, None] == decades).astype(np.float32), np.float32(np.nan))


def palettes(posters: Sequence[Poster]) -> NDArray[np.float32]:
    """(N, 125) shares of each poster's pixels in 5 x 5 x 5 bins of CIELAB; colours beyond +-60 are in the outer bins."""
    import cv2

    def histogram(poster: Poster) -> NDArray[np.float32]:
        pixels = np.asarray(open_poster(poster).resize((48, 72)), dtype=np.float32) / 255
        lab = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB).reshape(-1, 3)
        scaled = np.column_stack([lab[:, 0] / 100, (lab[:, 1:] + _AB_RANGE) / (2 * _AB_RANGE)])
        bins = np.clip((scaled * _BINS).astype(np.int64), 0, _BINS - 1) @ np.array([_BINS**2, _BINS, 1])
        return (np.bincount(bins, minlength=_BINS**3) / len(bins)).astype(np.float32)

    return np.stack(list(on_threads(histogram, posters)))


def palette_overlap(histograms: NDArray[np.float32], rows: NDArray[np.int64]) -> Trait:
    """Bhattacharyya coefficient of colour histograms: 1 for equal ones, 0 where no colour is shared.

    Source:
        Bhattacharyya, "On a measure of divergence between two statistical populations" (1943).
    """
    roots = np.sqrt(histograms)
    found: Trait = roots[rows] @ roots.T
    return found


def co_rating(ratings: Ratings, n: int, rows: NDArray[np.int64], *, fewest: int = COMMON_RATERS) -> Trait:
    """Correlation of the ratings of two movies over the users who rated both, in [-1, 1].

    Ratings are taken relative to the user's mean, as some users are kinder than others. NaN where fewer than `fewest`
    users rated both, or all of them alike.

    Args:
        ratings: of a catalogue of `n` movies.
        n: movies of the catalogue.
        rows: (Q,) the movies to compare with all n.
        fewest: common users needed.
    """
    from scipy import sparse

    counts = np.bincount(ratings.user, minlength=ratings.users)
    means = np.bincount(ratings.user, weights=ratings.value, minlength=ratings.users) / np.maximum(counts, 1)
    above = ratings.value - means[ratings.user]
    shape, places = (n, ratings.users), (ratings.row, ratings.user)
    rated, first, second = (
        sparse.csr_matrix((values, places), shape=shape) for values in (np.ones_like(above), above, above**2)
    )

    def common(one: sparse.csr_matrix, other: sparse.csr_matrix) -> NDArray[np.float64]:
        dense: NDArray[np.float64] = (one[rows] @ other.T).toarray()
        return dense

    number = common(rated, rated)  # (Q, n) users who rated both
    x, y = common(first, rated), common(rated, first)
    xx, yy, xy = common(second, rated), common(rated, second), common(first, first)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.sqrt(np.maximum(xx - x * x / number, 0) * np.maximum(yy - y * y / number, 0))
        found = (xy - x * y / number) / spread
    return np.where((number >= fewest) & (spread > 1e-9), np.clip(found, -1, 1), np.nan).astype(np.float32)


def _shared(labels: Sequence[Collection[str]], rows: NDArray[np.int64]) -> tuple[Trait, NDArray[np.float32]]:
    """(Q, N) number of labels that two movies share, and (N,) number of labels of each."""
    from scipy import sparse

    number: dict[str, int] = {}
    at, columns = [], []
    for row, names in enumerate(labels):
        for name in set(names):
            at.append(row)
            columns.append(number.setdefault(name, len(number)))
    shape = (len(labels), max(1, len(number)))
    table = sparse.csr_matrix((np.ones(len(at), dtype=np.float32), (at, columns)), shape=shape)
    shared: Trait = np.asarray((table[rows] @ table.T).toarray(), dtype=np.float32)
    return shared, np.asarray(table.sum(axis=1), dtype=np.float32).ravel()
