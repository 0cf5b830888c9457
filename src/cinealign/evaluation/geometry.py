"""The shape of the shared space: hubs, the gap between the two sides, effective rank, alignment, uniformity and CKA."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cinealign.distance.distances import Vectors, as_pair, as_vectors, check_chunk_size, similarity_chunks
from cinealign.errors import ConfigError, DataError
from cinealign.experts import collapse

WORST_HUBS = 10


def k_occurrence(query: Vectors, gallery: Vectors, k: int = 10, *, chunk_size: int = 1024) -> NDArray[np.int64]:
    """How often each gallery item is among the k most similar of a query: (G,) int64, their sum is Q * k.

    Equal similarities at the k-th place are cut by position. Needs O(chunk_size * G) memory.

    Args:
        query, gallery: (Q, D) and (G, D) vectors, used as they are.
        k: neighbours of a query, in [1, G].
        chunk_size: queries worked on at a time.
    Raises:
        DataError: vectors that are not finite or do not fit each other.
        ConfigError: `k` or `chunk_size` is out of range.
    Source:
        Radovanovic, Nanopoulos and Ivanovic, "Hubs in space" (JMLR 2010).
    """
    queries, items = as_vectors(query, "query vectors"), as_vectors(gallery, "gallery vectors")
    if queries.shape[1] != items.shape[1]:
        raise DataError(
            f"query vectors have {queries.shape[1]} columns, the gallery's have {items.shape[1]}; they must agree"
        )
    if not 1 <= k <= len(items):
        raise ConfigError(f"k must be in [1, {len(items)}], got {k}")
    counts = torch.zeros(len(items), dtype=torch.int64)
    for _, products in similarity_chunks(queries, items, chunk_size):
        counts += torch.bincount(products.topk(k, dim=1, sorted=False).indices.ravel(), minlength=len(items))
    found: NDArray[np.int64] = counts.numpy()
    return found


def hubness(query: Vectors, gallery: Vectors, k: int = 10, *, chunk_size: int = 1024) -> dict[str, Any]:
    """How unevenly the gallery is found: a few hubs near everything and orphans near nothing.

    Args:
        query, gallery, k, chunk_size: as in `k_occurrence`.
    Returns:
        `k`; `skewness` of the k-occurrence (third standardised moment; 0 where every item is found equally often);
        `orphans`, the share of the gallery that no query finds; `hubs`, the ten items
        found most often as `{"row", "count"}`, worst first.
    Raises:
        DataError: vectors that are not finite or do not fit each other.
        ConfigError: `k` or `chunk_size` is out of range.
    Source:
        Radovanovic et al., "Hubs in space" (JMLR 2010).
    """
    counts = k_occurrence(query, gallery, k, chunk_size=chunk_size)
    centred = counts - counts.mean()
    spread = float(np.sqrt((centred**2).mean()))
    worst = np.argsort(-counts, kind="stable")[:WORST_HUBS]
    return {
        "k": k,
        "skewness": float((centred**3).mean()) / spread**3 if spread > 0 else 0.0,
        "orphans": float((counts == 0).mean()),
        "hubs": [{"row": int(row), "count": int(counts[row])} for row in worst],
    }


def modality_gap(poster: Vectors, intro: Vectors) -> float:
    """Euclidean length between the mean poster vector and the mean intro vector; in [0, 2] for unit rows.

    Raises:
        DataError: vectors that are not finite or do not fit each other.
    Source:
        Liang et al., "Mind the gap" (arXiv 2203.02053).
    """
    poster, intro = as_pair(poster, intro)
    return float((poster.double().mean(dim=0) - intro.double().mean(dim=0)).norm())


def effective_rank(vectors: Vectors) -> float:
    """exp of the entropy of the centred rows' normalised singular values; in [1, D], 0.0 where all rows are equal.

    Args:
        vectors: (N, D) of one side.
    Raises:
        DataError: a value is not finite.
    Source:
        Roy and Vetterli, "The effective rank" (EUSIPCO 2007); centring is ours: a common offset is no dimension.
    """
    return collapse.effective_rank(as_vectors(vectors, "vectors"))


def alignment(poster: Vectors, intro: Vectors) -> float:
    """Mean squared Euclidean distance of partners: lower is closer; in [0, 4] for unit rows.

    Raises:
        DataError: vectors that are not finite or do not fit each other.
    Source:
        Wang and Isola (arXiv 2005.10242), alignment loss with alpha = 2.
    """
    poster, intro = as_pair(poster, intro)
    return float((poster.double() - intro.double()).square().sum(dim=1).mean())


def uniformity(vectors: Vectors, *, chunk_size: int = 1024) -> float:
    """log of the mean of exp(-2 |x - y|^2) over pairs of different rows: lower is more evenly spread.

    In [-8, 0] for unit rows; 0 where all rows are equal.
    Takes O(N^2) time and O(chunk_size * N) memory.

    Args:
        vectors: (N, D) of one side, N at least 2.
        chunk_size: rows worked on at a time.
    Raises:
        DataError: a value is not finite, or there are fewer than two rows.
        ConfigError: `chunk_size` is below 1.
    Source:
        Wang and Isola (arXiv 2005.10242), uniformity loss with t = 2.
    """
    check_chunk_size(chunk_size)
    rows = as_vectors(vectors, "vectors").double()
    if len(rows) < 2:
        raise DataError("uniformity needs two vectors at least, got 1")
    squares = rows.square().sum(dim=1)
    total = 0.0
    for start in range(0, len(rows), chunk_size):
        part = slice(start, start + chunk_size)
        apart = squares[part, None] + squares - 2 * rows[part] @ rows.T  # (chunk, N)
        kernel = apart.clamp_(min=0).mul_(-2).exp_()
        kernel.diagonal(offset=start).zero_()  # a row with itself is no pair
        total += float(kernel.sum())
    return float(np.log(total / (len(rows) * (len(rows) - 1)))) if total > 0 else -np.inf


def linear_cka(poster: Vectors, intro: Vectors) -> float:
    """Linear centred kernel alignment: how alike the two sides arrange the movies; in [0, 1], 0.0 for a collapsed side.

    It does not change when a side is turned, mirrored or scaled, so it also compares vectors of different length.

    Args:
        poster, intro: (N, D1) and (N, D2), row i is movie i.
    Raises:
        DataError: a value is not finite, or another number of rows on the two sides.
    Source:
        Kornblith et al., "Similarity of neural network representations revisited" (arXiv 1905.00414), section 3.
    """
    first, second = (
        as_vectors(side, f"{name} vectors").double() for side, name in ((poster, "poster"), (intro, "intro"))
    )
    if len(first) != len(second):
        raise DataError(f"CKA needs both sides of the same items, got {len(first)} posters and {len(second)} intros")
    first, second = first - first.mean(dim=0), second - second.mean(dim=0)
    scale = float((first.T @ first).norm() * (second.T @ second).norm())
    return float((second.T @ first).square().sum()) / scale if scale > 0 else 0.0


def geometry(poster: Vectors, intro: Vectors, *, k: int = 10, chunk_size: int = 1024) -> dict[str, Any]:
    """Every measure of this file for one pair of sides, as plain numbers for JSON.

    Args:
        poster, intro: (N, D) vectors, row i is movie i, two rows at least.
        k: neighbours for hubness; at most N is used.
        chunk_size: rows worked on at a time.
    Returns:
        `hubness` by direction, `modality_gap`, `effective_rank` and `uniformity` by side, `alignment`, `linear_cka`.
    Raises:
        DataError: vectors that cannot be used.
        ConfigError: `k` or `chunk_size` is out of range.
    """
    poster, intro = as_pair(poster, intro)
    near = min(k, len(poster))
    return {
        "hubness": {
            "poster_to_intro": hubness(poster, intro, near, chunk_size=chunk_size),
            "intro_to_poster": hubness(intro, poster, near, chunk_size=chunk_size),
        },
        "modality_gap": modality_gap(poster, intro),
        "effective_rank": {"poster": effective_rank(poster), "intro": effective_rank(intro)},
        "uniformity": {
            side: uniformity(v, chunk_size=chunk_size) for side, v in (("poster", poster), ("intro", intro))
        },
        "alignment": alignment(poster, intro),
        "linear_cka": linear_cka(poster, intro),
    }
