from __future__ import annotations

import itertools
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cinealign.studies import watched_store
from cinealign.studies.watched_store import WatchedStore
from cinealign.views.store import FeatureStore


def test_whatever_is_computed_counts_once_and_inner_time_is_part_of_the_outer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched_store, "time", SimpleNamespace(monotonic=itertools.count().__next__))  # a second a look
    store = WatchedStore(FeatureStore(tmp_path))

    def zeros(rows: list[int]) -> NDArray[Any]:
        return np.zeros((len(rows), 2), dtype=np.float32)

    for _ in range(2):  # the second time all is there
        store.arrays("one", {}, ["a", "b"], zeros)
        store.sequences("two", {}, ["a"], lambda rows: [np.zeros((3, 1))])
    assert (store.computed, store.seconds) == (3, 2)

    def reading(rows: list[int]) -> list[int]:
        return [len(store.arrays("one", {}, ["c"], zeros)) for _ in rows]

    assert store.records("three", {}, ["a"], reading) == [1]
    assert (store.computed, store.seconds) == (5, 4)  # looks at 4 and 6 around the inner one at 5
