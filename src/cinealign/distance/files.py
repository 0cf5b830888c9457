"""D on disk: read from any common file without opening a pickle; written by chunks, whole or not at all."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cinealign.distance.arrays import read_mat, read_npy, read_npz, read_pt, read_safetensors
from cinealign.distance.distances import (
    CHUNK_ROWS,
    Vectors,
    as_distances,
    as_pair,
    distance_chunks,
    refuse_minus_infinity,
    refuse_nan,
)
from cinealign.distance.labels import LabelledMatrix, ordered
from cinealign.distance.options import DistanceOptions
from cinealign.distance.tables import read_feather, read_parquet, read_text_table
from cinealign.errors import DataError
from cinealign.out import whole_file
from cinealign.progress import say

ANNOUNCED_BYTES = 200_000_000
"""A file above this size is announced before it is written."""

Rows = Iterator[tuple[int, NDArray[np.float32]]]


READERS: dict[str, Callable[[Path], LabelledMatrix]] = {
    ".npy": read_npy,
    ".npz": read_npz,
    ".csv": read_text_table,
    ".tsv": read_text_table,
    ".txt": read_text_table,
    ".parquet": read_parquet,
    ".feather": read_feather,
    ".safetensors": read_safetensors,
    ".pt": read_pt,
    ".pth": read_pt,
    ".mat": read_mat,
}
"""How a foreign D is read, by the suffix of its file."""


def load_distances(
    path: str | os.PathLike[str], *, ids: ArrayLike | None = None, allow_nan: bool = False
) -> NDArray[Any]:
    """The distance matrix of a file, checked: square, real numbers, no NaN, in one order. Pickles stay closed.

    .npy is mapped, not read, so a matrix larger than memory can be scored. Of several arrays in a file the one called D is
    it. Labels of rows and columns are read where a file has them (header line, index column, an array called ids ...),
    and the matrix is put into the order of `ids` by them; see `distance.labels`.

    Args:
        path: the file; its suffix, one of `READERS`, says what it is.
        ids: (N,) ids of the catalogue in row order, which labels must be; None where there is no catalogue.
        allow_nan: hand NaN and -inf over instead of refusing them, for an audit that wants to report them.
    Returns:
        (N, N) array: the type of the file for arrays, float64 for text. Read-only for .npy.
    Raises:
        DataError: no such file, another suffix, damaged, pickled, not square, not numeric, NaN or -inf, or labels that are
            not those of the catalogue or contradict each other.
    """
    path = Path(path)
    if path.suffix.lower() not in READERS:
        raise DataError(f"{path.name}: D must be a .npy, .npz or .csv file (or {', '.join(list(READERS)[3:])})")
    if not path.is_file():
        raise DataError(f"{path}: no such file; give the file that holds D")
    matrix = READERS[path.suffix.lower()](path)
    values = as_distances(matrix.values, path.name)
    known = None if ids is None else np.asarray(ids, dtype=np.int64)
    if known is not None and len(known) != len(values):
        raise DataError(
            f"{path} has {len(values)} rows but the data have {len(known)} items; are they of one data set?"
        )
    D = ordered(replace(matrix, values=values), path.name, known)
    for start in range(0, 0 if allow_nan else len(D), CHUNK_ROWS):
        block = np.asarray(D[start : start + CHUNK_ROWS])
        refuse_nan(block, start, path.name)
        refuse_minus_infinity(block, start, path.name)
    return D


def save_distances(
    path: str | os.PathLike[str],
    poster: Vectors,
    intro: Vectors,
    kind: str | DistanceOptions = "cosine",
    *,
    coordinates: bool = False,
    **options: Any,
) -> None:
    """Write D of these vectors by chunks, in memory O(N); the file appears under its name only when it is whole.

    A size above 200 MB is announced on stderr. Values are float32; .csv gives nine digits, which bring each one back.

    Args:
        path: .npy, .npz (one array, D, not compressed) or .csv; a file that is there is replaced.
        poster, intro: (N, D) vectors, row i is movie i; used as they are.
        kind: a name in `DISTANCES`, or checked options, as a recipe has them.
        coordinates: whether the vectors are those of a run; see `distance_chunks`.
        **options: settings of that kind.
    Raises:
        DataError: another suffix, no such folder, or vectors that do not fit.
        ConfigError: unknown kind or option.
    """
    path = Path(path)
    writers: dict[str, Callable[[IO[bytes], int, Rows], None]] = {
        ".npy": _write_npy,
        ".npz": _write_npz,
        ".csv": _write_csv,
    }
    if path.suffix.lower() not in writers:
        raise DataError(f"{path.name}: D can be saved as .npy, .npz or .csv; choose one of these")
    if not path.parent.is_dir():
        raise DataError(f"{path.parent}: no such folder; make it first")
    n = len(as_pair(poster, intro)[0])
    size = n * n * (12 if path.suffix.lower() == ".csv" else 4)
    if size > ANNOUNCED_BYTES:
        say(f"writing {path.name}: {n} x {n} distances, about {size / 1e9:.1f} GB")
    rows = distance_chunks(poster, intro, kind, coordinates=coordinates, **options)
    with whole_file(path) as beside, beside.open("wb") as file:
        writers[path.suffix.lower()](file, n, rows)


def _write_npy(file: IO[bytes], n: int, rows: Rows) -> None:
    header = {"descr": np.lib.format.dtype_to_descr(np.dtype(np.float32)), "fortran_order": False, "shape": (n, n)}
    np.lib.format.write_array_header_1_0(file, header)
    for _, block in rows:
        file.write(np.ascontiguousarray(block).data)


def _write_npz(file: IO[bytes], n: int, rows: Rows) -> None:
    with (
        zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive,
        archive.open("D.npy", "w", force_zip64=True) as entry,
    ):
        _write_npy(entry, n, rows)


def _write_csv(file: IO[bytes], n: int, rows: Rows) -> None:
    for _, block in rows:
        for row in block.tolist():  # "%" formats floats in half the time of format()
            file.write((",".join(["%.9g" % value for value in row]) + "\n").encode())  # noqa: UP031
