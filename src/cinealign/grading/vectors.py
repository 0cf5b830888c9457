"""Vectors of both sides in place of D: two files, or one file with an array for each side. Labels put them in order."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cinealign.distance.arrays import BOTH_NAMES, COLUMN_NAMES, ROW_NAMES, arrays_of_pt, read
from cinealign.distance.distances import distance_matrix
from cinealign.distance.labels import Label, as_labels, places_of
from cinealign.distance.tables import read_lines
from cinealign.errors import DataError

SIDES = {
    "poster": re.compile(r"poster|image|img|visual|vision|海报|图", re.IGNORECASE),
    "intro": re.compile(r"intro|text|txt|plot|简介|文本", re.IGNORECASE),
}
_NO_VECTORS = re.compile(r"name|id|label|logit|sim|dist", re.IGNORECASE)
_SUFFIXES = (".npy", ".pt", ".pth", ".csv", ".tsv")
"""Of a file of one side, the first that both sides have."""
_ARCHIVES = (".npz", ".safetensors", ".pt", ".pth")
_LABELS = {"poster": (*ROW_NAMES, *BOTH_NAMES), "intro": (*COLUMN_NAMES, *BOTH_NAMES)}
LARGEST_LOOK = 1_500_000_000
"""Bytes of a .pt beyond which its names are not looked at."""


@dataclass(frozen=True)
class Side:
    """Vectors of one side: (N, D) in the order of the file, and what the rows are called where the file says so."""

    values: NDArray[Any]
    labels: tuple[Label, ...] | None = None


def two_files(files: Sequence[Path]) -> tuple[Path, Path] | None:
    """The files of posters and intros where exactly one each of a suffix is called so."""
    for suffix in _SUFFIXES:
        found = [_named(side, [path for path in files if path.suffix.lower() == suffix]) for side in SIDES]
        if all(len(named) == 1 for named in found):
            return found[0][0], found[1][0]
    return None


def holds_vectors(path: Path) -> bool:
    """Whether the names of the arrays in an archive (.npz, .safetensors, .pt) are those of two sides, and none is D."""
    suffix = path.suffix.lower()
    if suffix not in _ARCHIVES:
        return False
    try:
        if suffix == ".npz":
            with zipfile.ZipFile(path) as archive:
                names = [name.removesuffix(".npy") for name in archive.namelist()]
        elif suffix == ".safetensors":
            from safetensors import safe_open

            with safe_open(path, "np") as archive:
                names = list(archive.keys())
        else:
            names = list(arrays_of_pt(path)) if path.stat().st_size <= LARGEST_LOOK else []
    except Exception:  # damaged, or a pickle: its reader says so
        return False
    return "D" not in names and _sides(dict.fromkeys(names)) is not None


def distances_of(
    paths: tuple[Path, ...], ids: Sequence[int] | NDArray[np.int64]
) -> tuple[NDArray[np.float32], list[str]]:
    """(N, N) cosine distances of the vectors in one file or two, and what a teacher should know of the vectors.

    A zero vector is at distance 1 from everything, as its inner product with everything is 0: that is what a model says
    of a poster on which it finds nothing.

    Args:
        paths: one archive, or the files of posters and of intros.
        ids: (N,) ids of the data in row order; labels of rows, where a side has them, put it in this order.
    Raises:
        DataError: damaged, pickled, other shapes than (N, D) on both sides, not finite, all zero, or labels that are not
            `ids`.
    """
    poster, intro = _archive(paths[0]) if len(paths) == 1 else (_file(paths[0]), _file(paths[1]))
    what = " and ".join(path.name for path in paths)
    shapes = poster.values.shape, intro.values.shape
    if poster.values.ndim != 2 or shapes[0] != shapes[1] or len(poster.values) != len(ids):
        raise DataError(
            f"{what}: vectors of shapes {shapes[0]} and {shapes[1]}; expected two of ({len(ids)}, D) with one D"
        )
    if poster.values.dtype.kind not in "fiu" or intro.values.dtype.kind not in "fiu":
        raise DataError(f"{what}: vectors must be real numbers, got {poster.values.dtype} and {intro.values.dtype}")
    sides = {"poster": _unit(poster, ids, what), "intro": _unit(intro, ids, what)}
    zeros = {name: int((~side.any(axis=1)).sum()) for name, side in sides.items()}
    remarks = [
        f"{what}: {count} of {len(ids)} {name} vectors are zero; each is as far from everything, and ties count against it"
        for name, count in zeros.items()
        if count
    ]
    return distance_matrix(sides["poster"], sides["intro"]), remarks


def _unit(side: Side, ids: Sequence[int] | NDArray[np.int64], what: str) -> NDArray[np.float32]:
    """(N, D) vectors of length 1, or zero, in the order of `ids`."""
    values = np.asarray(side.values, dtype=np.float32)
    if not np.isfinite(values).all():
        raise DataError(f"{what}: vectors hold entries that are not finite")
    lengths = np.linalg.norm(values.astype(np.float64), axis=1, keepdims=True)
    if not lengths.any():
        raise DataError(f"{what}: all vectors of a side are zero")
    unit: NDArray[np.float32] = (values / np.where(lengths == 0, 1, lengths)).astype(np.float32)
    return unit if side.labels is None else unit[places_of(side.labels, [int(one) for one in ids], "vectors", what)]


def _named(side: str, files: Sequence[Path]) -> list[Path]:
    other = SIDES["intro" if side == "poster" else "poster"]
    return [
        path
        for path in files
        if SIDES[side].search(path.stem) and not other.search(path.stem) and not _NO_VECTORS.search(path.stem)
    ]


def _file(path: Path) -> Side:
    suffix = path.suffix.lower()
    if suffix in (".csv", ".tsv"):
        found = read_lines(path)
        return Side(found.values, found.rows)
    if suffix == ".npy":
        return Side(read(path, lambda file: np.load(file, mmap_mode="r", allow_pickle=False)))
    arrays = arrays_of_pt(path)
    tables = [array for array in arrays.values() if array.ndim == 2]
    if len(tables) != 1:
        raise DataError(f"{path.name} holds {', '.join(arrays) or 'nothing'}; save the one tensor of this side")
    return Side(tables[0])


def _archive(path: Path) -> tuple[Side, Side]:
    if path.suffix.lower() == ".npz":
        arrays = read(path, _npz)
    elif path.suffix.lower() == ".safetensors":
        from safetensors.numpy import load_file

        arrays = read(path, lambda file: dict(load_file(file)))
    else:
        arrays = arrays_of_pt(path)
    names = _sides(arrays)
    assert names is not None  # `holds_vectors` has seen them
    sides = [
        Side(arrays[name], _labels(arrays, len(arrays[name]), _LABELS[side]))
        for side, name in zip(SIDES, names, strict=True)
    ]
    return sides[0], sides[1]


def _npz(path: Path) -> dict[str, NDArray[Any]]:
    with np.load(path, allow_pickle=False) as loaded:
        names = _sides(dict.fromkeys(loaded.files)) or ()
        labels = {*_LABELS["poster"], *_LABELS["intro"]}
        return {name: loaded[name] for name in loaded.files if name in names or name.lower() in labels}


def _labels(arrays: Mapping[str, NDArray[Any]], count: int, names: Sequence[str]) -> tuple[Label, ...] | None:
    """The labels of a side: an array of one dimension and as many entries that has a name of labels."""
    for name in names:
        for title, array in arrays.items():
            if title.lower() == name and array.ndim == 1 and len(array) == count:
                return as_labels(array.tolist())
    return None


def _sides(arrays: Mapping[str, Any]) -> tuple[str, str] | None:
    """Names of the arrays of posters and of intros where there is one each."""
    plain = [name for name in arrays if not _NO_VECTORS.search(name)]
    posters = [name for name in plain if SIDES["poster"].search(name) and not SIDES["intro"].search(name)]
    intros = [name for name in plain if SIDES["intro"].search(name) and not SIDES["poster"].search(name)]
    return (posters[0], intros[0]) if len(posters) == len(intros) == 1 else None
