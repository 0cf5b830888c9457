"""The commands of docs/journeys.md run as they stand: the owner's journey by default, all of them in the slow tests."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from cinealign.cli.app import main

PAGES = tuple(Path(__file__).parent.parent / "docs" / name for name in ("journeys.md", "journeys.zh.md"))
BLOCK = re.compile(r"^```(console|sh|yaml)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NOTE = 3
"""How `audit` ends where the numbers of a D leave the question open."""


def commands(text: str) -> list[str]:
    """The commands in a page or a part of it, in order."""
    blocks = [block for kind, block in BLOCK.findall(text) if kind != "yaml"]
    lines = [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]
    assert all(line.startswith("cinealign ") for line in lines)
    return [line.removeprefix("cinealign ") for line in lines]


def walk(text: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run the commands in `home`; gives how many there are."""
    monkeypatch.chdir(home)
    monkeypatch.setenv("CINEALIGN_CACHE", str(home / "store"))
    for command in commands(text):
        with pytest.raises(SystemExit) as stopped:
            main(shlex.split(command))
        assert stopped.value.code in ((0, NOTE) if command.startswith("audit") else (0,)), command
    return len(commands(text))


def test_the_journey_of_an_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = PAGES[0].read_text(encoding="utf-8").partition("## The owner")[2]
    assert walk(owner, tmp_path, monkeypatch) == 9
    assert (tmp_path / "vectors.npz").is_file() and (tmp_path / "runs" / "flags" / "index").is_dir()


@pytest.mark.slow
def test_every_journey(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = PAGES[0].read_text(encoding="utf-8")
    (recipe,) = (block for kind, block in BLOCK.findall(text) if kind == "yaml")
    (tmp_path / "mine.yaml").write_text(recipe, encoding="utf-8")
    (tmp_path / "hand-ins").mkdir()
    assert walk(text, tmp_path, monkeypatch) == 25
    assert (tmp_path / "curves.pdf").is_file() and (tmp_path / "graded" / "grades.csv").is_file()
    assert (tmp_path / "hand-in" / "2024001.zip").is_file()


def test_both_languages_show_the_same_commands() -> None:
    english, chinese = (page.read_text(encoding="utf-8") for page in PAGES)
    assert commands(english) == commands(chinese)
