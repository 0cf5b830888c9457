"""CONTRIBUTING.md says what the tree says: its rooms, and where a change belongs."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def _make_rooms() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_rooms", ROOT / "docs" / "make_rooms.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_room_table_is_made_from_the_docstrings() -> None:
    assert _make_rooms().page(TEXT) == TEXT, "run docs/make_rooms.py"


def test_a_module_without_a_first_sentence_is_refused(tmp_path: Path) -> None:
    (tmp_path / "room.py").write_text('"""A room of which the sentence\nruns on."""\n', encoding="utf-8")
    with pytest.raises(ValueError, match=r"room\.py"):
        _make_rooms().table(tmp_path)


def test_every_change_names_files_that_exist() -> None:
    section = TEXT.partition("### Twenty changes")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", section, flags=re.MULTILINE)[1:]
    assert len(rows) == 20
    for change, where in rows:
        named = re.findall(r"`([^`]+)`", where)
        assert named, change
        missing = [name for name in named if not any((base / name).exists() for base in (ROOT, ROOT / "src/cinealign"))]
        assert not missing, (change, missing)
