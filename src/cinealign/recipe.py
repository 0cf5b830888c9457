"""A recipe: everything that decides a run, as typed settings read from YAML.

A recipe names views, experts (`align`), how they are fused and the distance. Every option of every part is checked once,
here, against the part's own options model; a resolved recipe spells out all defaults, so that it can be read years later.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SerializeAsAny, StringConstraints, ValidationError, field_validator

from cinealign.distance.options import DistanceOptions, TransductionOptions
from cinealign.distance.registry import DISTANCES, TRANSDUCTIONS
from cinealign.errors import ConfigError
from cinealign.experts.base import ExpertOptions
from cinealign.experts.registry import EXPERTS
from cinealign.plain_yaml import to_yaml
from cinealign.recipe_files import read_recipe
from cinealign.registry import explain
from cinealign.views.base import ViewOptions
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
    transductive: list[SerializeAsAny[TransductionOptions]] = Field(
        default_factory=list,
        description="corrections that look at the other test items, by name or with options; rows of their own",
    )

    @field_validator("transductive", mode="before")
    @classmethod
    def _corrections(cls, given: Any) -> Any:
        if not isinstance(given, list):
            return given
        return [TRANSDUCTIONS.parse(one, f"evaluation.transductive[{i}]") for i, one in enumerate(given)]


class Recipe(_Settings):
    """One experiment. Build it with `Recipe.load` or `Recipe.parse`, which also check the parts' own options.

    Attributes:
        name: also the default name of the run.
        description: one line for `cinealign recipes`.
        seed: of folds, initial weights and batches.
        views: name -> options of a view; `.view` is its kind.
        align: options of the experts; `.expert` is the kind, `.poster` and `.intro` name its views, `.weight` is fixed or None.
        distance: options of the distance; `.distance` is its kind. A name alone will do where a recipe is parsed.
    """

    name: Name
    description: str = ""
    seed: int = Field(0, ge=0, lt=2**31)
    views: dict[Name, SerializeAsAny[ViewOptions]] = Field(min_length=1)
    align: list[SerializeAsAny[ExpertOptions]] = Field(min_length=1)
    fusion: FusionSettings = FusionSettings()
    distance: SerializeAsAny[DistanceOptions] = DistanceOptions(distance="cosine")
    evaluation: EvaluationSettings = EvaluationSettings()

    @field_validator("views", mode="before")
    @classmethod
    def _views(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        return {name: VIEWS.parse(options, f"views.{name}") for name, options in given.items()}

    @field_validator("align", mode="before")
    @classmethod
    def _experts(cls, given: Any) -> Any:
        if not isinstance(given, list):
            return given
        return [EXPERTS.parse(options, f"align[{i}]") for i, options in enumerate(given)]

    @field_validator("distance", mode="before")
    @classmethod
    def _distance(cls, given: Any) -> Any:
        return DISTANCES.parse(given, "distance")

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
        recipe._check_parts()
        return recipe

    def _check_parts(self) -> None:
        """Whether the parts fit together: every expert's views and teachers are there, and every view is used."""
        for i, expert in enumerate(self.align):
            for side in ("poster", "intro"):
                for name in getattr(expert, side):
                    _check_input(name, side, self.views, f"align[{i}].{side}")
            for teacher in expert.teachers():
                if teacher >= i:
                    remedy = f"choose one of: {', '.join(map(str, range(i)))}" if i else "list the teacher before it"
                    raise ConfigError(f"align[{i}]: teacher {teacher} is no expert listed earlier; {remedy}")
        unused = set(self.views) - {name for expert in self.align for name in (*expert.poster, *expert.intro)}
        if unused:
            raise ConfigError(f"views.{min(unused)} is used by no expert; remove it or name it in align")
        if all(expert.weight == 0 for expert in self.align):
            raise ConfigError("align: every expert has weight 0; give one a weight above 0, or none, and it is learned")

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


def _check_input(name: str, side: str, views: Mapping[str, ViewOptions], where: str) -> None:
    fitting = [other for other, options in views.items() if VIEWS.kind(options.view).side == side]
    if name not in fitting:
        reason = (
            f"looks at the {VIEWS.kind(views[name].view).side}" if name in views else "is not a view of this recipe"
        )
        raise ConfigError(f"{where}: {name!r} {reason}; choose one of: {', '.join(fitting) or 'none yet, add a view'}")
