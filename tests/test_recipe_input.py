"""Whatever a user writes into a recipe or after --set ends in a recipe or in one line, and every size has an upper bound."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from cinealign.distance.distances import DISTANCES
from cinealign.distance.transductive import TRANSDUCTIONS
from cinealign.errors import ConfigError
from cinealign.experts.registry import EXPERTS
from cinealign.recipe import EvaluationSettings, FusionSettings, Recipe
from cinealign.recipe_files import RECIPES, read_recipe
from cinealign.registry import Registry
from cinealign.training.loop.settings import EarlyStopping, TrainingSettings
from cinealign.training.losses.registry import LOSSES
from cinealign.training.networks.registry import TOWERS
from cinealign.views.registry import VIEWS

REGISTRIES: list[Registry[Any, Any]] = [VIEWS, EXPERTS, TOWERS, LOSSES, DISTANCES, TRANSDUCTIONS]
NAMES = sorted(file.stem for file in RECIPES.glob("*.yaml"))
GIVEN = {name: read_recipe(name) for name in NAMES}


def one_line(read: Any) -> Recipe | None:
    """What `read` gives; a ConfigError must be one line that can be printed."""
    try:
        recipe: Recipe = read()
    except ConfigError as error:
        assert str(error) and str(error).isprintable()
        return None
    assert Recipe.parse(yaml.safe_load(recipe.to_yaml())) == recipe
    return recipe


def paths(value: Any, before: str = "") -> Iterator[str]:
    """Every path of a recipe as --set takes it."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in parts:
        yield f"{before}{key}"
        yield from paths(each, f"{before}{key}.")


KINDS = sorted({name for registry in REGISTRIES for name in registry.names()})
KEYS = sorted(
    {key for name in NAMES for path in paths(Recipe.load(name).model_dump(mode="json")) for key in path.split(".")}
)
SCALARS = st.sampled_from(
    [
        *("-1", "0", "1", "064", "1:30", "1e999", "-.inf", ".nan", "true", "null", "''", "[]", "{}", "1e-320", "0.5"),
        *("[1]", "[[1]]", "{a: 1}", "{a: 1, a: 2}", "!!set {a}", "*x", r"'\0'", r'"\ud800"', "9" * 400, "[" * 3000),
    ]
)
VALUES = SCALARS | st.sampled_from(KINDS) | st.text(max_size=20)


@given(st.sampled_from(NAMES), st.sampled_from(KEYS) | st.text(max_size=8), VALUES, st.data())
def test_any_override_ends_in_a_recipe_or_one_line(name: str, key: str, value: str, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(list(paths(GIVEN[name]))))
    for target in (path, f"{path}.{key}", key):
        one_line(lambda target=target: Recipe.load(name, [f"{target}={value}"]))


@given(st.text(max_size=60))
@example("." * 5000 + "=1")
@example("a." * 5000 + "a=1")
@example("align." + "9" * 5000 + ".ridge=1")
@example("align.\u0663.ridge=1")
@example("seed=" + "[" * 3000)
def test_any_text_after_set(text: str) -> None:
    one_line(lambda: Recipe.load("default", [text]))


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(KINDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=20,
)


@given(st.sampled_from(NAMES), st.dictionaries(st.sampled_from(KEYS), PLAIN, max_size=3))
def test_any_value_in_a_recipe(name: str, changes: dict[str, Any]) -> None:
    one_line(lambda: Recipe.parse({**GIVEN[name], **changes}))


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: f"name: x\n{text}".encode("utf-8", "replace")))
@settings(deadline=None)
def test_any_bytes_of_a_recipe_file(content: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "mine.yaml"
        file.write_bytes(content)
        one_line(lambda: Recipe.load(file))


def test_a_message_shows_what_no_terminal_should_obey() -> None:
    with pytest.raises(ConfigError, match=r"^unknown recipe 'a.x1b\[2Jb'; choose"):
        Recipe.load("a\x1b[2Jb")
    assert str(ConfigError("key \x1b[2J of\nfile\u202e")) == r"key \x1b[2J of file\u202e"


@pytest.mark.parametrize("name", ["x" * 5000, "x" * 5000 + ".yaml", "\0", "\0.yaml", ".yaml", "", "/", "a/b", "\ud800"])
def test_any_name_of_a_recipe(name: str) -> None:
    assert one_line(lambda: Recipe.load(name)) is None


def number_fields() -> Iterator[tuple[str, type[BaseModel], str]]:
    models = [(f"{r.sort} {name}", r.options(name)) for r in REGISTRIES for name in r.names()]
    models += [(kind.__name__, kind) for kind in (TrainingSettings, EarlyStopping, FusionSettings, EvaluationSettings)]
    for label, model in models:
        for name, field in model.model_fields.items():
            if is_number(field.annotation):
                yield label, model, name


def is_number(annotation: Any) -> bool:
    return annotation in (int, float) or any(is_number(each) for each in get_args(annotation))


@pytest.mark.parametrize(("label", "model", "name"), list(number_fields()))
def test_every_number_has_an_upper_bound(label: str, model: type[BaseModel], name: str) -> None:
    needed = {key: 0 for key, field in model.model_fields.items() if field.is_required()}
    for huge in (10**30, 1e30, [10**30] * 2):
        with pytest.raises(ValidationError) as refused:
            model.model_validate({**needed, name: huge})
        assert any(problem["loc"][:1] in ((name,), ()) for problem in refused.value.errors())


def test_a_bound_is_named_in_full() -> None:
    with pytest.raises(ConfigError, match=r"^align\[0\]\.dimensions must be <= 4,096, got 100000$"):
        Recipe.load("baseline", ["align.0.dimensions=100000"])
    with pytest.raises(ConfigError, match=r"^evaluation\.bootstrap must be <= 100,000, got 10{59} \.\.\. \(300 char"):
        Recipe.parse({**GIVEN["baseline"], "evaluation": {"bootstrap": 10**299}})
