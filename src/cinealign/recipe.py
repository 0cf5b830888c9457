"""A recipe: everything that decides a run, as typed settings read from YAML.

A recipe names views, experts (`align`), how they are fused and the distance. Every option of every part is checked once,
here, against the part's own options model; a resolved recipe spells out all defaults, so that it can be read years later.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, cast

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from cinealign.distance.distances import DISTANCES
from cinealign.distance.transductive import TRANSDUCTIONS
from cinealign.errors import ConfigError
from cinealign.experts.base import ExpertOptions
from cinealign.experts.registry import EXPERTS
from cinealign.plain_yaml import DEEPEST, read_yaml, read_yaml_file, to_yaml
from cinealign.registry import explain, shown
from cinealign.views.registry import VIEWS

RECIPES = Path(__file__).parent / "recipes"
"""The recipes that come with the package, one YAML file each."""


Name = Annotated[str, StringConstraints(pattern=r"^\w[\w.-]*$")]
"""Names become file names."""


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class FusionSettings(_Settings):
    """How experts are weighted: by their scores on out-of-fold train pairs, or by fixed weights in the recipe."""

    folds: int = Field(5, ge=2, le=50, description="folds inside the train rows")
    temperature: float = Field(
        0.02, gt=0, le=100, description="softmax temperature of the fused cosine when weights are learned"
    )
    steps: int = Field(300, ge=1, le=100_000, description="optimiser steps for the weights")


class EvaluationSettings(_Settings):
    """What is measured at the end; it never changes what is learned.

    The ratio is no setting: the assignment calls changing it cheating. It is 0.05, and 0.5 is always printed beside it.
    """

    bootstrap: int = Field(2000, ge=100, le=100_000, description="bootstrap samples for the intervals")
    transductive: list[dict[str, Any]] = Field(
        default_factory=list,
        description="corrections that look at the other test items, by name or with options; rows of their own",
    )

    @field_validator("transductive", mode="before")
    @classmethod
    def _names_are_corrections(cls, given: Any) -> Any:
        return (
            [{"correction": one} if isinstance(one, str) else one for one in given]
            if isinstance(given, list)
            else given
        )


class Recipe(_Settings):
    """One experiment. Build it with `Recipe.load` or `Recipe.parse`, which also check the parts' own options.

    Attributes:
        name: also the default name of the run.
        description: one line for `cinealign recipes`.
        seed: of folds, initial weights and batches.
        views: name -> options of a view, with its kind under `view`.
        align: options of the experts, each with its kind under `expert`, its inputs under `poster` and `intro` (names of
            views) and optionally a fixed `weight`.
        distance: its kind under `distance` and its options; a name alone will do.
    """

    name: Name
    description: str = ""
    seed: int = Field(0, ge=0, lt=2**31)
    views: dict[Name, dict[str, Any]] = Field(min_length=1)
    align: list[dict[str, Any]] = Field(min_length=1)
    fusion: FusionSettings = FusionSettings()
    distance: dict[str, Any] = {"distance": "cosine"}
    evaluation: EvaluationSettings = EvaluationSettings()

    @field_validator("distance", mode="before")
    @classmethod
    def _a_name_is_a_distance(cls, given: Any) -> Any:
        return {"distance": given} if isinstance(given, str) else given

    @classmethod
    def parse(cls, given: Any) -> Recipe:
        """A checked, resolved recipe from plain values (as YAML gives them).

        Raises:
            ConfigError: an unknown key, a bad value or a name that nothing has, with its place and the choices.
        """
        if not isinstance(given, dict):
            raise ConfigError(f"a recipe is a mapping of keys to values, got {type(given).__name__}")
        try:
            recipe = cls.model_validate(given)
        except ValidationError as error:
            raise ConfigError(explain(error, cls)) from None
        views = {name: VIEWS.resolve(options, f"views.{name}") for name, options in recipe.views.items()}
        align = [EXPERTS.resolve(options, f"align[{i}]") for i, options in enumerate(recipe.align)]
        for i, options in enumerate(align):
            for side in ("poster", "intro"):
                for name in options[side]:
                    _check_input(name, side, views, f"align[{i}].{side}")
            for teacher in cast(ExpertOptions, EXPERTS.options(*_kind_and_rest(options, "expert"))).teachers():
                if teacher >= i:
                    remedy = f"choose one of: {', '.join(map(str, range(i)))}" if i else "list the teacher before it"
                    raise ConfigError(f"align[{i}]: teacher {teacher} is no expert listed earlier; {remedy}")
        unused = set(views) - {name for options in align for side in ("poster", "intro") for name in options[side]}
        if unused:
            raise ConfigError(f"views.{min(unused)} is used by no expert; remove it or name it in align")
        if all(options["weight"] == 0 for options in align):
            raise ConfigError("align: every expert has weight 0; give one a weight above 0, or none, and it is learned")
        distance = DISTANCES.resolve(recipe.distance, "distance")
        corrections = [
            TRANSDUCTIONS.resolve(options, f"evaluation.transductive[{i}]")
            for i, options in enumerate(recipe.evaluation.transductive)
        ]
        evaluation = recipe.evaluation.model_copy(update={"transductive": corrections})
        return recipe.model_copy(
            update={"views": views, "align": align, "distance": distance, "evaluation": evaluation}
        )

    @classmethod
    def load(cls, name_or_file: str | os.PathLike[str], overrides: Sequence[str] = ()) -> Recipe:
        """The recipe of that name that comes with cinealign, or a YAML file; `overrides` are "key.path=value".

        Raises:
            ConfigError: no such recipe, not YAML, or an override that names no place in the recipe.
        """
        given = _read_yaml(_recipe_file(name_or_file))
        for override in overrides:
            _override(given, override)
        return cls.parse(given)

    def to_yaml(self) -> str:
        """The resolved recipe as YAML; `Recipe.parse(yaml.safe_load(...))` gives an equal recipe."""
        return to_yaml(self.model_dump(mode="json"))


def known_recipes() -> dict[str, str]:
    """Name -> one-line description of the recipes that come with cinealign."""
    return {file.stem: str(_read_yaml(file).get("description", "")) for file in sorted(RECIPES.glob("*.yaml"))}


def _recipe_file(name_or_file: str | os.PathLike[str]) -> Path:
    path = Path(name_or_file)
    if path.suffix in (".yaml", ".yml"):
        if not os.path.isfile(path):  # noqa: PTH113  (pathlib raises where a name is too long)
            raise ConfigError(
                f"recipe file {path} does not exist; `cinealign recipes` lists the recipes that come along"
            )
        return path
    packaged = RECIPES / f"{path.name}.yaml"
    if path.name != str(name_or_file) or not os.path.isfile(packaged):  # noqa: PTH113
        names = ", ".join(file.stem for file in sorted(RECIPES.glob("*.yaml")))
        raise ConfigError(f"unknown recipe {str(name_or_file)!r}; choose one of: {names}, or give a .yaml file")
    return packaged


def _read_yaml(path: Path) -> dict[str, Any]:
    given = read_yaml_file(path, str(path))
    if not isinstance(given, dict):
        raise ConfigError(f"{path} must hold a mapping of keys to values, got {type(given).__name__}")
    return given


def _kind_and_rest(options: dict[str, Any], key: str) -> tuple[str, dict[str, Any]]:
    return options[key], {name: value for name, value in options.items() if name != key}


def _check_input(name: str, side: str, views: dict[str, dict[str, Any]], where: str) -> None:
    fitting = [other for other, options in views.items() if VIEWS.kind(options["view"]).side == side]
    if name not in fitting:
        reason = (
            f"looks at the {VIEWS.kind(views[name]['view']).side}" if name in views else "is not a view of this recipe"
        )
        raise ConfigError(f"{where}: {name!r} {reason}; choose one of: {', '.join(fitting) or 'none yet, add a view'}")


def _override(given: dict[str, Any], override: str) -> None:
    """Set what "key.path=value" says, the value being YAML."""
    path, equals, text = override.partition("=")
    if not equals or not path:
        raise ConfigError(f"--set {override!r}: expected key.path=value, such as seed=1 or align.0.ridge=10")
    try:
        value = read_yaml(text)
    except ConfigError as error:
        reason = str(error).removeprefix("line 1: ")
        raise ConfigError(f"--set {path}: {shown(text)} is not a YAML value ({reason}); put it in quotes") from None
    set_value(given, path, value, f"--set {path}")


def set_value(given: dict[str, Any], path: str, value: Any, where: str) -> None:
    """Set one value in plain recipe values; keys that are not there yet are made, and `Recipe.parse` judges them.

    Args:
        given: changed in place.
        path: keys and positions with dots between, such as `align.0.ridge`; `*` stands for each that is there.
        value: any plain value.
        where: the place that messages name.
    Raises:
        ConfigError: the path leads nowhere.
    """
    keys = path.replace("[", ".").replace("]", "").split(".")
    if len(keys) > DEEPEST:
        raise ConfigError(f"{where}: a path of {len(keys)} keys leads nowhere in a recipe")
    _set(given, keys, 0, value, where)


def _set(place: Any, keys: list[str], depth: int, value: Any, where: str) -> None:
    key, last, so_far = keys[depth], depth == len(keys) - 1, ".".join(keys[:depth])
    if not isinstance(place, list | dict):
        raise ConfigError(f"{where}: {so_far} is a single value and has no {key!r}")
    if key == "*":
        every: list[Any] = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not every:
            raise ConfigError(f"{where}: {so_far or 'the recipe'} has no entries for '*'")
    elif isinstance(place, list):
        if not (key.isascii() and key.isdecimal() and len(key) < 10 and int(key) < len(place)):
            raise ConfigError(f"{where}: {so_far} has {len(place)} entries, no {key!r}")
        every = [int(key)]
    else:
        every = [key]
        if not last and place.get(key) is None:
            place[key] = {}
    for one in every:
        if last:
            place[one] = value
        else:
            _set(place[one], keys, depth + 1, value, where)
