"""Tables on a terminal of 80, 100 and 120 columns, in both languages: no line is wider, no column is lost."""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

import pytest
from rich.cells import cell_len

from cinealign import phrases
from cinealign.cli.app import main
from cinealign.phrases import said
from cinealign.run import Run
from cinealign.views.store import FeatureStore

SHOWN = {
    ("show", "{run}"): ("top 5 %", "95 % interval", "top 50 %", "R@1", "R@5", "R@10", "median"),
    ("evaluate", "{run}"): ("top 5 %", "95 % interval", "median"),
    ("runs", "{home}"): ("N", "sum, all", "data"),
    ("diff", "{run}", "{again}"): ("direction", "change", "95 % interval", "p", "1st / 2nd", "Holm"),
    ("slices", "{run}", "--data", "{data}"): ("slice", "items", "median"),
    ("geometry", "{run}", "--data", "{data}"): ("measure", "value", "what it says", "before", "after"),
    ("recipes",): (),
    ("data", "check", "{data}"): (),
    ("data", "describe", "{data}"): ("least", "25 %", "median", "most"),
}
"""Command -> heads that must be there."""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("columns", [80, 100, 120])
def test_no_line_is_wider_and_no_column_is_lost(
    columns: int,
    lang: str,
    finished: Run,
    sample_folder: Path,
    store: FeatureStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CINEALIGN_CACHE", str(store.folder))
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.chdir(tmp_path)
    for name in ("run", "again"):
        shutil.copytree(finished.folder, tmp_path / "runs" / name)
    Path("data").symlink_to(sample_folder)
    places = {"run": "runs/run", "again": "runs/again", "home": "runs", "data": "data"}
    for command, heads in SHOWN.items():
        terminal = Terminal()
        monkeypatch.setattr(sys, "stdout", terminal)
        with pytest.raises(SystemExit) as ended:
            main(["--lang", lang, *(part.format(**places) for part in command)])
        phrases.use_language("en")
        lines = terminal.getvalue().splitlines()
        assert ended.value.code == 0 and lines, command
        assert [line for line in lines if cell_len(line.rstrip()) > columns] == [], command
        text = " ".join(lines)
        assert [head for head in heads if (said(head) if lang == "zh" else head) not in text] == [], command
        assert "…" not in text and "..." not in text.replace(" ...", ""), command
