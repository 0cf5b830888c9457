"""Both engines against the obvious search: sort all products."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cinealign.errors import ConfigError, DataError
from cinealign.search import exact, lance
from cinealign.search.engines import NOBODY, Engine, engine_kind

WIDTH = 24
Array = np.ndarray[Any, Any]


def rows(count: int, seed: int = 0, width: int = WIDTH) -> Array:
    drawn = np.random.default_rng(seed).standard_normal((count, width)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def obvious(queries: Array, keys: Array, vectors: Array, k: int) -> list[list[int]]:
    """Keys of the k highest products of every query; of equal ones the lower key first."""
    answers = []
    for query in queries.astype(np.float64):
        scores = [
            (-round(float(vector @ query), 12), int(key))
            for key, vector in zip(keys, vectors.astype(float), strict=True)
        ]
        answers.append([key for _, key in sorted(scores)[:k]])
    return answers


def grown(kind: str, folder: Path, vectors: Array, batch: int, **options: Any) -> Engine:
    engine = engine_kind(kind).new(folder, vectors.shape[1], options)
    for at, start in enumerate(range(0, len(vectors), batch)):
        part = vectors[start : start + batch]
        engine = engine.add(f"{at:06}", np.arange(start, start + len(part), dtype=np.int64) * 3 + 1, part)
    return engine


@pytest.fixture(params=["exact", "lance"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_finds_what_sorting_finds(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exact, "CHUNK_BYTES", 4 * WIDTH * 37)  # chunks that divide nothing
    monkeypatch.setattr(exact, "QUERIES_AT_ONCE", 5)
    vectors, queries = rows(301), rows(13, 1)
    vectors[[7, 77, 177, 277]] = vectors[5]  # ties
    queries[0] = vectors[5] * 2
    engine = grown(kind, tmp_path / "v", vectors, 100)
    keys = engine.keys()
    assert keys.tolist() == [3 * at + 1 for at in range(301)]
    found = engine.search(queries, 9)
    assert found.keys.tolist() == obvious(queries, keys, vectors, 9)
    assert found.keys[0, :5].tolist() == [16, 22, 232, 532, 832]
    np.testing.assert_allclose(found.scores[0, :5], 2.0, atol=1e-6)
    single = [engine.search(query[None], 4) for query in queries]  # one at a time and fewer: the same beginning
    assert [one.keys[0].tolist() for one in single] == found.keys[:, :4].tolist()
    assert all((one.scores[0] == found.scores[at, :4]).all() for at, one in enumerate(single))


def test_search_among_some(kind: str, tmp_path: Path) -> None:
    vectors, queries = rows(301), rows(5, 1)
    engine = grown(kind, tmp_path / "v", vectors, 120)
    for chosen in (np.arange(0, 301, 7), np.array([3]), np.arange(301), np.arange(110, 290)):
        among = chosen * 3 + 1
        found = engine.search(queries, 6, among)
        expected = obvious(queries, among, vectors[chosen], 6)
        assert [[key for key in row if key != NOBODY] for row in found.keys.tolist()] == expected
    assert (engine.search(queries, 6, np.array([2, 999])).keys == NOBODY).all()  # no such items


def test_more_asked_for_than_there_are(kind: str, tmp_path: Path) -> None:
    vectors = rows(3)
    engine = grown(kind, tmp_path / "v", vectors, 3)
    found = engine.search(rows(2, 1), 5)
    assert found.keys.shape == (2, 5) and (found.keys[:, 3:] == NOBODY).all() and (found.keys[:, :3] != NOBODY).all()
    assert np.isneginf(found.scores[:, 3:]).all()
    empty = engine_kind(kind).new(tmp_path / "none", WIDTH, {})
    assert empty.count() == 0 and (empty.search(rows(2, 1), 5).keys == NOBODY).all()


def test_removed_vectors_are_gone_and_older_generations_stay(kind: str, tmp_path: Path) -> None:
    vectors, queries = rows(90), rows(4, 1)
    before = grown(kind, tmp_path / "v", vectors, 40)
    gone = np.array([1, 100, 4000], dtype=np.int64)  # the first, one in the middle, one that is not there
    after = before.remove("000010", gone)
    left = np.setdiff1d(before.keys(), gone)
    assert after.count() == 88 and before.count() == 90 and after.keys().tolist() == left.tolist()
    place = (left - 1) // 3
    assert after.search(queries, 88).keys.tolist() == obvious(queries, left, vectors[place], 88)
    compacted = after.compact("000011")
    assert compacted.keys().tolist() == left.tolist()
    for engine in (after, compacted, engine_kind(kind).open(tmp_path / "v", compacted.state)):
        np.testing.assert_array_equal(engine.take(left), vectors[place])
        assert not engine.take(gone).any()
        assert engine.search(queries, 5).keys.tolist() == obvious(queries, left, vectors[place], 5)
    assert before.search(queries, 90).keys.tolist() == obvious(queries, before.keys(), vectors, 90)
    more = compacted.add("000012", np.array([500], dtype=np.int64), queries[:1])
    assert more.search(queries[:1], 1).keys.tolist() == [[500]] and more.count() == 89


def test_many_small_additions_make_few_segments(tmp_path: Path) -> None:
    vectors = rows(700)
    engine = grown("exact", tmp_path / "v", vectors, 7)
    assert len(engine.state["segments"]) < 20
    np.testing.assert_array_equal(engine.take(engine.keys()), vectors)
    assert set(engine.files) <= {path.name for path in (tmp_path / "v").iterdir()}


def test_counts_hold_where_removed_rows_are_merged_away(kind: str, tmp_path: Path) -> None:
    engine, vectors, there = engine_kind(kind).new(tmp_path / "v", WIDTH, {}), rows(300), set[int]()
    dice = np.random.default_rng(0)
    for step in range(30):
        keys = np.arange(step * 10, step * 10 + 10, dtype=np.int64)
        engine = engine.add(f"{step:06}", keys, vectors[keys])
        gone = np.sort(dice.choice(sorted(there | set(keys.tolist())), 3, replace=False)).astype(np.int64)
        engine = engine.remove(f"{step:06}", gone)
        there = (there | set(keys.tolist())) - set(gone.tolist())
        assert engine.count() == len(there) == len(engine.keys())
    assert engine.keys().tolist() == sorted(there)
    np.testing.assert_array_equal(engine.take(engine.keys()), vectors[engine.keys()])


def test_float16_takes_half_and_ranks_as_its_rounded_vectors(tmp_path: Path) -> None:
    vectors, queries = rows(200), rows(6, 1)
    engine = grown("exact", tmp_path / "v", vectors, 200, dtype="float16")
    rounded = vectors.astype(np.float16)
    assert engine.search(queries, 20).keys.tolist() == obvious(queries, engine.keys(), rounded, 20)
    assert (tmp_path / "v" / "000000.npy").stat().st_size < 200 * WIDTH * 2 + 200


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unknown engine 'faiss'; choose one of: exact, lance"):
        engine_kind("faiss")
    with pytest.raises(ConfigError, match="dtype must be one of: float32, float16, got 'int8'"):
        engine_kind("exact").new(tmp_path / "v", WIDTH, {"dtype": "int8"})
    engine = grown("exact", tmp_path / "v", rows(20), 20)
    file = tmp_path / "v" / "000000.npy"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(DataError, match=r"000000\.npy is damaged .*; make the index again"):
        engine_kind("exact").open(tmp_path / "v", engine.state)


@pytest.mark.parametrize("compression", ["pq", "none"])
def test_an_approximate_index_finds_more_with_more_effort(
    compression: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lance, "SMALLEST", 1000)
    monkeypatch.setattr(lance, "PARTITION_ROWS", 64)
    monkeypatch.setattr(lance, "EFFORT", {"probes": 1, "refine": 1})
    vectors, queries = rows(1500, width=33), rows(20, 1, width=33)
    engine = grown("lance", tmp_path / "v", vectors, 1500, compression=compression).compact("000001")
    assert engine.state["indexed"] == 1500
    expected = obvious(queries, engine.keys(), vectors, 10)

    def recall(searched: Engine) -> float:
        found = searched.search(queries, 10).keys.tolist()
        return float(np.mean([len(set(one) & set(other)) / 10 for one, other in zip(found, expected, strict=True)]))

    recalls = [recall(engine)]
    while (harder := engine.harder()) is not None:
        engine = harder
        recalls.append(recall(engine))
    assert recalls[0] < 0.7 and recalls[-1] > 0.99  # one partition of 23 holds few of the nearest
    again = engine_kind("lance").open(tmp_path / "v", engine.state)
    assert recall(again) == recalls[-1]
    among = engine.keys()[::2]  # passes the limit of one-by-one scoring
    monkeypatch.setattr(lance, "TAKEN_AT_MOST", 100)
    assert again.search(queries, 5, among).keys.tolist() == obvious(queries, among, vectors[::2], 5)


def test_queries_that_lie_far_from_all_rows_are_made_long_for_the_approximate_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows and queries lie about two directions at a right angle: at length 1 rounded lengths of rows outweigh the products."""
    monkeypatch.setattr(lance, "SMALLEST", 1000)
    monkeypatch.setattr(lance, "PARTITION_ROWS", 256)
    monkeypatch.setattr(lance, "EFFORT", {"probes": 100, "refine": 1})
    meaning, spread = rows(3000, width=64), np.random.default_rng(1).uniform(0.5, 1.5, (3000, 1))
    about = np.eye(64, dtype=np.float32)
    vectors = about[0] + meaning * spread
    queries = about[1] + meaning[:300] + 0.7 * rows(300, 2, width=64)
    vectors, queries = (
        (each / np.linalg.norm(each, axis=1, keepdims=True)).astype(np.float32) for each in (vectors, queries)
    )
    engine = grown("lance", tmp_path / "v", vectors, 3000).compact("000001")
    expected = engine.keys()[np.argsort(-(queries @ vectors.T), axis=1)[:, :10]]

    def recall() -> float:
        found = engine.search(queries, 10).keys
        return float(np.mean([np.isin(one, other).mean() for one, other in zip(found, expected, strict=True)]))

    long = recall()
    monkeypatch.setattr(lance, "REACH", 1.0)
    assert long > recall() + 0.03  # six builds gave 0.06 to 0.09


def test_few_float16_vectors_are_searched_without_pytorch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, queries = rows(301), rows(7, 1)
    engine = grown("exact", tmp_path / "v", vectors, 301, dtype="float16")
    monkeypatch.setattr(exact, "MANY", 0)
    through_torch = engine.search(queries, 9)
    monkeypatch.undo()
    monkeypatch.delitem(sys.modules, "torch")
    without = engine.search(queries, 9)
    assert "torch" not in sys.modules
    assert (without.keys == through_torch.keys).all()
    assert (without.scores == through_torch.scores).all()


def test_what_a_killed_writer_added_is_rolled_back(tmp_path: Path) -> None:
    vectors = rows(60)
    committed = grown("lance", tmp_path / "v", vectors[:40], 40)
    committed.add("000001", np.arange(1000, 1010, dtype=np.int64), vectors[40:50])  # written, and never committed
    reopened = engine_kind("lance").open(tmp_path / "v", committed.state)
    assert reopened.count() == 40
    after = reopened.add("000001", np.arange(1000, 1020, dtype=np.int64), vectors[40:])
    assert after.count() == 60 and len(set(after.keys().tolist())) == 60
