"""From data that cinealign has never seen to a scored run in two commands, for each format."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from cinealign.cli.app import main
from cinealign.data.drawn.flags import draw_flags
from tests.data.importing.tables import FORMATS, Rows, drawn_rows

FLAGS = 40
RECIPE = {
    "name": "quick",
    "views": {"looks": {"view": "classical"}, "words": {"view": "tfidf"}},
    "align": [{"expert": "cca", "poster": "looks", "intro": "words", "dimensions": 12, "ridge": 1}],
    "evaluation": {"bootstrap": 100},
}


@pytest.fixture(scope="module")
def flags(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drawn") / "flags"
    draw_flags(folder, flags=FLAGS, seed=1)
    return folder


@pytest.fixture(scope="module")
def rows(flags: Path) -> Rows:
    return drawn_rows(flags)


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A recipe, and a feature store that all formats share, as their pictures are the same."""
    home = tmp_path_factory.mktemp("workplace")
    (home / "quick.yaml").write_text(yaml.safe_dump(RECIPE))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CINEALIGN_CACHE", str(home / "store"))
        yield home


@pytest.mark.parametrize("name", FORMATS)
def test_two_commands(
    name: str, flags: Path, rows: Rows, workplace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = FORMATS[name](tmp_path, flags, rows)
    out, run = tmp_path / "mine", tmp_path / "run"
    for command in (
        ["data", "import", *arguments, "--out", str(out), "--noun", "flag", "--look", "0"],
        ["run", "--data", str(out), "--recipe", str(workplace / "quick.yaml"), "--out", str(run)],
    ):
        with pytest.raises(SystemExit) as stopped:
            main(command)
        shown = capsys.readouterr()
        assert stopped.value.code == 0, shown.err
    assert f"{FLAGS} flags read, 0 dropped: no poster, N = {FLAGS}" in shown.out
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["n"] == FLAGS and metrics["k"] == 2  # chance 0.05
    assert metrics["poster_to_intro"]["train"] > 0.5
    assert metrics["curve"]["area"]["poster_to_intro"]["held_out"] > 0.6  # chance 0.5
    with (out / "info.csv").open(encoding="utf-8", newline="") as file:
        kept = list(csv.DictReader(file))
    assert {row["intro"]: digest(out / "poster" / f"{row['id']}.jpg") for row in kept} == {
        row["description"]: digest(flags / row["picture"]) for row in rows
    }


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
