"""D and its labels out of files that hold arrays: .npy, .npz, .safetensors, .pt, .mat. Pickles stay closed."""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cinealign.distance.labels import LabelledMatrix, as_labels
from cinealign.distance.matlab import read_matlab
from cinealign.errors import DataError
from cinealign.progress import say

ROW_NAMES = ("rows", "row", "index", "row_ids", "row_labels", "poster_ids", "posters", "poster")
COLUMN_NAMES = ("columns", "column", "cols", "col", "column_ids", "column_labels", "intro_ids", "intros", "intro")
BOTH_NAMES = ("ids", "id", "labels", "names", "movie_ids", "movieids", "item_ids", "items", "movies", "keys")
"""What an array of N labels is called, in any case."""
_SIMILARITY = re.compile(r"sim(s|ilarit(y|ies))?$|^sim|scores?$|logits?$|affinit", re.IGNORECASE)


def unreadable(path: Path, error: Exception) -> DataError:
    """What a damaged or closed file is refused with: one line, whatever the reader raised."""
    said = " ".join(str(error).split())[:200] or type(error).__name__
    if any(word in said for word in ("pickle", "Object arrays", "Python objects", "weights_only", "Weights only")):
        return DataError(f"{path.name} is a pickle or holds Python objects, which are not opened; save a plain array")
    return DataError(f"{path.name} cannot be read as {path.suffix} ({said}); save D again")


def read(path: Path, reader: Callable[[Path], Any]) -> Any:
    """What `reader` makes of `path`.

    Raises:
        DataError: whatever it raises. A damaged file makes zlib, zipfile, struct, tokenize and others raise errors of
            their own, and a header that claims an absurd shape runs out of memory.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # other libraries' words on the user's screen
            return reader(path)
    except DataError:
        raise
    except Exception as error:
        raise unreadable(path, error) from None


def read_npy(path: Path) -> LabelledMatrix:
    """The one array of a .npy, mapped."""
    return LabelledMatrix(read(path, lambda file: np.load(file, mmap_mode="r", allow_pickle=False)))


def read_npz(path: Path) -> LabelledMatrix:
    """D and labels of a .npz."""
    return pick(read(path, _npz_arrays), path.name)


def read_safetensors(path: Path) -> LabelledMatrix:
    """D and labels of a .safetensors."""
    from safetensors.torch import load_file

    return pick(_as_arrays(read(path, load_file)), path.name)


def read_pt(path: Path) -> LabelledMatrix:
    """D and labels of what `torch.save` wrote: a tensor or a dictionary of such, opened with `weights_only`."""
    return pick(arrays_of_pt(path), path.name)


def arrays_of_pt(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of what `torch.save` wrote; a bare tensor is called D. Opened with `weights_only`, so no code runs."""
    import torch

    found = read(path, lambda file: torch.load(file, map_location="cpu", weights_only=True))
    return _as_arrays(found if isinstance(found, Mapping) else {"D": found})


def read_mat(path: Path) -> LabelledMatrix:
    """D and labels of a .mat up to version 7."""
    arrays = read(path, read_matlab)
    return pick({name: _flat(array) for name, array in arrays.items()}, path.name)


def pick(arrays: Mapping[str, NDArray[Any]], what: str) -> LabelledMatrix:
    """The matrix among named arrays, and the labels that stand beside it.

    The matrix is the one called D, or the only one of two dimensions. An array of N entries that has a name of labels is
    taken for labels; any other is left aside, and said.

    Raises:
        DataError: no matrix, or several of which none is called D.
    """
    tables = [name for name, array in arrays.items() if array.ndim == 2]
    named = [name for name in arrays if name == "D"] or [name for name in tables if name in ("d", "distances")]
    chosen = named or tables or list(arrays)
    if len(chosen) != 1:
        raise DataError(f"{what} holds {', '.join(arrays) or 'nothing'}; give one array, or call it D")
    name, values = chosen[0], arrays[chosen[0]]
    if _SIMILARITY.search(name):
        say(f"{what}: array {name!r} is read as distances, lower is nearer; where higher is nearer, save 1 - {name}")
    sides: dict[str, Any] = {"rows": None, "columns": None}
    if values.ndim == 2:
        for label, array in arrays.items():
            if array.ndim != 1 or len(array) != len(values) or label == name:
                continue
            plain = label.lower()
            for side, names in (("rows", ROW_NAMES), ("columns", COLUMN_NAMES)):
                if plain in names or (plain in BOTH_NAMES and sides[side] is None):
                    sides[side] = as_labels(array.tolist())
            if plain not in (*ROW_NAMES, *COLUMN_NAMES, *BOTH_NAMES):
                say(f"{what}: array {label!r} is not used; call it ids where it names rows and columns")
    return LabelledMatrix(values, sides["rows"], sides["columns"], name)


def _npz_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of an archive; each must be as long as its header says before room is made for it."""
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            if not entry.filename.endswith(".npy"):
                continue
            with archive.open(entry) as file:
                version = np.lib.format.read_magic(file)
                header = (
                    np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
                )
                shape, _, kind = header(file)
                claimed = int(np.prod([int(size) for size in shape], dtype=object)) * kind.itemsize
                if kind.kind != "O" and claimed != entry.file_size - file.tell():
                    raise DataError(f"{path.name} is damaged: {entry.filename} is not as long as it says; save D again")
    with np.load(path, allow_pickle=False) as loaded:
        names = [name for name in loaded.files if loaded[name].ndim <= 2]
        return {name: loaded[name] for name in names}


def _as_arrays(tensors: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """Tensors, and lists of labels, as arrays; bfloat16 becomes float32."""
    import torch

    found: dict[str, NDArray[Any]] = {}
    for name, value in tensors.items():
        if isinstance(value, torch.Tensor):
            value = value.detach().cpu()
            found[str(name)] = (value.float() if value.dtype == torch.bfloat16 else value).numpy()
        elif isinstance(value, list | tuple) and all(isinstance(item, int | float | str) for item in value):
            found[str(name)] = np.asarray(value)
    return found


def _flat(array: NDArray[Any]) -> NDArray[Any]:
    """MATLAB has no vectors: a matrix of one row or column is one."""
    return array.ravel() if array.ndim == 2 and 1 in array.shape and array.size > 1 else array
