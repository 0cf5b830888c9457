from __future__ import annotations

import csv
import io
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.cells import cell_len
from rich.console import Console

from cinealign import phrases
from cinealign.cli.app import main
from cinealign.cli.show.comparison import print_comparison
from cinealign.data.catalogue import Catalogue
from cinealign.errors import ConfigError
from cinealign.evaluation.comparison import holm, paired_bootstrap
from cinealign.evaluation.metrics import DIRECTIONS, SPLITS
from cinealign.recipe import Recipe
from cinealign.run import Run
from cinealign.state import State
from cinealign.studies import compare as module
from cinealign.studies.compare import compare, differences, learned_numbers, summary
from cinealign.studies.compare_table import markdown, save_comparison
from cinealign.views.store import FeatureStore
from tests.studies.test_tune import QUICK

GOOD = {**QUICK, "name": "good", "align": QUICK["align"][1:]}
HEAD = {
    **QUICK,
    "name": "head",
    "align": [
        {
            "expert": "contrastive",
            "poster": "appearance",
            "intro": "words",
            "dimensions": 16,
            "training": {"epochs": 2, "batch_size": 64},
        }
    ],
}


@pytest.fixture(scope="module")
def recipes() -> list[Recipe]:
    return [Recipe.parse(GOOD), Recipe.parse(HEAD)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("compared") / "compare"


@pytest.fixture(scope="module")
def compared(recipes: list[Recipe], sample: Catalogue, folder: Path, store: FeatureStore) -> dict[str, Any]:
    found = compare(sample, recipes, folder, seeds=2, store=store)
    save_comparison(found, folder)
    return found


def test_means_are_those_of_the_runs(compared: dict[str, Any], folder: Path) -> None:
    assert (compared["n"], compared["k"], compared["chance"], compared["seeds"]) == (240, 12, 0.05, 2)
    assert compared["split"] == {"all": 240, "train": 144, "held_out": 96}
    for entry in compared["recipes"]:
        assert entry["seeds"] == [3, 4]
        runs = [Run(folder / entry["recipe"] / f"seed-{seed}") for seed in (3, 4)]
        for direction in DIRECTIONS:
            for split in SPLITS:
                measure = entry["accuracy"][direction][split]
                each = [run.metrics[direction][split] for run in runs]
                assert measure["seeds"] == pytest.approx(each) and measure["mean"] == pytest.approx(np.mean(each))
                assert measure["spread"] == pytest.approx(np.std(each, ddof=1))
                assert measure["interval"][0] <= measure["mean"] <= measure["interval"][1]
        assert entry["acc_sum"]["mean"] == pytest.approx(np.mean([run.metrics["acc_sum"] for run in runs]))
        assert entry["course_score"] == pytest.approx(np.mean([run.metrics["course_score"] for run in runs]))
        assert entry["seconds"] > 0 and all(run["store"] in ("warm", "cold") for run in entry["runs"])


def printed(comparison: dict[str, Any], lang: str = "en") -> str:
    console = Console(file=io.StringIO(), width=80)
    phrases.use_language(lang)
    print_comparison(comparison, console)
    phrases.use_language("en")
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_tables_speak_chinese(compared: dict[str, Any]) -> None:
    shown = printed(compared, "zh")
    assert "海报→简介，留出" in shown and "…" not in shown
    assert all(cell_len(line) <= 80 for line in shown.splitlines() if line.startswith(" "))
    assert not re.search(r"[a-z]{3,} [a-z]{3,}", shown)


def test_files(compared: dict[str, Any], folder: Path) -> None:
    assert json.loads((folder / "comparison.json").read_text()) == compared
    with (folder / "comparison.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["recipe"] for row in rows] == ["good", "head"]
    held_out = compared["recipes"][0]["accuracy"]["intro_to_poster"]["held_out"]
    assert float(rows[0]["intro_to_poster_held_out"]) == held_out["mean"]
    assert float(rows[0]["intro_to_poster_held_out_low"]) == held_out["interval"][0]
    with (folder / "differences.csv").open(newline="", encoding="utf-8") as file:
        (pair,) = csv.DictReader(file)
    assert (pair["first"], pair["second"], pair["movies"]) == ("good", "head", "96")
    assert (folder / "comparison.pdf").read_bytes().startswith(b"%PDF")
    assert (folder / "comparison.png").read_bytes().startswith(b"\x89PNG")
    text = (folder / "comparison.md").read_text(encoding="utf-8")
    for part in ("k = 12", "N = 240", "chance 0.0500", "96 held-out", "| good |", "Holm's correction over 1 pairs"):
        assert part in text
    shown = printed(compared)
    assert "k = 12" in shown and max(len(line) for line in shown.splitlines() if " to 0" in line) <= 80
    for direction in DIRECTIONS:
        for split in SPLITS:  # every accuracy with its interval, in the file and on the terminal
            measure = compared["recipes"][0]["accuracy"][direction][split]
            low, high = measure["interval"]
            assert f"{measure['mean']:.3f} ({low:.3f} to {high:.3f})" in text
            assert f"{low:.3f} to {high:.3f}" in shown


def test_imported_data_have_no_course_score(compared: dict[str, Any]) -> None:
    imported = {**compared, "data": {**compared["data"], "assignment": False}}
    assert compared["data"]["assignment"] and "course" in printed(compared) + markdown(compared)
    assert "course" not in printed(imported) + markdown(imported)


def test_finished_runs_are_used_again(
    compared: dict[str, Any],
    recipes: list[Recipe],
    sample: Catalogue,
    folder: Path,
    store: FeatureStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "align", None)
    assert compare(sample, recipes, folder, seeds=2, store=store) == compared
    only = compare(sample, recipes[:1], folder, seeds=1, store=store)
    assert only["differences"] == [] and only["recipes"][0]["accuracy"]["poster_to_intro"]["all"]["spread"] is None
    assert "good" in markdown(only)


def test_an_interrupted_comparison_makes_only_what_is_missing(
    compared: dict[str, Any],
    recipes: list[Recipe],
    sample: Catalogue,
    folder: Path,
    store: FeatureStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shutil.copytree(folder, tmp_path / "again")
    shutil.rmtree(tmp_path / "again" / "head" / "seed-4")
    made: list[Path] = []
    align = module.align

    def spy(catalogue: Catalogue, recipe: Recipe, out: Path, **options: Any) -> Run:
        made.append(out)
        return align(catalogue, recipe, out, **options)

    monkeypatch.setattr(module, "align", spy)
    found = compare(sample, recipes, tmp_path / "again", seeds=2, store=store)
    assert made == [tmp_path / "again" / "head" / "seed-4"]
    for new, old in zip(found["recipes"], compared["recipes"], strict=True):
        assert new["accuracy"] == old["accuracy"]
    assert found["differences"] == compared["differences"]
    (cost,) = [run for run in found["recipes"][1]["runs"] if run["folder"].endswith("seed-4")]
    assert cost["store"] == "warm" and cost["computed_items"] == 0 and not cost["resumed"]


def test_a_run_of_something_else_is_refused(
    compared: dict[str, Any], sample: Catalogue, folder: Path, store: FeatureStore, tmp_path: Path
) -> None:
    shutil.copytree(folder, tmp_path / "again")
    changed = Recipe.parse({**GOOD, "description": "another"})
    with pytest.raises(ConfigError, match="is a run of another recipe, data or version; pass --force"):
        compare(sample, [changed], tmp_path / "again", seeds=1, store=store)
    compare(sample, [changed], tmp_path / "again", seeds=1, store=store, force=True)
    assert Run(tmp_path / "again" / "good" / "seed-3").recipe == changed


def test_two_recipes_of_one_name_are_refused(recipes: list[Recipe], sample: Catalogue, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="two recipes are named 'good'"):
        compare(sample, [recipes[0], recipes[0]], tmp_path)
    with pytest.raises(ConfigError, match="seeds must be >= 1"):
        compare(sample, recipes, tmp_path, seeds=0)
    with pytest.raises(ConfigError, match="name a recipe"):
        compare(sample, [], tmp_path)


def test_differences_equal_the_paired_bootstrap_and_holm() -> None:
    generator = np.random.default_rng(0)
    hits = {name: generator.binomial(5, share, size=(97, 2)) for name, share in (("a", 0.3), ("b", 0.32), ("c", 0.6))}
    found = differences(hits, 5)
    slow = []
    for pair in found:
        first, second = (hits[pair[name]] for name in ("first", "second"))
        slow.append(paired_bootstrap(first.sum(axis=1), second.sum(axis=1), samples=pair["samples"]))
        assert pair["sum"]["difference"] == pytest.approx(slow[-1].difference / 5)
        assert pair["sum"]["interval"] == pytest.approx([slow[-1].low / 5, slow[-1].high / 5])
        assert pair["sum"]["p"] == slow[-1].p
        one = paired_bootstrap(first[:, 1], second[:, 1], samples=pair["samples"])
        assert (pair["intro_to_poster"]["p"], pair["intro_to_poster"]["difference"]) == (
            one.p,
            pytest.approx(one.difference / 5),
        )
    assert [pair["sum"]["p_holm"] for pair in found] == holm([each.p for each in slow])
    assert [pair["sum"]["real"] for pair in found] == [False, True, True]


def test_many_pairs_can_still_be_told_apart() -> None:
    hits = {str(at): np.full((50, 2), at, dtype=np.int64) for at in range(15)}  # each surely better than those before
    found = differences(hits, 15)
    assert len(found) == 105 and all(pair["sum"]["real"] for pair in found)


def test_equal_recipes_do_not_differ() -> None:
    hits = np.random.default_rng(1).binomial(3, 0.5, size=(60, 2))
    (pair,) = differences({"a": hits, "b": hits.copy()}, 3)
    assert (pair["sum"]["difference"], pair["sum"]["p"], pair["sum"]["real"]) == (0.0, 1.0, False)


def test_summary_by_hand() -> None:
    """Two seeds, four movies: one seed finds all, the other the first two, in both directions."""
    hits = np.ones((2, 4, 2), dtype=bool)
    hits[1, 2:] = False
    found = summary(hits, {"all": np.arange(4), "train": np.arange(4), "held_out": np.arange(0)}, samples=100)
    assert found["accuracy"]["poster_to_intro"]["all"]["seeds"] == [1.0, 0.5]
    assert found["acc_sum"]["mean"] == 1.5 and found["held_out_sum"] is None
    assert found["course_score"] == (15 + 10) / 2


def test_learned_numbers(tmp_path: Path) -> None:
    State({"a": np.zeros((3, 4), np.float32), "b": np.zeros(7, np.int64)}).save(tmp_path / "expert-0.safetensors")
    State({"c": np.zeros((2, 1), np.float64)}).save(tmp_path / "view-x.safetensors")
    assert learned_numbers(tmp_path) == 14


def test_command(
    compared: dict[str, Any],
    sample_folder: Path,
    folder: Path,
    store: FeatureStore,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("CINEALIGN_CACHE", str(store.folder))
    files = []
    for recipe in (GOOD, HEAD):
        files.append(tmp_path / f"{recipe['name']}.yaml")
        files[-1].write_text(Recipe.parse(recipe).to_yaml(), encoding="utf-8")
    arguments = ["compare", *map(str, files), "--seeds", "2", "--data", str(sample_folder), "--out", str(folder)]
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    out = capsys.readouterr().out
    assert ended.value.code == 0 and "chance 0.0500" in out and "comparison.md" in out
    with pytest.raises(SystemExit):
        main([*arguments, "--json"])
    assert json.loads(capsys.readouterr().out) == compared
