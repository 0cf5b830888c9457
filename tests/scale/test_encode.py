"""Encoding on a real cluster: equal to one machine, each id once, bad pictures told, and going on where it stopped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cinealign.data.catalogue import Catalogue
from cinealign.errors import ConfigError, ModelError
from cinealign.run import Run
from cinealign.scale import encode as encoding
from cinealign.scale.encode import BlockTask, Report, encode, encode_blocks
from cinealign.scale.places import Place
from cinealign.scale.shards import finished as finished_blocks
from cinealign.scale.shards import shard, vectors_of
from cinealign.scale.source import blocks_of, open_source
from cinealign.scale.table import (
    Difference,
    _table_schema,
    _write_fragments,
    compare_ids,
    open_table,
    problems,
    write_problems,
)
from cinealign.scale.worker import BlockEncoder
from cinealign.threads import limit_threads


@contextmanager
def a_worker(run: Run, task: BlockTask) -> Iterator[BlockEncoder]:
    """A worker in this process, which keeps its threads."""
    import torch

    encoding.save_model(run.folder, task.out)
    threads = torch.get_num_threads()
    try:
        yield BlockEncoder(task.source, task.out, task.width, task.repeated, task.weights)
    finally:
        torch.set_num_threads(threads)
        limit_threads(None)


def commit_here(out: Place, width: int, numbers: list[int]) -> None:
    """The commit, without a cluster."""
    import lance

    fragments = [lance.fragment.FragmentMetadata.from_json(each) for each in _write_fragments(out, numbers, width)]
    lance.LanceDataset.commit(
        out.child("table.lance").uri, lance.LanceOperation.Overwrite(_table_schema(width), fragments)
    )


def stored(out: Path, side: str, width: int) -> tuple[list[str], np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Ids, vectors and whether there is one, in the order of keys."""
    table = open_table(Place.of(out)).to_table(columns=["key", "id", f"{side}_vector"]).sort_by("key")
    return table["id"].to_pylist(), *vectors_of(table[f"{side}_vector"], width)


def parquet(path: Path, columns: dict[str, Any], *, group: int | None = None) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path, row_group_size=group)
    return path


def test_vectors_are_those_of_the_run(encoded: tuple[Path, Report], finished: Run, sample: Catalogue) -> None:
    out, report = encoded
    assert report.whole and report.posters >= len(sample)
    for side, own in zip(("poster", "intro"), finished.vectors, strict=True):
        ids, rows, held = stored(out, side, finished.width)
        place = {item_id: at for at, item_id in enumerate(ids)}
        at = [place[str(movie_id)] for movie_id in sample.ids]
        assert held[at].all()
        np.testing.assert_allclose(rows[at], own, atol=1e-5)


def test_rows_that_a_catalogue_drops_are_there_with_the_side_they_have(
    encoded: tuple[Path, Report], sample: Catalogue
) -> None:
    out, report = encoded
    table = open_table(Place.of(out)).to_table(columns=["id", "poster_vector", "intro_vector"]).to_pylist()
    assert report.rows > len(sample), "the sample has movies without a poster"
    one_sided = [row for row in table if (row["poster_vector"] is None) != (row["intro_vector"] is None)]
    assert len(one_sided) == report.items - min(report.posters, report.intros) and one_sided


def test_bad_pictures_and_ids_given_twice_are_told_and_nothing_else_is_lost(
    finished: Run, sample: Catalogue, tmp_path: Path
) -> None:
    pictures = [poster.path.read_bytes() for poster in sample.posters[:7] if poster.path]
    pictures[2] = pictures[2][:400]
    source = open_source(
        parquet(
            tmp_path / "in" / "a.parquet",
            {
                "id": ["a", "b", "cut", "d", "a", "no picture", "g"],
                "image": [*pictures[:5], None, pictures[6]],
                "intro": [*sample.intros[:4], "again", "", "  "],
            },
            group=3,
        )
    )
    out = Place.of(tmp_path / "out")
    out.child("shards").make()
    blocks = blocks_of(source, 2)
    assert [(block.first, block.count) for block in blocks] == [(0, 2), (2, 1), (3, 2), (5, 1), (6, 1)]
    repeated = encoding._repeated(source, blocks)
    assert repeated == {4: 0}
    with a_worker(finished, BlockTask(source, out, finished.width, repeated, None)) as worker:
        done = [worker.encode(block) for block in blocks]
    assert sum(each.rows for each in done) == 7 and sum(each.problems for each in done) == 3
    commit_here(out, finished.width, [block.number for block in blocks])
    difference, counts = compare_ids(out, source, blocks)
    assert difference == Difference([], [], []) and counts == {"items": 5, "posters": 4, "intros": 4}
    assert write_problems(out, [block.number for block in blocks]) == 3
    told = problems(out)
    assert set(told) == {"cut", "a", "no picture"}
    assert "given before, in row 0" in told["a"] and "neither a picture nor a text" in told["no picture"]
    ids, rows, held = stored(tmp_path / "out", "poster", finished.width)
    assert ids == ["a", "b", "cut", "d", "g"] and held.tolist() == [True, True, False, True, True]
    good = [pictures[at] for at in (0, 1, 3, 6)]
    np.testing.assert_allclose(rows[held], finished.encoder().encode_posters(good), atol=1e-5)
    _, texts, said = stored(tmp_path / "out", "intro", finished.width)
    assert said.tolist() == [True, True, True, True, False], "a text without its picture stays"
    np.testing.assert_allclose(texts[said], finished.encoder().encode_intros(sample.intros[:4]), atol=1e-5)


def test_a_table_that_differs_from_the_source_is_told(finished: Run, tmp_path: Path) -> None:
    table = {"id": ["a", "b", "c", "d"], "intro": ["one", "two", "three", "four"]}
    source = open_source(parquet(tmp_path / "in.parquet", table))
    out = Place.of(tmp_path / "out")
    out.child("shards").make()
    blocks = blocks_of(source, 2)
    with a_worker(finished, BlockTask(source, out, finished.width, {}, None)) as worker:
        for block in blocks:
            worker.encode(block)
    commit_here(out, finished.width, [0, 1, 0])
    other = open_source(parquet(tmp_path / "other.parquet", {**table, "id": ["a", "b", "x", "d"]}))
    assert compare_ids(out, other, blocks)[0] == Difference([], ["c"], ["a", "b"])
    commit_here(out, finished.width, [1])
    assert compare_ids(out, source, blocks)[0] == Difference(["a", "b"], [], [])


def test_the_same_command_goes_on_and_does_nothing_again(
    ray: Any, finished: Run, sample_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"

    def stop_before_the_commit(*_: Any) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(encoding, "commit_table", stop_before_the_commit)
        encode(finished.folder, sample_folder, out, workers=1, block=100)
    kept = finished_blocks(Place.of(out))
    lost = max(kept)
    Path(shard(Place.of(out), lost).uri).unlink()
    (out / "shards" / "000000007.parquet.0123.part").write_bytes(b"half")
    before = {path.name: path.stat().st_mtime_ns for path in (out / "shards").glob("*.parquet")}
    report = encode(finished.folder, sample_folder, out, workers=2, block=100)
    assert report.whole and 0 < report.encoded < 100, "the lost block alone"
    assert len(before) == len(kept) - 1
    again = encode(finished.folder, sample_folder, out, workers=2, block=100)
    assert again == report
    assert len(open_table(Place.of(out)).versions()) == 1
    with pytest.raises(ConfigError, match="begun with another block; give the same command again"):
        encode(finished.folder, sample_folder, out, workers=2, block=64)


@pytest.mark.slow
def test_a_worker_that_dies_is_replaced(ray: Any, finished: Run, sample_folder: Path, tmp_path: Path) -> None:
    class Deadly:
        """Ends its process at the first reading of block 1."""

        def __init__(self) -> None:
            self.source = open_source(sample_folder)

        def rows(self, block: Any) -> Any:
            import os

            mark = tmp_path / "died"
            if block.number == 1 and not mark.exists():
                mark.touch()
                os._exit(9)
            return self.source.rows(block)[:2]

    place = Place.of(tmp_path / "out")
    place.child("shards").make()
    encoding.save_model(finished.folder, place)
    blocks = blocks_of(open_source(sample_folder), 100)
    done, *_ = encode_blocks(ray, BlockTask(Deadly(), place, finished.width, {}, None), blocks, set(), 1)  # type: ignore[arg-type]
    assert (tmp_path / "died").exists() and sorted(each.block for each in done) == [0, 1, 2]


@pytest.mark.slow
def test_what_a_worker_cannot_do_ends_in_its_own_words(
    ray: Any, finished: Run, sample_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    encoding._begin(Place.of(out), encoding._plan(finished, open_source(sample_folder), 100), finished)
    (out / "model" / "fusion.json").unlink()
    with pytest.raises(ModelError, match="does not hold a saved model"):
        encode(finished.folder, sample_folder, out, workers=1, block=100)


def test_a_foreign_folder_is_left_alone(finished: Run, sample_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match="is not empty and no encoding was begun there; choose another --out"):
        encode(finished.folder, sample_folder, tmp_path)
