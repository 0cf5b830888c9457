"""Which folder a name on the command line means."""

from __future__ import annotations

from pathlib import Path

import pytest

from cinealign.cli.folders import found_run


def test_a_folder_of_other_things_does_not_hide_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "mine").mkdir(parents=True)
    assert found_run("mine") == Path("runs/mine")
    (tmp_path / "mine").mkdir()  # such as a data folder of that name
    assert found_run("mine") == Path("runs/mine")
    (tmp_path / "mine" / "metrics.json").write_text("{}")
    assert found_run("mine") == Path("mine")
    (tmp_path / "other").mkdir()
    assert found_run("other") == Path("other") and found_run("nowhere") is None
