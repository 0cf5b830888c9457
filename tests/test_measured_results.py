"""README and docs hold no number that no recorded run gives, and every table is what its runs give."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def results() -> ModuleType:
    spec = importlib.util.spec_from_file_location("results", ROOT / "benchmarks" / "results.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["results"] = module
    spec.loader.exec_module(module)
    return module


def test_every_table_is_what_its_runs_give(results: ModuleType) -> None:
    for path, text, chinese in results.pages():
        assert results.page(text, results.entries(), chinese) == text, f"{path}: python benchmarks/results.py write"


def test_every_other_number_has_a_source(results: ModuleType) -> None:
    for path, text, _ in results.pages():
        assert results.unfounded(text, results.entries()) == [], path


def test_the_readme_shows_the_default_recipe_first(results: ModuleType) -> None:
    table = results.headline(results.entries(), False).splitlines()
    assert table[2].startswith("| `default` | 0.") and len(table) >= 5


def test_a_changed_number_is_noticed(results: ModuleType) -> None:
    entries = results.entries()
    text = f"<!-- results: headline -->\n{results.headline(entries, False)}<!-- end -->\n"
    assert results.page(text, entries) == text
    shown = f"{entries[0]['poster_to_intro']['held_out'][0]:.3f}"
    forged = text.replace(shown, "0.987")
    assert forged != text and results.page(forged, entries) == text
    assert results.unfounded("It finds 0.987 of them, chance 0.050.", entries) == ["0.987"]


def test_only_records_of_the_same_data_stand_side_by_side(results: ModuleType) -> None:
    assert len({(entry["digest"], entry["n"], entry["k"]) for entry in results.entries()}) == 1
