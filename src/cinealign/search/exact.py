"""The exact engine: memory-mapped arrays, one product of the queries with everything, the best kept chunk by chunk.

Vectors lie in segments (`000007.npy` beside `000007.keys.npy`) that never change. Removed keys are a list of their own until
`compact` writes the vectors anew. A float32 product finds the candidates, float64 products of them decide: so the answer does
not depend on the chunks, the number of queries or the processor, and pages of one query fit together.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cinealign.errors import ConfigError, DataError, damage_refused
from cinealign.search.engines import NOBODY, Engine, Found, Keys, Rows, joined, ranked
from cinealign.search.folder import merge_from, write_array

DTYPES = ("float32", "float16")
CHUNK_BYTES = 16 << 20
"""Of vectors in float32: what one thread looks at in one go."""
DOUBT = 4e-6
"""By how much two float32 products of unit rows can stand in the wrong order."""
QUERIES_AT_ONCE = 64
WIDENED = 512
"""Float16 rows that are made float32 at a time."""
MANY = 100_000
"""Float16 rows from which loading PyTorch, which makes them float32 nine times as fast as NumPy does, is worth its time."""


class ExactKind:
    """See `EngineKind`."""

    def open(self, folder: Path, state: Mapping[str, Any]) -> Engine:
        """The generation that `state` describes."""
        return ExactEngine(folder, state)

    def new(self, folder: Path, width: int, options: Mapping[str, Any]) -> Engine:
        """An engine without vectors; option `dtype` is float32 (default) or float16, which takes half the disk."""
        dtype = str(options.get("dtype", DTYPES[0]))
        if dtype not in DTYPES:
            raise ConfigError(f"dtype must be one of: {', '.join(DTYPES)}, got {dtype!r}")
        folder.mkdir(parents=True, exist_ok=True)
        return ExactEngine(folder, {"width": width, "dtype": dtype, "segments": [], "removed": None})


class ExactEngine:
    """See `Engine`; opened by `ExactKind`."""

    def __init__(self, folder: Path, state: Mapping[str, Any]) -> None:
        """Args:
        folder: of one side.
        state: `width`, `dtype`, `segments` (their names) and the file of `removed` keys.

        Raises:
            DataError: a file is missing or of another shape.
        """
        self._folder, self.state = folder, dict(state)
        self._segments = [self._read(name) for name in state["segments"]]
        removed = state["removed"]
        self._removed: Keys = np.load(folder / removed, allow_pickle=False) if removed else np.zeros(0, dtype=np.int64)

    @property
    def files(self) -> tuple[str, ...]:
        """Two a segment, and that of the removed keys."""
        named = [file for name in self.state["segments"] for file in (f"{name}.npy", f"{name}.keys.npy")]
        return (*named, *([self.state["removed"]] if self.state["removed"] else []))

    def count(self) -> int:
        """Vectors, without the removed ones."""
        return sum(len(keys) for keys, _ in self._segments) - len(self._removed)

    def keys(self) -> Keys:
        """All keys, rising."""
        every = np.concatenate([np.zeros(0, dtype=np.int64), *(keys for keys, _ in self._segments)])
        return np.setdiff1d(every, self._removed, assume_unique=True)

    def add(self, name: str, keys: Keys, rows: Rows) -> ExactEngine:
        """A new segment; the last ones are merged with it where there are too many of about its size."""
        if not len(keys):
            return self
        first = merge_from([len(there) for there, _ in self._segments], len(keys))
        segment = self._write(name, [*self._segments[first:], (keys, rows)])
        state = {**self.state, "segments": [*self.state["segments"][:first], *segment]}
        merged = [np.zeros(0, dtype=np.int64), *(there for there, _ in self._segments[first:])]
        left = np.setdiff1d(self._removed, np.concatenate(merged))  # the others are not in the new segment any more
        return self._without(name, left, state) if len(left) < len(self._removed) else ExactEngine(self._folder, state)

    def remove(self, name: str, keys: Keys) -> ExactEngine:
        """A longer list of removed keys."""
        gone = np.intersect1d(keys, self.keys())
        if not len(gone):
            return self
        return self._without(name, np.union1d(self._removed, gone), self.state)

    def compact(self, name: str) -> ExactEngine:
        """One segment."""
        if len(self._segments) <= 1 and not len(self._removed):
            return self
        segments = self._write(f"{name}-all", self._segments)
        return ExactEngine(self._folder, {**self.state, "segments": segments, "removed": None})

    def harder(self) -> None:
        """Nothing can be missed."""

    def take(self, keys: Keys) -> Rows:
        """The vectors as float32."""
        rows = np.zeros((len(keys), self.state["width"]), dtype=np.float32)
        wanted = np.where(np.isin(keys, self._removed), NOBODY, keys)
        for there, vectors in self._segments:
            at = np.minimum(np.searchsorted(there, wanted), len(there) - 1)
            held = np.flatnonzero(there[at] == wanted)
            rows[held] = vectors[at[held]]
        return rows

    def search(self, queries: Rows, k: int, among: Keys | None = None) -> Found:
        """By float32 products, then exactly among the candidates."""
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        jobs = [
            (keys[rows], vectors, rows)
            for segment, (keys, vectors) in enumerate(self._segments)
            for rows in self._wanted(segment, among)
        ]
        answers = []
        for start in range(0, len(queries), QUERIES_AT_ONCE):
            few = queries[start : start + QUERIES_AT_ONCE]
            look = partial(_nearest, few, k)
            seen = list(self._pool.map(look, jobs)) if len(jobs) > 1 else [look(job) for job in jobs]
            answers.append(_decided(few, seen, k))
        return joined(answers, k)

    def _wanted(self, segment: int, among: Keys | None) -> list[NDArray[np.int64] | slice]:
        """The rows of a segment that may be found, cut into chunks: slices where these are all rows."""
        keys, step = self._segments[segment][0], max(1, CHUNK_BYTES // (4 * self.state["width"]))
        live = self._live[segment]
        if among is not None:
            chosen = np.searchsorted(keys, among[(among >= keys[0]) & (among <= keys[-1])])
            at = np.minimum(chosen, len(keys) - 1)
            rows = at[np.isin(keys[at], among, assume_unique=True)]
            rows = rows if live is None else rows[live[rows]]
            if len(rows) == len(keys):
                rows = None
        else:
            rows = None if live is None else np.flatnonzero(live)
        if rows is None:
            return [slice(start, min(start + step, len(keys))) for start in range(0, len(keys), step)]
        return [rows[start : start + step] for start in range(0, len(rows), step)]

    @cached_property
    def _live(self) -> list[NDArray[np.bool_] | None]:
        """Of each segment which rows are not removed; None for all."""
        if not len(self._removed):
            return [None] * len(self._segments)
        return [~np.isin(keys, self._removed, assume_unique=True) for keys, _ in self._segments]

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(min(8, os.cpu_count() or 1), thread_name_prefix="search")

    def _read(self, name: str) -> tuple[Keys, NDArray[Any]]:
        with damage_refused(DataError, self._folder / f"{name}.npy", "make the index again"):
            keys = np.load(self._folder / f"{name}.keys.npy", allow_pickle=False)
            vectors = np.load(self._folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
        shape, dtype = (len(keys), self.state["width"]), self.state["dtype"]
        if vectors.shape != shape or vectors.dtype != dtype or keys.dtype != np.int64 or not len(keys):
            raise DataError(f"{self._folder / name}.npy holds {vectors.dtype} {vectors.shape}, not {dtype} {shape}")
        if keys.ndim != 1 or keys[0] < 0 or (np.diff(keys) <= 0).any():
            raise DataError(f"{self._folder / name}.keys.npy is damaged: its keys do not rise; make the index again")
        return keys, vectors

    def _write(self, name: str, pieces: Sequence[tuple[Keys, NDArray[Any]]]) -> list[str]:
        """One segment of what is not removed of `pieces`, whose keys rise; none where all is removed."""
        live = [~np.isin(keys, self._removed, assume_unique=True) for keys, _ in pieces]
        keys = np.concatenate([keys[kept] for (keys, _), kept in zip(pieces, live, strict=True)])
        if not len(keys):
            return []
        write_array(self._folder / f"{name}.keys.npy", np.ascontiguousarray(keys, dtype=np.int64))
        dtype, step = np.dtype(self.state["dtype"]), max(1, CHUNK_BYTES // (4 * self.state["width"]))
        with (self._folder / f"{name}.npy").open("wb") as file:
            header = {"descr": dtype.str, "fortran_order": False, "shape": (len(keys), self.state["width"])}
            np.lib.format.write_array_header_1_0(file, header)
            for (_, rows), kept in zip(pieces, live, strict=True):
                for start in range(0, len(rows), step):
                    part = rows[start : start + step][kept[start : start + step]]
                    file.write(np.ascontiguousarray(part, dtype=dtype).tobytes())
            file.flush()
            os.fsync(file.fileno())
        return [name]

    def _without(self, name: str, removed: Keys, state: Mapping[str, Any]) -> ExactEngine:
        """As `state`, with another list of removed keys."""
        if not len(removed):
            return ExactEngine(self._folder, {**state, "removed": None})
        file = f"{name}.removed.npy"
        write_array(self._folder / file, removed)
        return ExactEngine(self._folder, {**state, "removed": file})


class _Candidates(NamedTuple):
    """What may be among the nearest of some query, entry by entry."""

    queries: NDArray[np.int64]
    keys: Keys
    scores: NDArray[np.float32]
    vectors: NDArray[Any]


def _nearest(queries: Rows, k: int, chunk_of: tuple[Keys, NDArray[Any], NDArray[np.int64] | slice]) -> _Candidates:
    """Those of a chunk (its keys, the segment's vectors and its rows there) that may be among the k nearest."""
    keys, vectors, rows = chunk_of
    chunk = vectors[rows]
    with np.errstate(invalid="ignore", over="ignore"):
        scores = _products(queries, chunk, by_torch=len(vectors) >= MANY or "torch" in sys.modules)  # (Q, rows)
        if scores.size and not np.isfinite(
            scores.max() - scores.min()
        ):  # such a vector would be passed over in silence
            raise DataError("a vector of the index is not finite; `cinealign index check` says which file was changed")
    if k < scores.shape[1]:
        floor = np.partition(scores, scores.shape[1] - k, axis=1)[:, scores.shape[1] - k] - _doubt(queries)
        query, at = np.nonzero(scores >= floor[:, None])
    else:
        query, at = (places.ravel() for places in np.indices(scores.shape))
    return _Candidates(query, keys[at], scores[query, at], np.asarray(chunk[at]))


def _products(queries: Rows, chunk: NDArray[Any], *, by_torch: bool) -> NDArray[np.float32]:
    """(Q, rows) float32 products. What float16 stands for is written to a small buffer, which stays in the cache."""
    if chunk.dtype == np.float32:
        products: NDArray[np.float32] = queries @ chunk.T
        return products
    scores = np.empty((len(queries), len(chunk)), dtype=np.float32)
    wide = np.empty((min(WIDENED, len(chunk)), chunk.shape[1]), dtype=np.float32)
    widen = _widened_by_torch if by_torch else _widened
    for start in range(0, len(chunk), WIDENED):
        few = np.array(chunk[start : start + WIDENED])
        rows = wide[: len(few)]
        widen(few, rows)
        scores[:, start : start + WIDENED] = queries @ rows.T
    return scores


def _widened(few: NDArray[np.float16], rows: NDArray[np.float32]) -> None:
    """Write `few` as float32 into `rows`: float16 has few values, and looking them up is twice as fast as converting."""
    _every_float16().take(few.view(np.uint16), out=rows, mode="clip")


def _widened_by_torch(few: NDArray[np.float16], rows: NDArray[np.float32]) -> None:
    import torch

    torch.from_numpy(rows).copy_(torch.from_numpy(few))


@cache
def _every_float16() -> NDArray[np.float32]:
    return np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float32)


def _doubt(queries: Rows) -> NDArray[np.float32]:
    """(Q,) twice the rounding of a float32 product of each query with a unit row."""
    doubt: NDArray[np.float32] = DOUBT * np.linalg.norm(queries, axis=1).astype(np.float32)
    return doubt


def _decided(queries: Rows, seen: Sequence[_Candidates], k: int) -> Found:
    """The k best of all candidates by float64 products, the lower key first where they are equal."""
    if not seen:
        return joined([], k, len(queries))
    numbers, keys, scores, vectors = (np.concatenate(parts) for parts in zip(*seen, strict=True))
    order = np.argsort(numbers, kind="stable")
    first = np.searchsorted(numbers[order], np.arange(len(queries) + 1))
    answers = []
    for query, doubt in enumerate(_doubt(queries)):
        mine = order[first[query] : first[query + 1]]
        if len(mine) > k:
            floor = np.partition(scores[mine], len(mine) - k)[len(mine) - k] - doubt
            mine = mine[scores[mine] >= floor]
        answers.append(ranked(queries[query], keys[mine], vectors[mine], k))
    return joined(answers, k)
