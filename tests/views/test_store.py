from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cinealign.errors import DataError
from cinealign.views.store import FeatureStore, default_store_folder, fingerprint


class Squares:
    """A compute function that remembers what it was asked for."""

    def __init__(self, numbers: list[int]) -> None:
        self.numbers, self.batches = numbers, list[list[int]]()

    def __call__(self, rows: list[int]) -> NDArray[Any]:
        self.batches.append([self.numbers[row] for row in rows])
        return np.array([[self.numbers[row] ** 2, row] for row in rows], dtype=np.float32)

    def digests(self) -> list[str]:
        return [f"d{number}" for number in self.numbers]


def test_values_come_back_in_item_order_and_equal_digests_are_computed_once(tmp_path: Path) -> None:
    squares = Squares([3, 1, 3, 2, 1, 3, 5])
    features = FeatureStore(tmp_path).arrays("v", {"a": 1}, squares.digests(), squares, batch_size=3)
    assert features[:, 0].tolist() == [9, 1, 9, 4, 1, 9, 25] and features.dtype == np.float32
    assert squares.batches == [[3, 1, 2], [5]]


def test_found_items_are_not_computed_again(tmp_path: Path) -> None:
    first, second = Squares([1, 2]), Squares([4, 2, 1, 3])
    store = FeatureStore(tmp_path)
    store.arrays("v", {}, first.digests(), first)
    assert store.arrays("v", {}, second.digests(), second)[:, 0].tolist() == [16, 4, 1, 9]
    assert second.batches == [[4, 3]]


def test_missing_counts_distinct_items_and_makes_no_file(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path / "store")
    assert store.missing("v", {}, ["d1", "d2", "d1"]) == 2
    assert not store.folder.exists()
    first = Squares([1])
    store.arrays("v", {}, first.digests(), first)
    assert store.missing("v", {}, ["d1", "d2", "d1"]) == 1
    assert store.missing("v", {"other": 1}, ["d1"]) == 1
    store.path("v", {}).write_bytes(b"damaged" * 100)
    with pytest.raises(DataError, match="is damaged"):
        store.missing("v", {}, ["d1"])


def test_sequences_keep_their_lengths(tmp_path: Path) -> None:
    values = [np.arange(2 * n, dtype=np.float16).reshape(n, 2) for n in (3, 0, 1)]
    store, asked = FeatureStore(tmp_path), list[int]()

    def compute(rows: list[int]) -> list[NDArray[Any]]:
        asked.extend(rows)
        return [values[row] for row in rows]

    for _ in range(2):
        found = store.sequences("v", {}, ["a", "b", "c"], compute, batch_size=2)
        assert [value.shape for value in found] == [(3, 2), (0, 2), (1, 2)] and found[0].dtype == np.float16
        np.testing.assert_array_equal(found[0], values[0])
    assert asked == [0, 1, 2]
    with sqlite3.connect(store.path("v", {})) as database:
        database.execute("UPDATE items SET value = X'00' WHERE digest = 'a'")
    with pytest.raises(DataError, match="is damaged; run `cinealign cache clear`"):
        store.sequences("v", {}, ["a"], compute)


def test_more_items_than_one_query_takes(tmp_path: Path) -> None:
    many = Squares(list(range(1203)))
    store = FeatureStore(tmp_path)
    for _ in range(2):
        features = store.arrays("v", {}, many.digests(), many, batch_size=500)
        assert features.tolist() == [[n**2, n] for n in range(1203)]
    assert len(many.batches) == 3


def test_different_settings_never_mix(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path)
    for view, settings, factor in [("v", {"a": 1}, 1), ("v", {"a": 2}, 2), ("w", {"a": 1}, 3)]:
        store.arrays(view, settings, ["d"], lambda rows, factor=factor: np.full((1, 2), factor))
    fail = pytest.fail
    assert store.arrays("v", {"a": 2}, ["d"], lambda rows: fail("computed"))[0, 0] == 2
    assert store.arrays("w", {"a": 1}, ["d"], lambda rows: fail("computed"))[0, 0] == 3
    assert store.arrays("v", {"a": 1}, ["d"], lambda rows: fail("computed"))[0, 0] == 1


def test_fingerprint_does_not_depend_on_the_order_of_keys() -> None:
    assert fingerprint({"a": 1, "b": [1, 2]}) == fingerprint({"b": [1, 2], "a": 1})
    assert fingerprint({"a": 1, "b": [1, 2]}) != fingerprint({"b": [2, 1], "a": 1})


def test_records_are_json_and_copies(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path)
    record = [{"text": "Amélie 导演", "box": [0.5, 1.0]}]
    first = store.records("v", {}, ["a", "a", "b"], lambda rows: [record if row == 0 else [] for row in rows])
    assert first == [record, record, []]
    first[0].clear()
    assert first[1] == record and store.records("v", {}, ["b", "a"], lambda rows: pytest.fail("computed")) == [
        [],
        record,
    ]


def test_no_items(tmp_path: Path) -> None:
    assert FeatureStore(tmp_path).arrays("v", {}, [], lambda rows: pytest.fail("computed")).shape == (0, 0)
    assert FeatureStore(tmp_path).records("v", {}, [], lambda rows: pytest.fail("computed")) == []


def test_an_exception_loses_only_the_batch_in_hand(tmp_path: Path) -> None:
    squares = Squares(list(range(10)))

    def failing(rows: list[int]) -> NDArray[Any]:
        if 7 in rows:
            raise RuntimeError("stop")
        return squares(rows)

    store = FeatureStore(tmp_path)
    with pytest.raises(RuntimeError, match="stop"):
        store.arrays("v", {}, squares.digests(), failing, batch_size=3)
    again = Squares(list(range(10)))
    store.arrays("v", {}, again.digests(), again, batch_size=3)
    assert again.batches == [[6, 7, 8], [9]]


WORKER = """
import sys, time
import numpy as np
from pathlib import Path
from cinealign.views.store import FeatureStore

def slow(rows):
    print(rows, flush=True)
    time.sleep(0.2)
    return np.array([[row] for row in rows], dtype=np.float32)

FeatureStore(Path(sys.argv[1])).arrays("v", {}, [f"d{i}" for i in range(400)], slow, batch_size=4)
"""


def test_a_killed_run_goes_on_where_it_stood(tmp_path: Path) -> None:
    worker = subprocess.Popen([sys.executable, "-c", WORKER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert worker.stdout is not None
    begun = [worker.stdout.readline() for _ in range(3)]
    os.kill(worker.pid, signal.SIGKILL)
    begun += worker.stdout.readlines()
    worker.wait()
    computed: list[int] = []

    def compute(rows: list[int]) -> NDArray[Any]:
        computed.extend(rows)
        return np.array([[row] for row in rows], dtype=np.float32)

    digests = [f"d{i}" for i in range(400)]
    features = FeatureStore(tmp_path).arrays("v", {}, digests, compute, batch_size=50)
    assert features[:, 0].tolist() == list(range(400))
    assert 400 - 4 * len(begun) <= len(computed) <= 400 - 4 * (len(begun) - 1)


def test_runs_at_the_same_time_share_one_file(tmp_path: Path) -> None:
    squares = [Squares(list(range(60))) for _ in range(4)]
    results: list[NDArray[Any]] = []

    def run(mine: Squares) -> None:
        def compute(rows: list[int]) -> NDArray[Any]:
            time.sleep(0.002)
            return mine(rows)

        results.append(FeatureStore(tmp_path).arrays("v", {}, mine.digests(), compute, batch_size=7))

    threads = [threading.Thread(target=run, args=(mine,)) for mine in squares]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4 and all((result == results[0]).all() for result in results)
    assert results[0][:, 0].tolist() == [n**2 for n in range(60)]


def test_damaged_file_is_named_with_the_remedy(tmp_path: Path) -> None:
    store, squares = FeatureStore(tmp_path), Squares(list(range(50)))
    store.arrays("v", {}, squares.digests(), squares)
    path = store.path("v", {})
    path.write_bytes(b"no database at all, but long enough to look like one" * 40)
    with pytest.raises(DataError, match=rf"{path.name} is damaged; run `cinealign cache clear`"):
        store.arrays("v", {}, squares.digests(), squares)
    assert [entry.items for entry in store.info()] == [None]
    store.clear("v")
    assert store.arrays("v", {}, squares.digests(), squares)[:, 0].tolist() == [n**2 for n in range(50)]


def test_cut_value_is_damage(tmp_path: Path) -> None:
    import sqlite3

    store, squares = FeatureStore(tmp_path), Squares([1, 2, 3])
    store.arrays("v", {}, squares.digests(), squares)
    with sqlite3.connect(store.path("v", {})) as database:
        database.execute("UPDATE items SET value = substr(value, 1, 3) WHERE digest = 'd2'")
    database.close()
    with pytest.raises(DataError, match="is damaged"):
        store.arrays("v", {}, squares.digests(), squares)


def test_another_value_than_was_kept_is_damage(tmp_path: Path) -> None:
    import sqlite3

    store, squares = FeatureStore(tmp_path), Squares([1, 2, 3])
    store.arrays("v", {}, squares.digests(), squares)
    path = store.path("v", {})
    with sqlite3.connect(path) as database:
        (kept,) = database.execute("SELECT value FROM items WHERE digest = 'd2'").fetchone()
        database.execute("UPDATE items SET value = ? WHERE digest = 'd2'", (bytes([kept[0] ^ 1]) + kept[1:],))
    database.close()
    with pytest.raises(DataError, match="is damaged"):
        store.arrays("v", {}, squares.digests(), squares)
    with sqlite3.connect(path) as database:  # as earlier versions wrote it
        database.execute("UPDATE items SET value = ? WHERE digest = 'd2'", (kept,))
        database.execute("DROP TABLE sums")
    database.close()
    more = Squares([1, 2, 3, 4])
    assert store.arrays("v", {}, more.digests(), more)[:, 0].tolist() == [1, 4, 9, 16]
    with sqlite3.connect(path) as database:
        assert [row[0] for row in database.execute("SELECT digest FROM sums")] == ["d4"]
    database.close()


def test_a_key_that_only_the_index_has_is_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite answers "is it there" from its index and "what is it" from its table, and in a damaged file they differ."""
    store, squares = FeatureStore(tmp_path), Squares([1, 2])
    store.arrays("v", {}, squares.digests(), squares)
    monkeypatch.setattr("cinealign.views.store._missing", lambda database, digests: [])
    more = Squares([1, 2, 3])
    with pytest.raises(DataError, match="is damaged"):
        store.arrays("v", {}, more.digests(), more)


def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="set CINEALIGN_CACHE to a folder that you can write to"):
        FeatureStore(tmp_path / "file" / "cache").arrays("v", {}, ["d"], lambda rows: np.zeros((1, 1)))


def test_info_and_clear(tmp_path: Path) -> None:
    store, squares = FeatureStore(tmp_path), Squares([1, 2, 3])
    assert store.info() == [] and FeatureStore(tmp_path / "none").info() == []
    for view, a in [("v", 1), ("v", 2), ("w-x", 1)]:
        store.arrays(view, {"a": a}, squares.digests(), squares)
    (tmp_path / "notes.txt").write_text("mine")
    assert sorted((entry.view, (entry.settings or {})["a"], entry.items) for entry in store.info()) == [
        ("v", 1, 3), ("v", 2, 3), ("w-x", 1, 3)
    ]  # fmt: skip
    assert len(store.clear("v")) == 2 and [entry.view for entry in store.info()] == ["w-x"]
    store.clear()
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_default_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CINEALIGN_CACHE", str(tmp_path))
    assert default_store_folder() == tmp_path == FeatureStore().folder
    monkeypatch.delenv("CINEALIGN_CACHE")
    assert default_store_folder().parts[-2:] == ("cinealign", "features")
