"""Sixty submissions of the benchmark, on the drawn sample: forty honest ones unaccused, twenty fakes found as they can be."""

import importlib
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.mark.slow
def test_no_honest_submission_is_accused_and_every_fake_is_seen(sample, tmp_path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    benchmark = importlib.import_module("grading")
    assert benchmark.main(["--data", str(sample.folder), "--work", str(tmp_path)]) == 0, capsys.readouterr().out
    said = capsys.readouterr().out
    assert "40 honest, 0 accused; 60 of 60 seen as they should be" in said
    assert {path.name for path in (tmp_path / "out" / "zh").iterdir()} >= {"grades.csv", "grades.xlsx", "index.html"}
