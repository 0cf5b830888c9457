"""Vectors of both sides in place of D: two files, or one file with an array for each side."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cinealign.distance.arrays import read
from cinealign.distance.distances import distance_matrix
from cinealign.errors import DataError

SIDES = {
    "poster": re.compile(r"poster|image|img|visual|vision|海报|图", re.IGNORECASE),
    "intro": re.compile(r"intro|text|txt|plot|简介|文本", re.IGNORECASE),
}
_NO_VECTORS = re.compile(r"name|id|label|logit|sim|dist", re.IGNORECASE)


def two_files(files: Sequence[Path]) -> tuple[Path, Path] | None:
    """The files of posters and intros where exactly one .npy each is called so."""
    found = []
    for side, pattern in SIDES.items():
        other = SIDES["intro" if side == "poster" else "poster"]
        named = [
            path
            for path in files
            if path.suffix.lower() == ".npy"
            and pattern.search(path.stem)
            and not other.search(path.stem)
            and not _NO_VECTORS.search(path.stem)
        ]
        if len(named) != 1:
            return None
        found.append(named[0])
    return found[0], found[1]


def holds_vectors(path: Path) -> bool:
    """Whether the names of the arrays in an archive (.npz, .safetensors) are those of two sides, and none is D."""
    suffix = path.suffix.lower()
    if suffix not in (".npz", ".safetensors"):
        return False
    try:
        if suffix == ".npz":
            with zipfile.ZipFile(path) as archive:
                names = [name.removesuffix(".npy") for name in archive.namelist()]
        else:
            from safetensors import safe_open

            with safe_open(path, "np") as archive:
                names = list(archive.keys())
    except Exception:  # damaged: its reader says so
        return False
    return "D" not in names and _sides(dict.fromkeys(names)) is not None


def distances_of(paths: tuple[Path, ...], items: int) -> NDArray[np.float32]:
    """(N, N) cosine distances of the vectors in one file or two.

    Args:
        paths: one archive, or the files of posters and of intros.
        items: N of the data.
    Raises:
        DataError: damaged, other shapes than (N, D) on both sides, or not finite.
    """
    sides = _archive(paths[0]) if len(paths) == 1 else tuple(_npy(path) for path in paths)
    what = " and ".join(path.name for path in paths)
    poster, intro = (np.asarray(side) for side in sides)
    if poster.ndim != 2 or poster.shape != intro.shape or len(poster) != items:
        raise DataError(
            f"{what}: vectors of shapes {poster.shape} and {intro.shape}; expected two of ({items}, D) with one D"
        )
    if poster.dtype.kind not in "fiu" or intro.dtype.kind not in "fiu":
        raise DataError(f"{what}: vectors must be real numbers, got {poster.dtype} and {intro.dtype}")
    return distance_matrix(_unit(poster.astype(np.float32), what), _unit(intro.astype(np.float32), what))


def _unit(side: NDArray[np.float32], what: str) -> NDArray[np.float32]:
    if not np.isfinite(side).all():
        raise DataError(f"{what}: vectors hold entries that are not finite")
    lengths = np.linalg.norm(side.astype(np.float64), axis=1, keepdims=True)
    if (lengths == 0).any():
        raise DataError(f"{what}: {int((lengths == 0).sum())} vectors are zero, so they have no cosine")
    unit: NDArray[np.float32] = (side / lengths).astype(np.float32)
    return unit


def _npy(path: Path) -> NDArray[Any]:
    array: NDArray[Any] = read(path, lambda file: np.load(file, mmap_mode="r", allow_pickle=False))
    return array


def _archive(path: Path) -> tuple[NDArray[Any], NDArray[Any]]:
    def arrays(file: Path) -> dict[str, NDArray[Any]]:
        if file.suffix.lower() == ".npz":
            with np.load(file, allow_pickle=False) as loaded:
                names = _sides(dict.fromkeys(loaded.files)) or ()
                return {name: loaded[name] for name in names}
        from safetensors.numpy import load_file

        return dict(load_file(file))

    found = read(path, arrays)
    names = _sides(found)
    assert names is not None  # `holds_vectors` has seen them
    return found[names[0]], found[names[1]]


def _sides(arrays: Mapping[str, Any]) -> tuple[str, str] | None:
    """Names of the arrays of posters and of intros where there is one each."""
    plain = [name for name in arrays if not _NO_VECTORS.search(name)]
    posters = [name for name in plain if SIDES["poster"].search(name) and not SIDES["intro"].search(name)]
    intros = [name for name in plain if SIDES["intro"].search(name) and not SIDES["poster"].search(name)]
    return (posters[0], intros[0]) if len(posters) == len(intros) == 1 else None
