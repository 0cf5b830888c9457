"""The approximate engine: a Lance table a side, an IVF index (with product quantisation or none), answers scored exactly.

A search looks into the `probes` partitions nearest to the query, takes `refine` times as many candidates as are asked for and
ranks them by their full vectors. Rows are of unit length, so the nearest by Euclidean length are those of the highest
product: |q - x|^2 = |q|^2 + |x|^2 - 2 q.x. What stands for rows in the index, the centre of a partition and the rounded row
of product quantisation, is of any length up to 1, and where queries lie far from all rows (those of the other side do) the
differences of its |x|^2 outweigh those of q.x. The query is made `REACH` long, which changes no order among unit rows and
leaves |x|^2 little weight. Lance keeps versions: a generation of the index names one, and a version that no generation names is
rolled back.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from cinealign.errors import ConfigError, DataError
from cinealign.search.engines import Engine, Found, Keys, Rows, joined, ranked

COMPRESSIONS = ("pq", "none")
SMALLEST = 4096
"""Fewer rows are searched one by one: no index is faster."""
PARTITION_ROWS = 1024
SUB_VECTOR = 8
"""Numbers that product quantisation makes one byte."""
TAKEN_AT_MOST = 20_000
"""A search among at most so many items scores each of them."""
UNINDEXED = 0.2
"""Share of rows outside the index above which `compact` trains it again."""
EFFORT = {"probes": 20, "refine": 10}
REACH = 8.0
"""Length of a query. Of 100,000 vectors around real ones, 60 queries of the other side, 40 partitions of 97 and 40 times as
many candidates, product quantisation finds 0.772 of the nearest ten at length 1, 0.885 at 2, 0.940 at 8, 0.912 at 32."""
MOST_REFINE = 160
_TABLE = "rows.lance"


class LanceKind:
    """See `EngineKind`."""

    def __init__(self) -> None:
        """Raises ConfigError where pylance is not installed."""
        os.environ.setdefault("LANCE_LOG", "error")  # it warns of what is no fault, such as a table that is new
        try:
            import lance  # noqa: F401
        except ImportError:
            raise ConfigError("engine lance needs pylance, which is missing; pip install 'cinealign[index]'") from None

    def open(self, folder: Path, state: Mapping[str, Any]) -> Engine:
        """The generation that `state` describes."""
        return LanceEngine(folder, state)

    def new(self, folder: Path, width: int, options: Mapping[str, Any]) -> Engine:
        """An engine without vectors; option `compression` is pq (default) or none."""
        compression = str(options.get("compression", COMPRESSIONS[0]))
        if compression not in COMPRESSIONS:
            raise ConfigError(f"compression must be one of: {', '.join(COMPRESSIONS)}, got {compression!r}")
        folder.mkdir(parents=True, exist_ok=True)
        return LanceEngine(
            folder, {"width": width, "compression": compression, "version": None, "indexed": 0, **EFFORT}
        )


def index_options(state: Mapping[str, Any], rows: int) -> dict[str, Any]:
    """The index that `rows` rows of an engine of that `width` and `compression` get; of lance and lance_ray alike."""
    kind = {"pq": "IVF_PQ", "none": "IVF_FLAT"}[state["compression"]]
    quantiser = {"num_sub_vectors": _padded(state["width"]) // SUB_VECTOR} if kind == "IVF_PQ" else {}
    return {"index_type": kind, "metric": "L2", "num_partitions": max(1, rows // PARTITION_ROWS), **quantiser}


class LanceEngine:
    """See `Engine`; opened by `LanceKind`."""

    def __init__(self, folder: Path, state: Mapping[str, Any]) -> None:
        """Args:
        folder: of one side.
        state: `width`, `compression`, `version` of the table (None before the first row), `indexed` rows, and the effort.

        Raises:
            DataError: the table does not have that version.
        """
        self._folder, self.state = folder, dict(state)
        self._table: Any = None if state["version"] is None else self._at(int(state["version"]))

    @property
    def table(self) -> Path:
        """Where the table lies."""
        return self._folder / _TABLE

    def adopted(self, indexed: int) -> LanceEngine:
        """The newest version of a table that others have written, `as_arrow` by part, with `indexed` rows in its index."""
        return self._moved(self._latest(), indexed=indexed)

    @property
    def files(self) -> tuple[str, ...]:
        """None: Lance keeps and checks its own."""
        return ()

    def count(self) -> int:
        """Rows of the version."""
        return 0 if self._table is None else int(self._table.count_rows())

    def keys(self) -> Keys:
        """All keys, rising."""
        return np.sort(self._in_order)

    def add(self, name: str, keys: Keys, rows: Rows) -> Engine:
        """Append; the new rows are searched one by one until `compact` takes them into the index."""
        if not len(keys):
            return self
        import lance

        data, uri = as_arrow(keys, rows), str(self._folder / _TABLE)
        if self._table is None:
            table = lance.write_dataset(data, uri, mode="overwrite")
        else:
            self._roll_back()
            table = lance.write_dataset(data, uri, mode="append")
        return self._moved(table)

    def remove(self, name: str, keys: Keys) -> Engine:
        """A version without the rows of `keys`."""
        gone = np.intersect1d(keys, self._in_order)
        if not len(gone):
            return self
        self._roll_back()
        table = self._latest()
        for start in range(0, len(gone), TAKEN_AT_MOST):
            table.delete(f"key IN ({', '.join(map(str, gone[start : start + TAKEN_AT_MOST]))})")
        return self._moved(self._latest())

    def compact(self, name: str) -> Engine:
        """Few files; the index trained again where many rows are not in it."""
        if self._table is None:
            return self
        self._roll_back()
        table = self._latest()
        table.optimize.compact_files(materialize_deletions_threshold=0.0)
        rows, indexed = int(self._latest().count_rows()), int(self.state["indexed"])
        if rows >= SMALLEST and abs(rows - indexed) > UNINDEXED * indexed:
            table, indexed = self._latest(), rows
            table.create_index("vector", replace=True, **index_options(self.state, rows))
        self._latest().cleanup_old_versions()  # those of two weeks ago, which nobody reads any more
        return self._moved(self._latest(), indexed=indexed)

    def harder(self) -> Engine | None:
        """The same rows searched with twice the effort; None where every row is looked at already."""
        if not self.state["indexed"]:
            return None
        partitions = max(1, int(self.state["indexed"]) // PARTITION_ROWS)
        probes, refine = int(self.state["probes"]), int(self.state["refine"])
        if probes >= partitions and (refine >= MOST_REFINE or self.state["compression"] == "none"):
            return None
        effort = {"probes": min(2 * probes, partitions), "refine": min(2 * refine, MOST_REFINE)}
        return LanceEngine(self._folder, {**self.state, **effort})

    def take(self, keys: Keys) -> Rows:
        """The full vectors."""
        rows = np.zeros((len(keys), self.state["width"]), dtype=np.float32)
        there = np.argsort(self._in_order, kind="stable")
        at = np.searchsorted(self._in_order, keys, sorter=there)
        held = np.flatnonzero(at < len(there))
        held = held[self._in_order[there[at[held]]] == keys[held]]
        if len(held):
            found = self._table.take(there[at[held]].tolist(), columns=["vector"])
            rows[held] = _vectors(found, self.state["width"])
        return rows

    def search(self, queries: Rows, k: int, among: Keys | None = None) -> Found:
        """Approximate; exact for few rows, and among few items."""
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        if self._table is None:
            return joined([], k, len(queries))
        if among is not None and len(among) <= TAKEN_AT_MOST:
            return joined([self._each(query, k, among) for query in queries], k, len(queries))
        return joined(list(self._pool.map(lambda query: self._nearest(query, k, among), queries)), k, len(queries))

    def _nearest(self, query: Any, k: int, among: Keys | None) -> Found:
        """Answers to one query; where many are passed over because of `among`, more are asked for, and at last all of it."""
        rows, length = self.count(), float(np.linalg.norm(query))
        direction = _filled(REACH * query[None] / max(length, 1e-30), _padded(len(query)))[0]
        wanted = min(k if among is None else 4 * k, rows)
        while True:
            near = {"column": "vector", "q": direction, "k": wanted, "nprobes": int(self.state["probes"])}
            near |= {"metric": "L2"}
            if self.state["compression"] == "pq":  # else the index holds the rows themselves
                near |= {"refine_factor": int(self.state["refine"])}
            found = self._table.scanner(columns=["key", "vector", "_distance"], nearest=near).to_table()
            keys = found["key"].to_numpy()
            good = np.ones(len(keys), dtype=bool) if among is None else np.isin(keys, among)
            if among is None or good.sum() >= k:
                return ranked(query, keys[good], _vectors(found, self.state["width"])[good], k)
            if len(keys) < wanted or wanted >= rows:
                return self._each(query, k, among)
            wanted = min(4 * wanted, rows)

    def _each(self, query: Any, k: int, among: Keys) -> Found:
        """The best of `among`, each of them scored."""
        some, best = np.intersect1d(among, self._in_order), joined([], 0, 1)
        for start in range(0, len(some), TAKEN_AT_MOST):
            keys = np.concatenate([best.keys[0], some[start : start + TAKEN_AT_MOST]])
            best = ranked(query, keys, self.take(keys), k)
        return best

    @cached_property
    def _in_order(self) -> Keys:
        """The keys in the order of the table."""
        if self._table is None:
            return np.zeros(0, dtype=np.int64)
        keys: Keys = self._table.to_table(columns=["key"])["key"].to_numpy()
        return keys

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(4, thread_name_prefix="search")

    def _at(self, version: int) -> Any:
        import lance

        try:
            return lance.dataset(str(self._folder / _TABLE), version=version)
        except (OSError, ValueError) as error:
            reason = " ".join(str(error).split())[:200]
            raise DataError(f"{self._folder / _TABLE} cannot be read ({reason}); make the index again") from None

    def _latest(self) -> Any:
        import lance

        return lance.dataset(str(self._folder / _TABLE))

    def _roll_back(self) -> None:
        """Make this generation's version the newest again, where a killed writer went further."""
        if self._latest().version != self._table.version:
            self._at(int(self._table.version)).restore()

    def _moved(self, table: Any, **changes: Any) -> LanceEngine:
        return LanceEngine(self._folder, {**self.state, "version": int(table.version), **changes})


def as_arrow(keys: Keys, rows: Rows) -> Any:
    """Keys and vectors as the table has them."""
    import pyarrow as pa

    padded = _filled(rows, _padded(rows.shape[1]))
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(padded.ravel()), padded.shape[1])
    return pa.table({"key": pa.array(keys, pa.int64()), "vector": vectors})


def _vectors(table: Any, width: int) -> Rows:
    """(N, width) column `vector`."""
    flat = table["vector"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    rows: Rows = np.asarray(flat, dtype=np.float32).reshape(-1, _padded(width))[:, :width]
    return rows


def _filled(rows: Rows, width: int) -> Rows:
    """`rows` with zeros on the right."""
    padded = np.zeros((len(rows), width), dtype=np.float32)
    padded[:, : rows.shape[1]] = rows
    return padded


def _padded(width: int) -> int:
    """Width in the table: quantisation wants parts of one size."""
    return -(-width // (2 * SUB_VECTOR)) * 2 * SUB_VECTOR
