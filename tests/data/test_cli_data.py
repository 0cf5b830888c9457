from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cinealign.cli.data import data_app
from cinealign.errors import DataError
from tests.data.folders import make_folder


def test_check_prints_the_report(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "data", posters=(10, 20, 30))
    result = CliRunner().invoke(data_app, ["check", str(folder)])
    assert result.exit_code == 0
    assert result.stdout.startswith("4 movies read, 1 dropped: no poster, N = 3, 2 train rows\n")
    assert "dropped: items without a poster: 1 (40)" in result.stdout


def test_check_as_json(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "data", posters=(10, 20, 30))
    content = json.loads(CliRunner().invoke(data_app, ["check", str(folder), "--json"]).stdout)
    assert (content["n"], content["train_rows"], content["drops"][0]["names"]) == (3, 2, ["40"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--missing-intro", "error"], "no intro"),
        (["--missing-intro", "drop", "--train-ids", "ids"], "names item id 0"),
        (["--missing-intro", "drop", "--strict"], "no intro"),
    ],
)
def test_check_passes_its_options_on(tmp_path: Path, options: list[str], message: str) -> None:
    folder = make_folder(tmp_path / "data", intros={20: ""})
    result = CliRunner().invoke(data_app, ["check", str(folder), *options])
    assert isinstance(result.exception, DataError) and message in str(result.exception)


def test_check_names_missing_intros_and_says_what_a_run_wants(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "data", intros={20: "<NA>"})
    result = CliRunner().invoke(data_app, ["check", str(folder)])
    assert result.exit_code == 0
    assert "dropped: items without an intro: 1 (20)" in result.stdout
    assert "--missing-intro drop" in result.stderr


def test_sample_draws_what_check_reads(tmp_path: Path) -> None:
    folder = tmp_path / "drawn"
    result = CliRunner().invoke(data_app, ["sample", str(folder), "--movies", "10", "--seed", "3"])
    assert result.exit_code == 0 and "drew 10 movies into" in result.stdout
    assert ", N = 10, 6 train rows" in CliRunner().invoke(data_app, ["check", str(folder)]).stdout
