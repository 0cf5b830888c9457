from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from cinealign.data.catalogue import Catalogue
from cinealign.errors import DataError
from cinealign.recipe import Recipe
from cinealign.run import Run
from cinealign.run_data import RunData
from cinealign.run_draft import RunDraft
from cinealign.state import State


def write_run(out: Path, recipe: Recipe, catalogue: Catalogue, like: Run) -> Run:
    """A run on `catalogue` made at once from what another run has found."""
    with RunDraft.open(out, recipe, catalogue, force=False) as draft:
        draft.checkpoint("step", State)
        return draft.finish(like.model, *like.vectors, {"n": 1})


@pytest.fixture
def gappy(sample_folder: Path, tmp_path: Path) -> Path:
    """A data folder with one intro missing."""
    folder = tmp_path / "gappy"
    shutil.copytree(sample_folder, folder)
    with (folder / "info.csv").open(encoding="utf-8", newline="") as file:
        head, *rows = list(csv.reader(file))
    rows[0][head.index("intro")] = ""
    with (folder / "info.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, *rows])
    return folder


@pytest.fixture
def made(gappy: Path, finished: Run, cheap: Recipe, tmp_path: Path) -> Run:
    """A run on `gappy` that was told to drop what has no intro, of which the reader of the run is not told again."""
    return write_run(tmp_path / "run", cheap, Catalogue.load(gappy, missing_intro="drop"), finished)


def test_finds_the_data_where_they_were_and_reads_them_as_the_run_did(
    made: Run, gappy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = RunData.find(made)
    assert found.catalogue.folder == gappy and found.catalogue.digest == made.catalogue["digest"]
    assert found.held_out.tolist() == found.catalogue.held_out_rows.tolist()


def test_says_that_the_data_are_gone(made: Run, gappy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CINEALIGN_DATA", raising=False)
    metrics = json.loads((made.folder / "metrics.json").read_text())
    metrics["data"]["source"] = "folder"
    (made.folder / "metrics.json").write_text(json.dumps(metrics))
    gappy.rename(tmp_path / "elsewhere")
    with pytest.raises(DataError, match=r"its data folder .*gappy is gone; pass --data DIR"):
        RunData.find(Run(made.folder))
    assert RunData.find(Run(made.folder), tmp_path / "elsewhere").catalogue.digest == made.catalogue["digest"]


def test_says_where_it_reads_data_that_moved(
    made: Run, gappy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    metrics = json.loads((made.folder / "metrics.json").read_text())
    metrics["data"]["source"] = "folder"
    (made.folder / "metrics.json").write_text(json.dumps(metrics))
    gappy.rename(tmp_path / "moved")
    monkeypatch.setenv("CINEALIGN_DATA", str(tmp_path / "moved"))
    assert RunData.find(Run(made.folder)).catalogue.digest == made.catalogue["digest"]
    said = capsys.readouterr().err
    assert f"its data folder {gappy} is gone; reading {tmp_path / 'moved'} in its place" in said


def test_refuses_other_data_unless_told_to_look(made: Run, sample_folder: Path) -> None:
    with pytest.raises(DataError, match=r"does not hold the data that .*run was made from"):
        RunData.find(made, sample_folder)
    assert RunData.find(made, sample_folder, same=False).catalogue.digest != made.catalogue["digest"]


def test_a_run_of_an_older_version_says_neither(made: Run, gappy: Path) -> None:
    (made.folder / "origin.json").unlink()
    catalogue = json.loads((made.folder / "catalogue.json").read_text())
    del catalogue["report"]["missing_intro_asked"]
    (made.folder / "catalogue.json").write_text(json.dumps(catalogue))
    old = Run(made.folder)
    assert old.data_folder is None
    assert RunData.find(old, gappy).catalogue.digest == old.catalogue["digest"]
