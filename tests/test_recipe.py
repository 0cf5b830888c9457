from __future__ import annotations

import copy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from cinealign.distance.registry import DISTANCES, TRANSDUCTIONS
from cinealign.errors import ConfigError
from cinealign.experts.registry import EXPERTS
from cinealign.recipe import Recipe
from cinealign.recipe_files import RECIPES, known_recipes
from cinealign.registry import Registry
from cinealign.training.losses.registry import LOSSES
from cinealign.training.networks.registry import TOWERS
from cinealign.views.registry import VIEWS
from tests.conftest import CHEAP


def changed(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(CHEAP), **changes}


@pytest.mark.parametrize("name", sorted(file.stem for file in RECIPES.glob("*.yaml")))
def test_packaged_recipes_parse_and_round_trip(name: str) -> None:
    recipe = Recipe.load(name)
    assert recipe.name == name and recipe.description
    assert Recipe.parse(yaml.safe_load(recipe.to_yaml())) == recipe


def test_known_recipes_have_a_line_each() -> None:
    known = known_recipes()
    assert {"default", "baseline"} <= set(known)
    assert all(description and "\n" not in description for description in known.values())


def test_resolved_recipe_spells_out_defaults() -> None:
    recipe = Recipe.parse(CHEAP)
    assert recipe.align[0].poster == ["appearance"] and recipe.align[0].weight is None
    assert recipe.views["words"].min_df == 2
    assert "cosine" in str(yaml.safe_load(recipe.to_yaml())["distance"])
    assert Recipe.parse(yaml.safe_load(recipe.to_yaml())).to_yaml() == recipe.to_yaml()


def test_recipe_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(CHEAP))
    assert Recipe.load(file) == Recipe.parse(CHEAP)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["align[1].ridge=-1"], r"align\[1\]\.ridge must be > 0, got -1"),
        (["align.1.ridge=-1"], r"align\[1\]\.ridge must be > 0, got -1"),
        (["align[1].ridge=.inf"], r"align\[1\]\.ridge: .*finite"),
        (
            ["align[1].rigde=1"],
            r"unknown key 'rigde' in align\[1\]; did you mean 'ridge'\? choose one of: dimensions, expert, intro, poster",
        ),
        (["sede=1"], r"unknown key 'sede'; did you mean 'seed'\? choose one of: align, description, distance"),
        (
            ["fusion.fold=1"],
            r"unknown key 'fold' in fusion; did you mean 'folds'\? choose one of: folds, steps, temperature",
        ),
        (
            ["align[0].training.epoch=1"],
            r"unknown key 'epoch' in align\[0\]\.training; did you mean 'epochs'\? choose one of: .*epochs",
        ),
        (
            ["views.appearance.wdith=1"],
            r"unknown key 'wdith' in views\.appearance; did you mean 'width'\? choose one of: height, output",
        ),
        (["fusion.folds=1"], "fusion.folds must be >= 2, got 1"),
        (["seed=soon"], "seed: .*integer.*got 'soon'"),
        (["distance=hamming"], "distance.*one of: .*cosine"),
        (["align[1].expert=magic"], r"align\[1\]: unknown expert 'magic'; choose one of: cca, contrastive"),
        (["views.intro.view=magic"], r"views\.intro: unknown view 'magic'; choose one of: appearance"),
        (["align[1].poster=intro"], r"align\[1\]\.poster: 'intro' looks at the intro; choose one of: appearance"),
        (["align[1].intro=appearance"], r"align\[1\]\.intro: 'appearance' looks at the poster; choose one of: intro"),
        (
            ["align[1].intro=nothing"],
            r"align\[1\]\.intro: 'nothing' is not a view of this recipe; choose one of: intro",
        ),
        (["views.words={view: tfidf}"], "views.words is used by no expert; remove it or name it in align"),
        (["views.words={min_df: 1}"], r"views\.words\.view is missing; choose one of: appearance"),
        (["views={}"], "views"),
        (["align=[]"], "align"),
        (["align[0].weight=0", "align[1].weight=0"], "every expert has weight 0"),
        (["align[0].weight=-1"], r"align\[0\]\.weight must be >= 0, got -1"),
        (["align[5].ridge=1"], r"--set align\[5\]\.ridge: align has 2 entries, no '5'"),
        (["align[-1].ridge=1"], "align has 2 entries, no '-1'"),
        (["align.\u00b2.ridge=1"], "align has 2 entries"),
        (["seed.x=1"], "--set seed.x: seed is a single value"),
        (["nothing.x=1"], "unknown key 'nothing'; choose one of: align"),
        (["seed"], "expected key.path=value"),
        (["=1"], "expected key.path=value"),
        (["name={"], "--set name: '{' is not a YAML value"),
        (["name=../up"], "name: string should match pattern"),
        (["views={'../up': {view: tfidf}}"], "views.*string should match pattern"),
        (["views={1: {view: tfidf}}"], "views"),
    ],
)
def test_refused(tmp_path: Path, overrides: list[str], message: str) -> None:
    file = tmp_path / "two.yaml"
    file.write_text(TWO)
    assert Recipe.load(file)
    with pytest.raises(ConfigError, match=message) as error:
        Recipe.load(file, overrides)
    assert "\n" not in str(error.value)


TWO = """
name: two
seed: 0
views: {appearance: {view: appearance}, intro: {view: tfidf}}
align:
  - {expert: contrastive, poster: appearance, intro: intro}
  - {expert: cca, poster: appearance, intro: intro}
"""


def test_overrides() -> None:
    recipe = Recipe.load(
        "baseline", ["seed=7", "align[0].dimensions=8", "align.0.training={epochs: 2}", "fusion.folds=3", "name=other"]
    )
    assert (recipe.seed, recipe.fusion.folds, recipe.name) == (7, 3, "other")
    assert recipe.align[0].dimensions == 8 and recipe.align[0].training.epochs == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [("- 1", "must hold a mapping"), ("a: [", "not a readable YAML file"), ("", "must hold a mapping")],
)
def test_broken_file(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text(content)
    with pytest.raises(ConfigError, match=message):
        Recipe.load(file)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing", "unknown recipe 'nothing'; choose one of: .*baseline.*or give a .yaml file"),
        ("../recipes/default", "unknown recipe"),
        ("no/such.yaml", "recipe file no/such.yaml does not exist"),
    ],
)
def test_unknown_recipe(name: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Recipe.load(name)


def test_not_a_mapping() -> None:
    with pytest.raises(ConfigError, match="a recipe is a mapping of keys to values, got list"):
        Recipe.parse([])
    with pytest.raises(ConfigError, match="name is missing"):
        Recipe.parse({key: value for key, value in changed().items() if key != "name"})


def test_a_star_stands_for_every_entry() -> None:
    recipe = Recipe.load("clip", ["views.*.hub=true", "align.*.center=false"])
    assert [options.hub for options in recipe.views.values()] == [True, True]
    assert [options.center for options in recipe.align] == [False]
    with pytest.raises(ConfigError, match=r"unknown key 'hub' in views\.appearance"):
        Recipe.load("cca", ["views.*.hub=true"])  # of views that have no such option
    with pytest.raises(
        ConfigError, match=r"--set evaluation.transductive.\*.k: evaluation.transductive has no entries"
    ):
        Recipe.load("clip", ["evaluation.transductive=[]", "evaluation.transductive.*.k=3"])


def test_network_is_another_name_of_the_default() -> None:
    default, network = Recipe.load("default"), Recipe.load("network")
    said = {"name", "description"}
    assert network.model_dump(exclude=said) == default.model_dump(exclude=said)


def test_every_recipe_is_read_without_torch() -> None:
    said = (
        "import sys; from cinealign.recipe import Recipe; from cinealign.recipe_files import known_recipes;"
        "[Recipe.load(name).to_yaml() for name in known_recipes()]; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("registry", [VIEWS, EXPERTS, TOWERS, LOSSES, DISTANCES, TRANSDUCTIONS], ids=lambda r: r.sort)
def test_options_of_a_kind_are_those_that_it_is_made_from(registry: Registry[Any, Any]) -> None:
    light = {name: registry.options(name) for name in registry.names()}
    assert light == {name: registry.kind(name).Options for name in registry.names()}
    assert all(next(iter(model.model_fields)) == registry.key for model in light.values())
