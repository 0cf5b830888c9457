"""At which place of the gallery a query finds its own partner: from vectors by chunks, or from a given matrix D.

Ranks start at 1 and ties count against the model. The answer is defined in float64, so it is the same for any chunk
size and any order of the movies; float32 products only sort out the many cases that are clear.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from cinealign.arguments import as_whole
from cinealign.distance.distances import Vectors, as_distances, as_vectors, check_chunk_size, refuse_nan
from cinealign.errors import ConfigError, DataError
from cinealign.progress import progress

Ranks = NDArray[np.int64]
"""(Q,) ranks; the best is 1."""
Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Rows of queries and rows of the gallery, entry by entry."""

TIE = 1e-6
"""How much lower than the partner's a similarity may be and still count as equal."""
GALLERY_TILE = 2048
"""Gallery rows of one product: a tile of (chunk, 2048) float32 stays near the processor's caches. Below 65,536."""
PAIRS_AT_ONCE = 16_384
"""Pairs whose exact product is computed in one go."""
BLOCK_COLUMNS = 512
"""Columns of one float32 product; wider vectors are summed over such blocks in float64, so that the rounding to doubt (and
with it the number of pairs to compute again) does not grow with their width."""
DENSE = 1 / 32
"""Share of unclear products in a tile above which a float64 matrix product is cheaper than single pairs."""
SHOWN_PRODUCTS = 2_000_000_000
"""Q * G above which progress is shown."""


def retrieval_ranks(
    query: Vectors,
    gallery: Vectors,
    query_ids: ArrayLike,
    gallery_ids: ArrayLike,
    *,
    chunk_size: int = 1024,
    tie_tolerance: float = TIE,
) -> Ranks:
    """Rank of the best-placed positive for every query; ranks start at 1 and ties count against the model.

    With `own` the highest similarity of a positive, the rank is 1 + the number of gallery items that are no positives
    and reach own - tie_tolerance. Similarities are float64 inner products of the float32 vectors. They are
    computed in float32 first, and again in float64 only where float32's rounding, bounded by min(D, 512) * 2**-24 *
    |q| * |g|, could change the comparison; so chunk size and movie order do not matter. Needs O(chunk_size *
    min(G, 2048)) memory.

    Args:
        query, gallery: (Q, D) and (G, D) float32, rows L2-normalised and finite. Used as they are; with rows of another
            length the rank is that of the inner product.
        query_ids, gallery_ids: (Q,) and (G,) movie ids (integers or strings); an equal id makes a positive.
        chunk_size: queries worked on at a time.
        tie_tolerance: how much lower than the positive's a similarity may be and still count as equal, >= 0. What
            float64 cannot tell apart (about 1e-13 for unit rows) is always equal.
    Returns:
        (Q,) int64 ranks in [1, G].
    Raises:
        DataError: a vector is not finite (NaN compares false and would rank first), sizes do not fit, or a query has no
            positive.
        ConfigError: `chunk_size` or `tie_tolerance` is out of range.
    """
    check_chunk_size(chunk_size)
    _check_tolerance(tie_tolerance)
    queries, items = as_vectors(query, "query vectors"), as_vectors(gallery, "gallery vectors")
    if queries.shape[1] != items.shape[1]:
        raise DataError(
            f"query vectors have {queries.shape[1]} columns, the gallery's have {items.shape[1]}; they must agree"
        )
    positives = positive_pairs(query_ids, gallery_ids, len(queries), len(items))
    scale = queries.norm(dim=1).double() * items.norm(dim=1).max()  # (Q,) bounds sum |q_d g_d| of any pair
    own_of_pairs = pair_products(queries, items, positives)
    own = torch.full((len(queries),), -torch.inf, dtype=torch.float64)
    own.scatter_reduce_(0, torch.from_numpy(positives[0]), own_of_pairs, "amax")
    floor = rank_floors(own, scale, queries.shape[1], tie_tolerance)
    counts = np.zeros(len(queries), dtype=np.int64)
    tied_positives = (own_of_pairs >= floor[torch.from_numpy(positives[0])]).numpy()
    np.subtract.at(counts, positives[0][tied_positives], 1)  # positives are no rivals of each other
    shown = len(queries) * len(items) > SHOWN_PRODUCTS
    with full_precision(), progress("ranks", len(queries)) if shown else nullcontext() as bar:
        for start in range(0, len(queries), chunk_size):
            rows = slice(start, start + chunk_size)
            counts[rows] += as_near(queries[rows], items, floor[rows], scale[rows])
            if bar is not None:
                bar.advance(len(queries[rows]))
    return counts + 1


def ranks_from_distances(
    D: ArrayLike | torch.Tensor,
    dim: int = 1,
    *,
    ids: ArrayLike | None = None,
    rows: ArrayLike | None = None,
    chunk_size: int = 1024,
    tie_tolerance: float = 0.0,
) -> Ranks:
    """Rank of the best-placed positive for every query of a given D; ties count against the model.

    With `own` the smallest distance of a positive, the rank is 1 + the number of others at a distance <= own +
    tie_tolerance. Compares in the type of D. Reads D by rows, `chunk_size` at a time, so a mapped file can be larger
    than memory.

    Args:
        D: (N, N), `D[i, j]` is the distance of poster i and intro j; infinite is allowed, NaN is not.
        dim: 1 asks every poster for its intro, 0 every intro for its poster.
        ids: (N,) ids of the movies, when an equal id makes a positive; without it row i has the one positive i.
        rows: (M,) rows of D to which queries and gallery are both restricted, in this order; all without it.
        chunk_size: rows of D worked on at a time.
        tie_tolerance: how much farther than the positive an item may be and still count as equal, >= 0, in the unit of
            D. 0, exact ties only, as the scale of a given D is not known.
    Returns:
        (N,) int64 ranks in [1, N]; (M,) in [1, M] with `rows`.
    Raises:
        DataError: D is not square or not numeric, or NaN; ids or rows do not fit.
        ConfigError: `dim`, `chunk_size` or `tie_tolerance` is out of range.
    """
    check_chunk_size(chunk_size)
    _check_tolerance(tie_tolerance)
    if as_whole(dim, "dim") not in (0, 1):
        raise ConfigError(f"dim must be 1 (poster to intro) or 0 (intro to poster), got {dim}")
    matrix = as_distances(D)
    chosen = np.arange(len(matrix)) if rows is None else _as_rows(rows, len(matrix))
    n, places = len(chosen), np.arange(len(chosen))
    queries, items = places, places
    if ids is not None:
        kept = _as_ids(ids, len(matrix), "ids")[chosen]
        queries, items = positive_pairs(kept, kept, n, n)
    posters, intros = (queries, items) if dim == 1 else (items, queries)
    distances = np.asarray(matrix[chosen[posters], chosen[intros]])
    first = np.searchsorted(queries, places)  # pairs are sorted by query, and each query has one at least
    own = np.minimum.reduceat(distances, first)  # NaN stays NaN here and is refused below, where its place is known
    limit = own if tie_tolerance == 0 else own.astype(np.float64) + tie_tolerance  # (N,)
    counts = np.zeros(n, dtype=np.int64)
    np.subtract.at(counts, queries[distances <= limit[queries]], 1)
    for start in range(0, n, chunk_size):
        part = slice(start, start + chunk_size)
        # All rows of a mapped file are read in place; chosen ones are copied.
        block = np.asarray(matrix[part]) if rows is None else np.asarray(matrix[chosen[part]])[:, chosen]  # (chunk, n)
        refuse_nan(block, start, "D" if rows is None else "D of the chosen rows,")
        if dim == 1:
            counts[part] += np.count_nonzero(block <= limit[part, None], axis=1)
        else:
            counts += np.count_nonzero(block <= limit, axis=0)
    return counts + 1


def positive_pairs(query_ids: ArrayLike, gallery_ids: ArrayLike, queries: int, gallery: int) -> Pairs:
    """Every pair of a query and a gallery item with the same id, sorted by query.

    Args:
        query_ids, gallery_ids: (Q,) and (G,) ids, integers or strings.
        queries, gallery: how many there should be.
    Returns:
        Two int64 arrays of equal length: rows of queries, rows of the gallery.
    Raises:
        DataError: another number of ids, or a query without a positive.
    """
    wanted, offered = _as_ids(query_ids, queries, "query_ids"), _as_ids(gallery_ids, gallery, "gallery_ids")
    order = np.argsort(offered, kind="stable")
    left = np.searchsorted(offered, wanted, side="left", sorter=order)
    found = np.searchsorted(offered, wanted, side="right", sorter=order) - left  # (Q,) positives of each query
    if not found.all():
        row = int((found == 0).argmax())
        raise DataError(
            f"query row {row} (id {wanted[row]}) has no positive in the gallery; give both sides of each item"
        )
    rows = np.repeat(np.arange(queries), found)
    within = np.arange(len(rows)) - np.repeat(np.cumsum(found) - found, found)
    return rows, order[np.repeat(left, found) + within].astype(np.int64)


def _as_ids(ids: ArrayLike, count: int, what: str) -> NDArray[Any]:
    array = np.asarray(ids)
    if array.shape != (count,) or array.dtype.kind not in "iuU":
        raise DataError(f"{what} must be {count} integers or strings, one a row; got {array.dtype} {array.shape}")
    return array


def _as_rows(rows: ArrayLike, n: int) -> NDArray[np.int64]:
    array = np.asarray(rows)
    if array.ndim != 1 or array.size == 0 or array.dtype.kind not in "iu" or array.min() < 0 or array.max() >= n:
        raise DataError(f"rows must be row numbers below {n}, one at least; got {array.dtype} {array.shape}")
    return array.astype(np.int64)


def _check_tolerance(tie_tolerance: float) -> None:
    if not 0 <= tie_tolerance < np.inf:
        raise ConfigError(f"tie_tolerance must be >= 0 and finite, got {tie_tolerance}")


def rank_floors(own: torch.Tensor, scale: torch.Tensor, width: int, tie_tolerance: float = TIE) -> torch.Tensor:
    """(Q,) float64: an item whose product is at or above it is as near as the partner.

    Args:
        own: (Q,) float64 product of each query with its own partner.
        scale: (Q,) float64, length of each query times that of the longest item of the gallery.
        width: D.
        tie_tolerance: as in `retrieval_ranks`.
    """
    return own - tie_tolerance - 2 * width * 2.0**-53 * scale


def as_near(query: torch.Tensor, gallery: torch.Tensor, floor: torch.Tensor, scale: torch.Tensor) -> NDArray[np.int64]:
    """How many gallery items reach `floor` (float64, a query), positives included: (chunk,) int64.

    Counts of the parts of a gallery add up to those of the whole, so that it need not be in memory. Call it inside
    `full_precision`.
    """
    doubt = (
        min(query.shape[1], BLOCK_COLUMNS) * 2.0**-24 * 1.01 * scale + 1e-30
    )  # (chunk,) rounding of a float32 product, any summing order
    # The bounds are rounded outwards, so that a product beyond them is clear in float64 too.
    upper = np.nextafter((floor + doubt).float().numpy(), np.float32(np.inf))[:, None]
    lower = np.nextafter((floor - doubt).float().numpy(), np.float32(-np.inf))[:, None]
    counts = np.zeros(len(query), dtype=np.int64)
    mask = np.empty((len(query), min(GALLERY_TILE, len(gallery))), dtype=np.bool_)  # one buffer: fresh pages cost time
    for start in range(0, len(gallery), GALLERY_TILE):
        tile = gallery[start : start + GALLERY_TILE]
        products = _products(query, tile).numpy()  # (chunk, tile)
        within = mask[:, : len(tile)]
        # NumPy compares with a column in a third of the time that PyTorch takes.
        clear = _row_sums(np.greater(products, upper, out=within))  # (chunk,)
        possible = _row_sums(np.greater_equal(products, lower, out=within))
        counts += clear
        open_rows = np.flatnonzero(clear != possible)  # few: float32 settles most rows of a tile
        if not len(open_rows):
            continue
        kept = torch.from_numpy(open_rows)
        unclear = (products[open_rows] >= lower[open_rows]) & ~(products[open_rows] > upper[open_rows])
        if np.count_nonzero(unclear) > DENSE * unclear.size:
            exact = (query[kept].double() @ tile.double().T >= floor[kept, None]).numpy()
            counts[open_rows] += np.count_nonzero(exact & unclear, axis=1)
        else:
            rows, columns = np.nonzero(unclear)
            near = (pair_products(query, tile, (open_rows[rows], columns)) >= floor[kept[rows]]).numpy()
            counts[open_rows] += np.bincount(rows[near], minlength=len(open_rows))
    return counts


def _row_sums(mask: NDArray[np.bool_]) -> NDArray[np.uint16]:
    """(rows,) how many of each row of a (rows, at most 65,535) mask are set, in a fifth of count_nonzero's time."""
    sums: NDArray[np.uint16] = mask.view(np.uint8).sum(axis=1, dtype=np.uint16)
    return sums


def _products(query: torch.Tensor, tile: torch.Tensor) -> torch.Tensor:
    """(chunk, tile) inner products: float32, or float32 blocks of columns summed in float64 for wide vectors."""
    if query.shape[1] <= BLOCK_COLUMNS:
        return query @ tile.T
    products = torch.zeros(len(query), len(tile), dtype=torch.float64)
    for first in range(0, query.shape[1], BLOCK_COLUMNS):
        columns = slice(first, first + BLOCK_COLUMNS)
        products += query[:, columns] @ tile[:, columns].T
    return products


def pair_products(query: torch.Tensor, gallery: torch.Tensor, pairs: Pairs) -> torch.Tensor:
    """Float64 inner products of the float32 rows that `pairs` name: (P,) float64."""
    rows, columns = torch.from_numpy(pairs[0]), torch.from_numpy(pairs[1])
    products = torch.empty(len(rows), dtype=torch.float64)
    for start in range(0, len(rows), PAIRS_AT_ONCE):
        part = slice(start, start + PAIRS_AT_ONCE)
        products[part] = torch.einsum("pd,pd->p", query[rows[part]].double(), gallery[columns[part]].double())
    return products


@contextmanager
def full_precision() -> Iterator[None]:
    """Inside, float32 products are computed in float32: bfloat16 passes would break the bound on their rounding."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
