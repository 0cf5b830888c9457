"""The store in memory: what the one on disk gives, bounded, for several threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from cinealign.views.memory_store import MemoryStore
from cinealign.views.store import FeatureStore

SETTINGS = {"a": 1}


def looked_up(store: FeatureStore, digests: list[str], calls: list[str] | None = None) -> np.ndarray:
    def compute(rows: list[int]) -> np.ndarray:
        (calls if calls is not None else []).extend(digests[row] for row in rows)
        return np.stack([np.full(4, ord(digests[row][0]), dtype=np.float32) for row in rows])

    return store.arrays("view", SETTINGS, digests, compute, batch_size=2)


def test_it_gives_what_the_one_on_disk_gives(tmp_path: Path) -> None:
    disk, memory = FeatureStore(tmp_path / "disk"), MemoryStore(10_000)
    digests = ["c", "a", "b", "a", "d"]
    for _ in range(2):
        assert (looked_up(disk, digests) == looked_up(memory, digests)).all()
    lists = [[1], {"x": "ü"}, None]
    for store in (disk, memory):
        assert store.records("r", SETTINGS, ["a", "b", "c"], lambda rows: [lists[row] for row in rows]) == lists
        ragged = store.sequences("s", SETTINGS, ["a", "b"], lambda rows: [np.ones((row, 2)) for row in rows])
        assert [each.shape for each in ragged] == [(0, 2), (1, 2)]
        assert looked_up(store, []).shape == (0, 0)
        assert store.missing("view", SETTINGS, ["a", "z", "z"]) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["disk"]


def test_what_was_not_asked_for_longest_goes_first() -> None:
    store, calls = MemoryStore(3 * (16 + 200)), []
    looked_up(store, ["a", "b", "c"], calls)
    looked_up(store, ["a"], calls)
    looked_up(store, ["d"], calls)  # b goes
    assert calls == ["a", "b", "c", "d"] and len(store) == 3 and store.size <= store.capacity
    looked_up(store, ["a", "c", "d"], calls)
    assert calls == ["a", "b", "c", "d"]
    looked_up(store, ["b"], calls)
    assert calls[4:] == ["b"]


@pytest.mark.parametrize("capacity", [0, 300])
def test_a_call_may_be_larger_than_the_store(capacity: int) -> None:
    store = MemoryStore(capacity)
    assert looked_up(store, list("abcdef"))[:, 0].tolist() == [ord(letter) for letter in "abcdef"]
    assert store.size <= capacity


def test_threads() -> None:
    store, digests = MemoryStore(2_000), [chr(97 + at % 26) * (1 + at % 3) for at in range(200)]
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: looked_up(store, digests), range(12)):
            assert found[:, 0].tolist() == [ord(digest[0]) for digest in digests]
    assert 0 < store.size <= store.capacity
