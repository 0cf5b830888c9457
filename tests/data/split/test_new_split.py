"""Making splits."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from cinealign.cli.app import main
from cinealign.data.catalogue import Catalogue
from cinealign.data.split.folder import SplitOptions, split_folder
from cinealign.data.split.new_split import group_split, own_split, random_split, year_split
from cinealign.errors import ConfigError, DataError
from tests.data.folders import make_folder

IDS = tuple(range(10, 110, 10))


def test_random_is_seeded_and_as_large_as_asked() -> None:
    split = random_split(11, share=0.6, seed=3)
    assert len(split.train) == 7 and split.train == random_split(11, share=0.6, seed=3).train
    assert split.train != random_split(11, share=0.6, seed=4).train
    assert random_split(2, share=0.99).train in ([0], [1])
    with pytest.raises(DataError, match="needs two items at least, there is 1"):
        random_split(1)


def test_groups_stay_on_one_side() -> None:
    groups = [["a"], ["b"], ["a", "c"], ["c"], [], ["d"], ["d"], []]
    for seed in range(20):
        split = group_split(groups, share=0.6, seed=seed)
        train = set(split.train)
        assert 0 < len(train) <= 5
        assert len({0, 2, 3} & train) in (0, 3) and len({5, 6} & train) in (0, 2)
    assert {len(group_split(groups, share=0.6, seed=seed).train) for seed in range(20)} <= {4, 5}


def test_groups_that_join_everything_are_refused() -> None:
    with pytest.raises(DataError, match="maker joins 3 of 3 items"):
        group_split([["a"], ["a", "b"], ["b"]], what="maker")
    with pytest.raises(DataError, match="no item has a maker"):
        group_split([[], []], what="maker")


def test_years() -> None:
    years = [1950, None, 1960, 1970, 1980]
    assert year_split(years, 1970).train == [0, 2]
    chosen = year_split(years, share=0.6)  # three of five: those before 1980
    assert chosen.train == [0, 2, 3] and chosen.settings == {"before": 1980, "without a year": 1}
    with pytest.raises(DataError, match="0 of 5 items are from before 1900; years are 1950 to 1980"):
        year_split(years, 1900)
    with pytest.raises(DataError, match="no item has a year"):
        year_split([None])


def test_own() -> None:
    assert own_split(["train", "test", "TRAIN "], "part").train == [0, 2]
    assert own_split(["1", "0", "1"], "fold", "0").train == [1]
    with pytest.raises(DataError, match="column 'part' names no train item; it says 'a', 'b'"):
        own_split(["a", "b"], "part")


def folder_of(home: Path) -> Path:
    folder = make_folder(home, ids=IDS)
    (folder / "train.txt").unlink()
    return folder


def test_written_and_read_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = folder_of(tmp_path / "data")
    with pytest.raises(SystemExit) as stopped:
        main(["data", "split", str(folder), "--seed", "5"])
    assert stopped.value.code == 0
    said = capsys.readouterr().out
    assert said.startswith("split: random (share 0.6, seed 5); drawn here, not the assignment's: 6 train, 4 held out\n")
    listing = (folder / "train.txt").read_bytes()
    record = json.loads((folder / "split.json").read_text())
    assert record["digest"] == hashlib.sha256(listing).hexdigest()
    assert (record["kind"], record["settings"], record["train"], record["held_out"]) == (
        "random",
        {"share": 0.6, "seed": 5},
        6,
        4,
    )
    catalogue = Catalogue.load(folder)
    assert catalogue.ids[catalogue.train_rows].tolist() == [int(line) for line in listing.split()]
    assert "train.txt holds item ids (as split.json says); held out: 4" in catalogue.report.lines()
    assert "split: random (share 0.6, seed 5); drawn here, not the assignment's" in catalogue.report.lines()


def test_ids_that_could_be_rows_are_read_as_ids(tmp_path: Path) -> None:
    """Ids 1 to 6 are row numbers as well, all but the last; the record settles it."""
    folder = make_folder(tmp_path / "data", ids=(2, 1, 4, 3, 5, 6), train="4\n3\n1\n")
    with pytest.raises(DataError, match="row numbers and item ids alike"):
        Catalogue.load(folder)
    content = (folder / "train.txt").read_bytes()
    record = {"kind": "list", "settings": {}, "train": 3, "held_out": 3, "digest": hashlib.sha256(content).hexdigest()}
    (folder / "split.json").write_text(json.dumps(record))
    assert Catalogue.load(folder).train_rows.tolist() == [1, 2, 3]
    (folder / "train.txt").write_text("4\n3\n1\n2\n")  # edited since: the record no longer counts
    with pytest.raises(DataError, match="row numbers and item ids alike"):
        Catalogue.load(folder)


def test_an_existing_train_list_is_not_overwritten(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "data", ids=IDS)
    before = (folder / "train.txt").read_bytes()
    with pytest.raises(DataError, match=r"train\.txt exists; pass --force to replace it"):
        split_folder(folder, SplitOptions())
    assert (folder / "train.txt").read_bytes() == before and not (folder / "split.json").exists()
    assert split_folder(folder, SplitOptions(), force=True).train == 6


def test_only_items_with_both_sides_are_split(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "data", ids=IDS, posters=IDS[1:], intros={20: ""})
    (folder / "train.txt").unlink()
    (folder / "poster" / "30.jpg").write_bytes(b"damaged")
    record = split_folder(folder, SplitOptions())
    assert record.train + record.held_out == 7
    catalogue = Catalogue.load(folder, missing_intro="drop")
    assert len(catalogue.train_rows) == record.train and len(catalogue) == 7


def test_by_a_column(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "data")
    text = (folder / "info.csv").read_text().splitlines()
    makers = ["maker", "x", "x", "y", "y|z", "z", "v", "v", "w", "w", ""]
    (folder / "info.csv").write_text("\n".join(f"{line},{maker}" for line, maker in zip(text, makers, strict=True)))
    record = split_folder(folder, SplitOptions(by="group", column="maker", seed=2))
    train = {int(line) for line in (folder / "train.txt").read_text().split()}
    for block in ({10, 20}, {30, 40, 50}, {60, 70}, {80, 90}):
        assert len(block & train) in (0, len(block))
    assert record.settings["by"] == "maker" and record.settings["blocks"] == 5
    own = split_folder(folder, SplitOptions(by="own", column="maker", train_value="x"), force=True)
    assert (own.train, own.kind) == (2, "own")
    with pytest.raises(DataError, match=r"info\.csv has no column 'colour'; it has: id, name, genre"):
        split_folder(folder, SplitOptions(by="group", column="colour"), force=True)


def test_by_director_and_sequel(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "data")  # titles "Movie 10 (1990)" ... are sequels of each other, all by A
    with pytest.raises(DataError, match="sequel or director joins 10 of 10 items"):
        split_folder(folder, SplitOptions(by="group"))


def test_by_list_of_source_ids(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "data")
    text = (folder / "info.csv").read_text().splitlines()
    sources = ["source_id", *(f"no {i}" for i in IDS)]
    (folder / "info.csv").write_text("\n".join(f"{line},{one}" for line, one in zip(text, sources, strict=True)))
    (tmp_path / "list").write_text("no 20\nno 100\n\n")
    record = split_folder(folder, SplitOptions(by="list", listing=tmp_path / "list"))
    assert (folder / "train.txt").read_text() == "20\n100\n"
    assert record.line() == "split: a given list (file list, numbers source_id)"
    (tmp_path / "list").write_text("no 21\n")
    with pytest.raises(DataError, match=r"list names 'no 21', which no source_id of info\.csv is"):
        split_folder(folder, SplitOptions(by="list", listing=tmp_path / "list"), force=True)


def test_by_list_of_rows(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "data")
    (tmp_path / "list").write_text("0 3\n5\n")
    split_folder(folder, SplitOptions(by="list", listing=tmp_path / "list"))
    assert (folder / "train.txt").read_text() == "10\n40\n60\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (SplitOptions(by="size"), "a split is one of: own, list, random, group, year; got 'size'"),
        (SplitOptions(by="list"), "--by list needs --from FILE"),
        (SplitOptions(column="x"), "--column is for --by own or group, not for random"),
        (SplitOptions(by="group", before=3), "--before is for --by year, not for group"),
        (SplitOptions(share=0), "must be between 0 and 1, got 0"),
    ],
)
def test_options_that_make_no_sense(tmp_path: Path, options: SplitOptions, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        split_folder(folder_of(tmp_path / "data"), options)


def test_sides_of_the_sample(sample_folder: Path, tmp_path: Path) -> None:
    """On a real folder: what is held out by year is younger than all that is train."""
    folder = tmp_path / "data"
    shutil.copytree(sample_folder, folder)
    split_folder(folder, SplitOptions(by="year"), force=True)
    catalogue = Catalogue.load(folder)
    years = [movie.year or 0 for movie in catalogue.movies]
    assert max(years[row] for row in catalogue.train_rows) < min(years[row] for row in catalogue.held_out_rows)
    assert abs(len(catalogue.train_rows) / len(catalogue) - 0.6) < 0.05
    split_folder(folder, SplitOptions(by="group"), force=True)
    catalogue = Catalogue.load(folder)
    sides = [
        {name for row in rows for name in catalogue.movies[row].directors}
        for rows in (catalogue.train_rows, catalogue.held_out_rows)
    ]
    assert sides[0].isdisjoint(sides[1])
