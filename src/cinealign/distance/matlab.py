"""The numeric arrays of a MATLAB file of versions 5 to 7, read with every length checked.

A damaged .mat ends `scipy.io.loadmat` with a bus error in compiled code, which nothing can catch: hence a reader of our own
for the little that a matrix needs. Source: MathWorks, MAT-File Format (versions 5 and 7).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

HEADER = 128
MATRIX, COMPRESSED = 14, 15
COMPLEX = 0x08
STORED = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
"""How numbers are stored, by the type in an element's tag; a small whole number may be stored in fewer bytes than it has."""
CLASSES = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8"}
"""What an array is, by its class; others (cells, structures, text, objects) are left aside."""


def read_matlab(path: Path) -> dict[str, NDArray[Any]]:
    """The real numeric arrays of the file by name.

    Raises:
        ValueError: it is no such file, or damaged.
    """
    raw = path.read_bytes()
    if raw[:8] == b"\x89HDF\r\n\x1a\n" or raw[:10] == b"MATLAB 7.3":
        raise ValueError("version 7.3 is another format; save with -v7")
    if len(raw) < HEADER or raw[126:128] not in (b"IM", b"MI"):
        raise ValueError("it has no header of MATLAB 5 to 7")
    order = "<" if raw[126:128] == b"IM" else ">"
    arrays: dict[str, NDArray[Any]] = {}
    for kind, body in _elements(raw[HEADER:], order):
        if kind == COMPRESSED:
            inner = next(_elements(zlib.decompress(body), order), None)
            if inner is None:
                raise ValueError("a compressed part is empty")
            kind, body = inner
        if kind == MATRIX and (found := _matrix(body, order)) is not None:
            arrays[found[0]] = found[1]
    return arrays


def _elements(raw: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """Type and content of each element that lies in `raw` one behind the other."""
    at = 0
    while at + 8 <= len(raw):
        kind, size = (int(part) for part in np.frombuffer(raw, f"{order}u4", 2, at))
        if kind >> 16:  # at most four bytes stand in the tag itself
            kind, size, start, step = kind & 0xFFFF, kind >> 16, at + 4, 8
            if size > 4:
                raise ValueError("a small element is longer than it may be")
        else:
            start = at + 8
            step = 8 + (size if kind == COMPRESSED else -(-size // 8) * 8)
        if start + size > len(raw):
            raise ValueError("it ends before it should")
        yield kind, raw[start : start + size]
        at += step


def _matrix(raw: bytes, order: str) -> tuple[str, NDArray[Any]] | None:
    """Name and array of a matrix element; None for what is no real numeric array."""
    parts = list(_elements(raw, order))
    if len(parts) < 4 or len(parts[0][1]) < 4:
        return None
    flags = int(np.frombuffer(parts[0][1], f"{order}u4", 1)[0])
    kind, shape_bytes, name = CLASSES.get(flags & 0xFF), parts[1][1], parts[2][1]
    if kind is None or (flags >> 8) & COMPLEX:
        return None
    shape = [int(size) for size in np.frombuffer(shape_bytes, f"{order}i4", len(shape_bytes) // 4)]
    stored, body = parts[3]
    if stored not in STORED:
        raise ValueError(f"numbers are stored as type {stored}, which is none")
    numbers = np.frombuffer(body, f"{order}{STORED[stored]}")
    if min(shape, default=-1) < 0 or int(np.prod(shape, dtype=object)) != len(numbers):
        raise ValueError(f"an array of shape {shape} has {len(numbers)} numbers")
    return name.decode("latin-1"), numbers.astype(kind).reshape(shape, order="F")
