"""Adding, updating and removing: each item once, by content; and whoever kills the writer loses nothing that was said."""

from __future__ import annotations

import os
import random
import select
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from cinealign.cli.show.search import answer_lines
from cinealign.errors import ConfigError, DataError
from cinealign.search import growth
from cinealign.search.folder import read_manifest
from cinealign.search.growth import NewItem, open_writer
from cinealign.search.index import Answer, Index
from tests.search.encoders import WordEncoder
from tests.search.folders import known_items, new_items, words_of, write_index

HERE = Path(__file__).parents[2]


def ids_of(folder: Path) -> set[str]:
    return {item.item_id for item in Index.open(folder).items.all()}


@pytest.fixture(params=["exact", "lance"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return write_index(tmp_path / "index", engine=request.param)


def test_added_items_are_found_and_added_once(folder: Path) -> None:
    before = Index.open(folder, encoder=WordEncoder())
    said: list[str] = []
    with open_writer(folder, encoder=WordEncoder()) as writer:
        grown = writer.add(new_items(range(55, 70)), acknowledge=said.extend)
    assert grown.added == [str(number + 1) for number in range(60, 70)] == said
    # 56 to 60 are there with the same text; but their picture has other bytes than the catalogue's
    assert grown.differing == [str(number + 1) for number in range(55, 60)] and not grown.same
    after = Index.open(folder, encoder=WordEncoder())
    assert len(after) == 70 and len(before) == 60
    assert (
        after.search(text=words_of(65))[0].id == "66"
        and after.search(image=f"picture: {words_of(65)}".encode())[0].id == "66"
    )
    assert before.search(text=words_of(65))[0].id != "66"  # who has it open goes on with the old one
    encoder = WordEncoder()
    with open_writer(folder, encoder=encoder) as writer:
        again = writer.add(new_items(range(60, 70)))
    assert again.same == grown.added and not again.added and encoder.encoded == []
    assert read_manifest(folder).generation == after.manifest.generation


def test_one_side_will_do_and_the_other_comes_later(folder: Path) -> None:
    with open_writer(folder, encoder=WordEncoder()) as writer:
        writer.add(new_items([100], intro=False))
        writer.add(new_items([101], poster=False))
        assert writer.add([NewItem("nothing")]).unusable == ["nothing"]
    index = Index.open(folder, encoder=WordEncoder())
    assert index.manifest.counts == {"poster": 61, "intro": 61, "items": 62}
    assert index.search(text=words_of(100))[0].id == "101"
    assert "101" not in {hit.id for hit in index.search(image=f"picture: {words_of(100)}".encode(), limit=100)}
    with open_writer(folder, encoder=WordEncoder()) as writer:
        assert writer.add(new_items([100], poster=False), update=True).updated == ["101"]
    index = Index.open(folder, encoder=WordEncoder())
    assert index.manifest.counts == {"poster": 61, "intro": 62, "items": 62}
    assert index.search(text=words_of(100))[0].id == "101"  # its poster is still there
    assert index.search(image=f"picture: {words_of(100)}".encode())[0].id == "101"


def test_update_replaces_what_differs(folder: Path) -> None:
    with open_writer(folder, encoder=WordEncoder()) as writer:
        grown = writer.add(new_items([4, 5], words="alien circus queen"), update=True)
    assert grown.updated == ["5", "6"]
    index = Index.open(folder, encoder=WordEncoder())
    assert len(index) == 60 and {hit.id for hit in index.search(text="alien circus queen", limit=2)} == {"5", "6"}
    item = index.items.of_id("5")
    assert item is not None and item.intro == "alien circus queen" and item.year == 1954 and item.split == "added"


def test_removed_items_are_gone(folder: Path) -> None:
    with open_writer(folder, encoder=WordEncoder()) as writer:
        assert writer.remove(["3", "999"]) == ["3"]
        with pytest.raises(DataError, match="has none of the items 3, 998"):
            writer.remove(["3", "998"])
    index = Index.open(folder, encoder=WordEncoder())
    assert len(index) == 59 and "3" not in {hit.id for hit in index.search(text=words_of(2), limit=60)}
    assert index.items.of_id("3") is None
    with open_writer(folder, encoder=WordEncoder()) as writer:  # may come again
        assert writer.add(new_items([2])).added == ["3"]
        writer.remove([str(number) for number in range(4, 40)])  # so much that all is written anew
    index = Index.open(folder, encoder=WordEncoder())
    assert len(index) == 24 and index.manifest.removed is None and len(index.manifest.items) == 1
    assert index.search(text=words_of(2))[0].id == "3"


def test_longer_rows_than_there_was_room_for(tmp_path: Path) -> None:
    class Loud(WordEncoder):
        def encode_intros(self, texts):  # type: ignore[no-untyped-def]
            return super().encode_intros(texts) * 9

    folder = write_index(tmp_path / "index", longer=2.0)
    with open_writer(folder, encoder=Loud()) as writer:
        writer.add(new_items([80]))
    index = Index.open(folder, encoder=WordEncoder())
    found = index.search(image=f"picture: {words_of(80)}".encode(), limit=61)
    assert found[0].id == "81" and found[0].score == pytest.approx(9, abs=1e-3) and len(found) == 61
    alike = Index.open(folder).search(like="81:poster", side="intro", limit=60)
    scores = {hit.id: hit.score for hit in alike}
    assert all(scores[hit.id] == pytest.approx(hit.score, abs=1e-4) for hit in found[1:])


def test_ids_of_the_imported_table_mean_the_items_that_the_import_numbered(tmp_path: Path) -> None:
    items = [replace(item, facets={**item.facets, "source_id": (f"SKU-{item.key}",)}) for item in known_items(60)]
    folder = write_index(tmp_path / "index", items=items)
    fresh = [replace(item, item_id=f"SKU-{number}") for number, item in zip((5, 70), new_items([65, 70]), strict=True)]
    with open_writer(folder, encoder=WordEncoder()) as writer:
        assert writer.add(fresh).differing == ["SKU-5"]
        assert writer.add(fresh, update=True).updated == ["SKU-5"]
    index = Index.open(folder, encoder=WordEncoder())
    assert len(index) == 61 and index.items.of_id("SKU-70") is not None and index.items.of_id("SKU-5") is None
    changed = index.items.of_id("6")
    assert changed is not None and changed.intro == words_of(65) and changed.own_id == "SKU-5"
    assert index.search(like="SKU-7", limit=3) == index.search(like="8", limit=3)
    assert index.search(like="SKU-7:intro", limit=3) == index.search(like="8:intro", limit=3)
    hit = index.search(text=words_of(7))[0]
    assert hit.to_json()["source_id"] == "SKU-7" and any("SKU-7" in line for line in answer_lines(Answer([hit])))
    with open_writer(folder) as writer:
        assert writer.remove(["SKU-5", "SKU-70", "SKU-99"]) == ["SKU-5", "SKU-70"]
    assert not {"6", "SKU-70"} & ids_of(folder)


def test_one_writer_at_a_time(folder: Path) -> None:
    busy = pytest.raises(ConfigError, match="is being changed by another process; wait")
    with open_writer(folder), busy, open_writer(folder):
        pass
    with open_writer(folder):
        pass


def killed_writers(folder: Path, rounds: int, seed: int) -> tuple[int, int]:
    """Kill a writer `rounds` times at random moments and check after each; returns kills and acknowledged changes."""
    dice = random.Random(seed)
    expected = {str(number + 1): "" for number in range(60)}  # id -> version of its words
    changes = 0
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(["src", *filter(None, [os.environ.get("PYTHONPATH")])])}
    for at in range(rounds):
        command = [sys.executable, "-m", "tests.search.writing", str(folder), str(seed * 1000 + at)]
        process = subprocess.Popen(command, cwd=HERE, stdout=subprocess.PIPE, env=environment, text=True)
        assert process.stdout is not None
        select.select([process.stdout], [], [], 60)  # the first change is done
        time.sleep(dice.random() * 0.4)
        process.send_signal(signal.SIGKILL)
        lines = [line.split() for line in process.stdout.read().splitlines()]
        process.wait()
        for what, *ids in lines:
            changes += 1
            for item_id in ids:
                if what == "remove":
                    expected.pop(item_id)
                else:
                    expected[item_id] = what
        index = Index.open(folder)
        items = list(index.items.all())
        there = {item.item_id for item in items}
        assert (
            len(there) == len(items) == len(index) == index.manifest.counts["poster"] == index.engines["poster"].count()
        )
        # one more batch may have happened than was said; nothing that was said is missing
        unsaid_added, unsaid_removed = there - expected.keys(), expected.keys() - there
        assert len(unsaid_added) <= 5 and (not unsaid_removed or (len(unsaid_removed) == 9 and not unsaid_added))
        for side in ("poster", "intro"):
            keys = index.engines[side].keys()
            assert keys.tolist() == sorted(item.key for item in items)
            assert index.engines[side].take(keys).any(axis=1).all()
        expected = {item.item_id: "" for item in items}
    return rounds, changes


def test_a_killed_writer_loses_nothing_that_was_acknowledged(folder: Path) -> None:
    _, changes = killed_writers(folder, 3, seed=1)
    assert changes >= 3


@pytest.mark.slow
def test_two_hundred_killed_writers(tmp_path: Path) -> None:
    for engine, rounds in (("exact", 140), ("lance", 60)):
        kills, changes = killed_writers(write_index(tmp_path / engine, engine=engine), rounds, seed=7)
        assert kills == rounds and changes > rounds


def test_batches_are_committed_one_by_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth, "BATCH", 4)
    seen: list[int] = []
    with open_writer(folder, encoder=WordEncoder()) as writer:
        writer.add(new_items(range(100, 110)), acknowledge=lambda ids: seen.append(len(ids_of(folder))))
    assert seen == [64, 68, 70]
