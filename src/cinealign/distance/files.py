"""D on disk: .npy, .npz and .csv, read without pickle and written by chunks, whole or not at all."""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from cinealign.distance.distances import CHUNK_ROWS, Vectors, as_distances, as_pair, distance_chunks, refuse_nan
from cinealign.errors import DataError
from cinealign.progress import say

ANNOUNCED_BYTES = 200_000_000
"""A file above this size is announced before it is written."""

Rows = Iterator[tuple[int, NDArray[np.float32]]]


def load_distances(path: str | os.PathLike[str], *, allow_nan: bool = False) -> NDArray[Any]:
    """The distance matrix of a .npy, .npz or .csv file, checked: square, real numbers, no NaN. Pickles stay closed.

    .npy is mapped, not read, so a matrix larger than memory can be scored. .npz holds one array, or one called D. .csv
    holds plain numbers, a line a poster; what `DataFrame.to_csv()` writes (a header line and an index column, with the
    corner empty) is understood too.

    Args:
        path: the file; its suffix says what it is.
        allow_nan: hand NaN over instead of refusing it, for an audit that wants to report it.
    Returns:
        (N, N) array: the type of the file for .npy and .npz, float64 for .csv. Read-only for .npy.
    Raises:
        DataError: no such file, another suffix, damaged, pickled, not square, not numeric or NaN.
    """
    path = Path(path)
    readers: dict[str, Callable[[Path], Any]] = {".npy": _read_npy, ".npz": _read_npz, ".csv": _read_csv}
    if path.suffix.lower() not in readers:
        raise DataError(f"{path.name}: D must be a .npy, .npz or .csv file; save it as one of these")
    if not path.is_file():
        raise DataError(f"{path}: no such file; give the file that holds D")
    D = as_distances(readers[path.suffix.lower()](path), path.name)
    for start in range(0, 0 if allow_nan else len(D), CHUNK_ROWS):
        refuse_nan(np.asarray(D[start : start + CHUNK_ROWS]), start, path.name)
    return D


def save_distances(
    path: str | os.PathLike[str],
    poster: Vectors,
    intro: Vectors,
    kind: str = "cosine",
    *,
    coordinates: bool = False,
    **options: Any,
) -> None:
    """Write D of these vectors by chunks, in memory O(N); the file appears under its name only when it is whole.

    A size above 200 MB is announced on stderr. Values are float32; .csv gives nine digits, which bring each one back.

    Args:
        path: .npy, .npz (one array, D, not compressed) or .csv; a file that is there is replaced.
        poster, intro: (N, D) vectors, row i is movie i; used as they are.
        kind: a name in `DISTANCES`.
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
    handle, beside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            writers[path.suffix.lower()](
                file, n, distance_chunks(poster, intro, kind, coordinates=coordinates, **options)
            )
        Path(beside).chmod(0o666 & ~_umask())
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def _umask() -> int:
    """The process's file mode mask: temporary files are private, what we leave behind should not be."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _read_npy(path: Path) -> Any:
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise DataError(_refusal(path, error)) from None


def _read_npz(path: Path) -> Any:
    try:
        with np.load(path, allow_pickle=False) as archive:
            names = list(archive.files)
            if len(names) != 1 and "D" not in names:
                raise DataError(f"{path.name} holds {', '.join(names) or 'nothing'}; give one array, or call it D")
            return archive[names[0] if len(names) == 1 else "D"]
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, AttributeError) as error:
        raise DataError(_refusal(path, error)) from None


def _refusal(path: Path, error: Exception) -> str:
    if any(word in str(error) for word in ("pickle", "Object arrays", "Python objects")):
        return f"{path.name} is a pickle or holds Python objects, which are not opened; save a plain array of floats"
    return f"{path.name} cannot be read as {path.suffix} ({' '.join(str(error).split())}); save D again"


def _read_csv(path: Path) -> Any:
    import pandas as pd

    try:
        with path.open(encoding="utf-8") as file:
            framed = file.readline().lstrip("\ufeff").strip().startswith((",", '"",'))
        table = pd.read_csv(path, header=0 if framed else None, index_col=0 if framed else None, encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(f"{path.name} is not text in UTF-8; save D as comma-separated numbers") from None
    except (ValueError, OSError) as error:  # pandas' parser errors are ValueErrors
        raise DataError(_refusal(path, error)) from None
    for column, kind in enumerate(table.dtypes):
        if kind.kind not in "fiu":
            cells = pd.to_numeric(table.iloc[:, column], errors="coerce").isna()
            row = int(cells.to_numpy().argmax())
            cell = str(table.iloc[row, column])[:40]
            raise DataError(f"{path.name} row {row}, column {column} is not a number: {cell!r}; save plain distances")
    return table.to_numpy(dtype=np.float64)


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
