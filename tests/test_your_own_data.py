"""The commands of docs/your-own-data.md are run as they stand, and what they print is what the page shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from PIL import Image

from cinealign.cli.app import main
from tests.views.tiny_models import save_bert

GUIDE = Path(__file__).parent.parent / "docs" / "your-own-data.md"
BLOCK = re.compile(r"^```(console|sh|yaml)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def documented() -> list[tuple[str, list[str] | None]]:
    """The page's commands in order, each with the lines that it is said to print; None where none are shown."""
    commands: list[tuple[str, list[str] | None]] = []
    for kind, block in BLOCK.findall(GUIDE.read_text(encoding="utf-8")):
        for line in block.splitlines() if kind != "yaml" else ():
            if line.startswith("$ cinealign "):
                commands.append((line.removeprefix("$ cinealign "), []))
            elif line.startswith("cinealign ") and kind == "sh":
                commands.append((line.removeprefix("cinealign "), None))
            else:
                assert commands[-1][1] is not None
                commands[-1][1].append(line)
    return commands


def plain(lines: list[str], numbers: bool) -> list[str]:
    """Lines without the blanks at their ends; without `numbers` every number and its width is one mark."""
    stripped = [line.rstrip() for line in lines]
    return stripped if numbers else [re.sub(r"\s*\d[\d.,]*", " #", line) for line in stripped]


def test_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CINEALIGN_CACHE", str(tmp_path / "store"))
    (tmp_path / "models").mkdir()
    save_bert(tmp_path / "models" / "my-model")
    recipes = [block for kind, block in BLOCK.findall(GUIDE.read_text(encoding="utf-8")) if kind == "yaml"]
    assert len(recipes) == 1 and recipes[0].startswith("# own-model.yaml\n")
    (tmp_path / "own-model.yaml").write_text(recipes[0])
    commands = documented()
    assert len(commands) == 10
    for command, shown in commands:
        with pytest.raises(SystemExit) as stopped:
            main(shlex.split(command))
        printed = capsys.readouterr()
        assert stopped.value.code == 0, printed.err
        if shown is not None:  # accuracies may differ in their last digits on another processor
            exact = not command.startswith("run ")
            said = printed.out.replace(str(tmp_path), "/home/you").rstrip().splitlines()
            assert plain(said, exact) == plain(shown, exact)
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.format == "PNG"


def test_the_page_claims_what_it_shows() -> None:
    """Held-out accuracy in the page's tables is well above chance."""
    text = GUIDE.read_text(encoding="utf-8")
    shown = [float(each) for each in re.findall(r"^   held-out +48 +(0\.\d+)", text, re.MULTILINE)]
    assert len(shown) == 4 and min(shown) > 0.3
