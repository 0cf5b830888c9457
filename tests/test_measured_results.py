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
    for name, text, chinese in results.pages():
        assert results.page(text, results.entries(), chinese) == text, f"{name}: python benchmarks/results.py write"


def test_every_other_number_has_a_source(results: ModuleType) -> None:
    for name, text, _ in results.pages():
        assert results.unfounded(name, text, results.entries()) == [], name


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


def test_a_stated_number_counts_in_its_section_only(results: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    stated = {"numbers": [{"page": "README.md", "section": "Results", "from": "a test", "numbers": ["9.876"]}]}
    monkeypatch.setattr(results, "_stated", lambda: stated)
    said = "# Title\n\n## Results\nIt finds 9.876 of them, not 9.987.\n\n## Elsewhere\n9.876 again\n"
    assert results.unfounded("README.md", said, []) == ["9.987", "9.876"]
    assert results.unfounded("docs/other.md", said, []) == ["9.876", "9.987", "9.876"]


def test_only_records_of_the_same_data_stand_side_by_side(results: ModuleType) -> None:
    assert len({(entry["digest"], entry["n"], entry["k"]) for entry in results.entries()}) == 1


def test_kinds_of_processor_are_told_apart(results: ModuleType) -> None:
    of_default = [entry for entry in results.entries() if entry["recipe"] == "default"]
    made = {entry["processor"]: entry for entry in of_default if entry["seed"] == 0}
    other = [{**made["float32"], "seed": seed, "acc_sum": 1.5 + seed / 100} for seed in (1, 2)]
    assert results._first([made["float32"], made["bfloat16"]], "default") is made["bfloat16"]
    assert "(float32)" in results.recipes([made["float32"]], False)
    assert len(results.processors([*made.values(), *other], False).splitlines()) == 3  # only seed 0 was made on both
    spans = results.seeds([made["bfloat16"], made["float32"], *other], False).splitlines()
    assert len(spans) == 3 and "| float32 | 0, 1, 2 |" in spans[2] and spans[2].endswith(" 1.510 to 1.647 |")
