"""A recipe: everything that decides a run, as typed settings read from YAML.

A recipe names views, experts (`align`), how they are fused and the distance. Every option of every part is checked once,
here, against the part's own options model; a resolved recipe spells out all defaults, so that it can be read years later.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Annotated, Any, cast

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from cinealign.distance.registry import DISTANCES, TRANSDUCTIONS
from cinealign.errors import ConfigError
from cinealign.experts.base import ExpertOptions
from cinealign.experts.registry import EXPERTS
from cinealign.plain_yaml import to_yaml
from cinealign.recipe_files import read_recipe
from cinealign.registry import explain
from cinealign.views.registry import VIEWS

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
        return cls.parse(read_recipe(name_or_file, overrides))

    def to_yaml(self) -> str:
        """The resolved recipe as YAML; `Recipe.parse(yaml.safe_load(...))` gives an equal recipe."""
        return to_yaml(self.model_dump(mode="json"))


def _kind_and_rest(options: dict[str, Any], key: str) -> tuple[str, dict[str, Any]]:
    return options[key], {name: value for name, value in options.items() if name != key}


def _check_input(name: str, side: str, views: dict[str, dict[str, Any]], where: str) -> None:
    fitting = [other for other, options in views.items() if VIEWS.kind(options["view"]).side == side]
    if name not in fitting:
        reason = (
            f"looks at the {VIEWS.kind(views[name]['view']).side}" if name in views else "is not a view of this recipe"
        )
        raise ConfigError(f"{where}: {name!r} {reason}; choose one of: {', '.join(fitting) or 'none yet, add a view'}")
