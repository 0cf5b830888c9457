from __future__ import annotations

from pathlib import Path

import pytest

from cinealign.errors import ConfigError
from cinealign.recipe import Recipe
from cinealign.recipe_files import read_recipe


def written(folder: Path, name: str, text: str) -> Path:
    file = folder / f"{name}.yaml"
    file.write_text(f"name: {name}\n{text}", encoding="utf-8")
    return file


def test_a_recipe_takes_over_what_it_does_not_say(tmp_path: Path) -> None:
    mine = Recipe.load(written(tmp_path, "mine", "extends: baseline\nseed: 3\nset: {align.0.dimensions: 32}\n"))
    baseline = Recipe.load("baseline")
    assert (mine.name, mine.description, mine.seed) == ("mine", "", 3)
    assert mine.align == [baseline.align[0].model_copy(update={"dimensions": 32})] and mine.views == baseline.views


def test_a_chain_of_files_beside_each_other(tmp_path: Path) -> None:
    written(tmp_path, "first", "extends: baseline\nfusion: {folds: 3}\nset: {align.0.dimensions: 32}\n")
    second = read_recipe(written(tmp_path, "second", "extends: first.yaml\nfusion: {steps: 7}\n"), ["align.0.head=mlp"])
    assert second["fusion"] == {"folds": 3, "steps": 7}
    assert (second["align"][0]["dimensions"], second["align"][0]["head"]) == (32, "mlp")
    assert "extends" not in second and "set" not in second


def test_null_takes_a_view_out_and_another_kind_brings_no_options_along(tmp_path: Path) -> None:
    views = "views: {intro: {view: tfidf}, title: null, words: null, intro_words: null}"
    align = "align: [{expert: cca, poster: [lettering, appearance], intro: intro}]"
    file = written(tmp_path, "other", f"extends: closed-forms\n{views}\n{align}\n")
    assert set(Recipe.load(file).views) == {"appearance", "lettering", "intro"}
    prompted = written(tmp_path, "prompted", "extends: default\nviews: {intro: {view: tfidf}}\n")
    assert read_recipe(prompted)["views"]["intro"] == {"view": "tfidf"}  # the prompt of the language model is gone


def test_a_list_replaces_the_list_before(tmp_path: Path) -> None:
    file = written(tmp_path, "short", "extends: hub-corrected\nevaluation: {transductive: [csls]}\n")
    again = written(tmp_path, "shorter", "extends: short.yaml\nevaluation: {transductive: []}\n")
    assert read_recipe(file)["evaluation"] == {"transductive": ["csls"]}
    assert read_recipe(again)["evaluation"] == {"transductive": []}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("extends: nothing", "unknown recipe 'nothing'; choose one of: .*baseline"),
        ("extends: none.yaml", "none.yaml does not exist"),
        ("extends: mine.yaml", "mine.yaml extends this recipe in turn"),
        ("extends: [baseline]", "extends: expected the name of a recipe or a .yaml file, got"),
        ("extends: baseline\nset: [1]", "set: expected paths with values, such as"),
        ("extends: baseline\nset: {align.3.head: mlp}", "set align.3.head: align has 1 entries, no '3'"),
    ],
)
def test_what_cannot_be_extended(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_recipe(written(tmp_path, "mine", text))


def test_a_circle_of_three(tmp_path: Path) -> None:
    for name, parent in (("a", "b"), ("b", "c"), ("c", "a")):
        written(tmp_path, name, f"extends: {parent}.yaml")
    with pytest.raises(ConfigError, match=r"c\.yaml: extends: a\.yaml extends this recipe in turn"):
        read_recipe(tmp_path / "a.yaml")
