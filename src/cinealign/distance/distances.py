"""From vectors to distances: the kinds a recipe can choose, the matrix D by chunks, and D on disk.

`D[i, j]` is the distance of poster i and intro j, lower is better. Everything here reads the vectors as they are given:
it never normalises them again, so a bias coordinate that a hub correction has added survives.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cinealign.arguments import as_whole
from cinealign.distance.options import DistanceOptions
from cinealign.distance.registry import DISTANCES as DISTANCES
from cinealign.errors import ConfigError, DataError

if TYPE_CHECKING:
    import torch

CHUNK_ROWS = 1024
"""Rows of D computed at a time when the caller names no other number."""

Vectors: TypeAlias = "torch.Tensor | NDArray[Any]"
"""(N, D) vectors of one side, torch or numpy; read as float32 on the CPU."""


def as_vectors(vectors: Vectors, what: str, *, width: int | None = None, none: bool = False) -> torch.Tensor:
    """`vectors` as a finite (N, D) float32 tensor on the CPU, without a copy where that is possible.

    Args:
        vectors: (N, D) real numbers, N and D at least 1; not normalised here.
        what: what they are, for messages: "poster vectors".
        width: D, where it is known.
        none: allow N = 0.
    Raises:
        DataError: another shape or type, or a value that is not finite.
    """
    import torch

    if isinstance(vectors, np.ndarray) and min(vectors.strides, default=0) < 0:
        vectors = vectors.copy()  # PyTorch takes no reversed rows
    try:
        tensor = torch.as_tensor(vectors).detach()
    except (TypeError, ValueError, RuntimeError):
        raise DataError(f"{what} must be numbers (N, D), got {type(vectors).__name__}; give an array") from None
    if tensor.ndim != 2 or 0 in tensor.shape[none:] or tensor.is_complex():
        shape = " x ".join(str(size) for size in tensor.shape)
        raise DataError(
            f"{what} must be real numbers (N, D), one row an item; got {shape or 'one number'}, {tensor.dtype}"
        )
    if width is not None and tensor.shape[1] != width:
        raise DataError(f"{what} must have {width} columns as those of the model, got {tensor.shape[1]}")
    tensor = tensor.to(device="cpu", dtype=torch.float32)
    for row in torch.nonzero(~torch.isfinite(tensor.sum(dim=1))).ravel().tolist():  # NaN and infinity survive a sum
        if bool(torch.isfinite(tensor[row]).all()):
            continue  # only the sum overflowed
        raise DataError(f"{what} row {row} has NaN or infinite values; mend the model that made them")
    return tensor


def as_pair(poster: Vectors, intro: Vectors) -> tuple[torch.Tensor, torch.Tensor]:
    """Both sides checked by `as_vectors`, with as many rows and columns on the one as on the other.

    Raises:
        DataError: a side is not usable, or the two do not fit each other.
    """
    poster, intro = as_vectors(poster, "poster vectors"), as_vectors(intro, "intro vectors")
    if poster.shape != intro.shape:
        sizes = " and ".join(" x ".join(str(size) for size in side.shape) for side in (poster, intro))
        raise DataError(f"poster and intro vectors must have one shape, row i being item i on both; got {sizes}")
    return poster, intro


def check_chunk_size(chunk_size: int) -> None:
    """Refuse a chunk without rows.

    Raises:
        ConfigError: `chunk_size` is no whole number, or below 1.
    """
    as_whole(chunk_size, "chunk_size", 1)


def similarity_chunks(
    query: torch.Tensor, gallery: torch.Tensor, chunk_size: int = CHUNK_ROWS
) -> Iterator[tuple[int, torch.Tensor]]:
    """Inner products of a few queries at a time with the whole gallery: memory O(chunk_size * G).

    Another chunk size can change a product in its last bits, as the matrix product sums in another order.

    Args:
        query, gallery: (Q, D) and (G, D) float32.
        chunk_size: queries a chunk; the last chunk can be smaller.
    Yields:
        First row of the chunk and the products (rows of the chunk, G) float32.
    Raises:
        ConfigError: `chunk_size` is below 1.
    """
    check_chunk_size(chunk_size)
    for start in range(0, len(query), chunk_size):
        yield start, query[start : start + chunk_size] @ gallery.T


def distance_chunks(
    poster: Vectors,
    intro: Vectors,
    kind: str | DistanceOptions = "cosine",
    *,
    chunk_size: int = CHUNK_ROWS,
    coordinates: bool = False,
    **options: Any,
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Rows of D, a few posters at a time: memory O(chunk_size * N).

    Args:
        poster, intro: (N, D) vectors, row i is movie i; used as they are.
        kind: a name in `DISTANCES`, or checked options, as a recipe has them.
        chunk_size: rows of D a chunk.
        coordinates: whether the vectors are what the distance has made of a model's vectors, as those of a run are.
        **options: settings of that kind.
    Yields:
        First row of the chunk and its distances (rows of the chunk, N).
    Raises:
        DataError: the vectors are not finite or do not fit each other.
        ConfigError: unknown kind or option, a kind that has to be fitted, or `chunk_size` is below 1.
    """
    spec = kind if isinstance(kind, DistanceOptions) else {"distance": kind, **options}
    distance = DISTANCES.make(DISTANCES.parse(spec, "distance"))
    if distance.fitted and not coordinates:
        raise ConfigError(
            f"distance {distance.options.distance!r} is learned from train pairs; "
            "name it in a recipe and take the run's vectors"
        )
    check_chunk_size(chunk_size)
    poster, intro = as_pair(poster, intro)
    for start in range(0, len(poster), chunk_size):
        part = poster[start : start + chunk_size]
        yield start, (distance.from_products(part @ intro.T) if coordinates else distance.block(part, intro)).numpy()


def distance_matrix(
    poster: Vectors, intro: Vectors, kind: str | DistanceOptions = "cosine", **options: Any
) -> NDArray[np.float32]:
    """The whole N x N matrix D; for cosine `1 - poster @ intro.T` of the vectors as they are, not normalised again.

    Needs 4 * N * N bytes: 35 MB for 2,938 movies, 160 GB for 200,000. Ranks do not need it (`evaluation.ranks`).

    Args:
        poster, intro: (N, D) vectors, row i is movie i; read as float32.
        kind: a name in `DISTANCES`, or checked options, as a recipe has them.
        **options: settings of that kind.
    Returns:
        (N, N) float32, `D[i, j]` the distance of poster i and intro j.
    Raises:
        DataError: the vectors are not finite or do not fit each other.
        ConfigError: unknown kind or option.
    """
    D = np.empty((len(poster), len(poster)), dtype=np.float32)
    for start, block in distance_chunks(poster, intro, kind, **options):
        D[start : start + len(block)] = block
    return D


def as_distances(D: ArrayLike | torch.Tensor, what: str = "D") -> NDArray[Any]:
    """`D` as a square numpy array of real numbers, without a copy where that is possible; NaN is not looked for here.

    Raises:
        DataError: not square, empty, or not real numbers.
    """
    import torch

    if isinstance(D, torch.Tensor):
        D = D.detach().cpu()
        D = (D.float() if D.dtype == torch.bfloat16 else D).numpy()
    try:
        array = np.asanyarray(D)
    except ValueError:
        raise DataError(
            f"{what} has rows of different lengths; D must be square, posters down and intros across"
        ) from None
    if array.dtype.kind not in "fiu":
        raise DataError(f"{what} must hold real numbers, got {array.dtype}; save plain floats")
    if array.ndim != 2 or array.shape[0] != array.shape[1] or array.size == 0:
        shape = " x ".join(str(size) for size in array.shape)
        raise DataError(f"{what} must be square, posters down and intros across; got {shape or 'one number'}")
    return array


def refuse_nan(block: NDArray[Any], first_row: int, what: str = "D") -> None:
    """Raise where rows of D hold NaN, which compares false with everything and would count as near.

    Args:
        block: (B, N) rows of D.
        first_row: row of D that `block` starts with, for the message.
        what: what the matrix is, for the message.
    Raises:
        DataError: naming the first NaN.
    """
    if block.dtype.kind == "f":
        bad = np.isnan(block)
        if bad.any():
            row, column = (int(part) for part in np.argwhere(bad)[0])
            raise DataError(f"{what} row {first_row + row}, column {column} is NaN; distances must be numbers")


def refuse_minus_infinity(block: NDArray[Any], first_row: int, what: str = "D") -> None:
    """Raise where rows of D hold -inf: no distance is below every number, and such an entry would always be nearest.

    Args:
        block, first_row, what: as for `refuse_nan`.
    Raises:
        DataError: naming the first one.
    """
    if block.dtype.kind == "f" and block.size and np.isneginf(block.min()):
        row, column = (int(part) for part in np.argwhere(np.isneginf(block))[0])
        raise DataError(f"{what} row {first_row + row}, column {column} is -inf, which no distance is; compute D again")
