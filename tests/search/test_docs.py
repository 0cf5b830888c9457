"""The examples of docs/search.md run as they stand there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cinealign.search import index as indexes
from tests.search.encoders import WordEncoder
from tests.search.folders import write_index

PAGE = Path(__file__).parents[2] / "docs" / "search.md"


def test_the_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    write_index(tmp_path / "runs" / "default" / "index")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(indexes.Index, "_load_encoder", lambda self: WordEncoder())
    first, second = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    exec(compile(first, "docs/search.md", "exec"), {})
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 5 and printed[0].startswith("1 ") and "Movie" in printed[0]
    space: dict[str, object] = {}
    exec(compile(second, "docs/search.md", "exec"), space)
    nearest = space["nearest"]
    assert (
        isinstance(nearest, list) and nearest[0][:2] == ("1", "Movie 1") and nearest[0][2] == pytest.approx(1, abs=1e-5)
    )


def test_the_page_names_every_command_and_option() -> None:
    from typer.main import get_command

    from cinealign.cli.app import app

    page = PAGE.read_text(encoding="utf-8")
    commands = get_command(app).commands  # type: ignore[attr-defined]
    for option in (name for parameter in commands["search"].params for name in parameter.opts if name.startswith("--")):
        assert option in page, option
    for name in commands["index"].commands:
        assert name in ("make", "info", "compact") or f"cinealign index {name}" in page, name
