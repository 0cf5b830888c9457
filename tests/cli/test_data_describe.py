from __future__ import annotations

import json
from pathlib import Path

import pytest

from cinealign.cli.app import main


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["data", "describe", *map(str, arguments)])
    return int(ended.value.code or 0)


@pytest.fixture(autouse=True)
def _empty_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CINEALIGN_CACHE", str(tmp_path / "store"))


def test_table_and_page(sample_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.png"
    assert run(sample_folder, "--picture", page) == 0
    said = capsys.readouterr()
    assert "posters have been read before; --lettering reads the others" in said.out
    assert "182 x 268" in said.out and "English" in said.out and page.is_file()
    assert f"wrote {page}" in said.err


def test_json(sample_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(sample_folder, "--json") == 0
    content = json.loads(capsys.readouterr().out)
    assert content["folder"] == str(sample_folder) and content["lettering"] is None
    assert content["counts"]["usable"] == content["counts"]["train"] + content["counts"]["held_out"]
    assert content["unreadable"] == []


def test_wrong_picture_name_is_refused_before_anything_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / "nothing", "--picture", "page.gif") == 2
    assert "ends in .png or .pdf" in capsys.readouterr().err
    assert run(tmp_path / "nothing") == 2
    assert "is not a folder" in capsys.readouterr().err
