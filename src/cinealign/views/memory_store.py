"""A feature store that forgets: in memory, of a bounded size, gone with the process."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cinealign.views.store import FeatureStore, Row, fingerprint, first_positions

Key = tuple[str, str, str]
"""View, fingerprint of its settings, digest of the item."""


class MemoryStore(FeatureStore):
    """Features that were computed lately, for views that ask one another's and for questions that are asked again.

    Nothing is read from or written to disk. Any number of threads may use it; two that compute one item at the same time both
    go on with the value of the first. A call holds what it needs itself, so it may be larger than the store.
    """

    def __init__(self, capacity: int) -> None:
        """Args:
        capacity: bytes of features that are kept; those that were not asked for the longest go first.
        """
        super().__init__()
        self.capacity, self.size = capacity, 0
        self._rows: OrderedDict[Key, Row] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._rows)

    def missing(self, view: str, settings: Mapping[str, Any], digests: Sequence[str]) -> int:
        """How many distinct `digests` have no value."""
        mark = fingerprint(settings)
        with self._lock:
            return sum((view, mark, digest) not in self._rows for digest in set(digests))

    def _through(
        self,
        view: str,
        settings: Mapping[str, Any],
        digests: Sequence[str],
        compute: Callable[[list[int]], list[Row]],
        batch_size: int,
    ) -> dict[str, Row]:
        positions, mark = first_positions(digests), fingerprint(settings)
        found: dict[str, Row] = {}
        with self._lock:
            for digest in positions:
                if (row := self._rows.get((view, mark, digest))) is not None:
                    self._rows.move_to_end((view, mark, digest))
                    found[digest] = row
        wanted = [digest for digest in positions if digest not in found]
        for start in range(0, len(wanted), batch_size):
            batch = wanted[start : start + batch_size]
            values = compute([positions[digest] for digest in batch])
            assert len(values) == len(batch), f"{view}: {len(values)} values for {len(batch)} items"
            with self._lock:
                for digest, value in zip(batch, values, strict=True):
                    found[digest] = self._kept((view, mark, digest), value)
        return found

    def _kept(self, key: Key, value: Row) -> Row:
        """`value`, or the one that another thread has put there; the oldest make room. The lock is held."""
        if key in self._rows:
            return self._rows[key]
        size = _bytes(value)
        if size <= self.capacity:
            self._rows[key] = value
            self.size += size
            while self.size > self.capacity:
                self.size -= _bytes(self._rows.popitem(last=False)[1])
        return value


def _bytes(row: Row) -> int:
    return len(row[2]) + 200  # of the key and what Python keeps around it
