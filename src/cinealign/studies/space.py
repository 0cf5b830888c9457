"""A search space: which settings of a recipe may vary, and within what; YAML in, recipes out.

```yaml
align.0.ridge: {float: [0.1, 100], log: true}
align.0.dimensions: {int: [16, 256]}
align.1.head: {categorical: [linear, mlp]}
fusion.temperature: {float: [0.005, 0.1], log: true}
```
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from cinealign.errors import ConfigError
from cinealign.experts.spaces import DEFAULT_SPACES
from cinealign.plain_yaml import read_yaml_file
from cinealign.recipe import Recipe
from cinealign.recipe_files import set_value
from cinealign.registry import explain

if TYPE_CHECKING:
    import optuna

TUNABLE = re.compile(r"align\.\d+\.\S+|fusion\.(temperature|steps)")

AXIS_KEYS = ("categorical", "float", "int", "log")


class Axis(BaseModel):
    """The values of one setting: exactly one of `float: [low, high]`, `int: [low, high]`, `categorical: [...]`."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    floats: tuple[float, float] | None = Field(None, alias="float")
    ints: tuple[int, int] | None = Field(None, alias="int")
    choices: list[Any] | None = Field(None, alias="categorical", min_length=1)
    log: bool = False

    @model_validator(mode="after")
    def _one_kind(self) -> Axis:
        given = [kind for kind in (self.floats, self.ints, self.choices) if kind is not None]
        if len(given) != 1:
            raise ValueError("give one of float: [low, high], int: [low, high] or categorical: [...]")
        bounds = self.floats or self.ints
        if bounds is None:
            if self.log:
                raise ValueError("log is for float and int; a categorical has no order")
        elif bounds[0] >= bounds[1]:
            raise ValueError(f"the range must rise, got {list(bounds)}")
        elif self.log and bounds[0] <= 0:
            raise ValueError(f"log needs a range above 0, got {list(bounds)}")
        return self

    def suggest(self, trial: optuna.Trial, path: str) -> Any:
        """The value that `trial` tries."""
        if self.floats is not None:
            return trial.suggest_float(path, *self.floats, log=self.log)
        if self.ints is not None:
            return trial.suggest_int(path, *self.ints, log=self.log)
        assert self.choices is not None
        return json.loads(trial.suggest_categorical(path, [json.dumps(choice) for choice in self.choices]))

    def examples(self) -> list[Any]:
        """Values that a recipe must accept if it is to accept all: the ends and one between, or every choice."""
        if self.floats is not None:
            low, high = self.floats
            return [low, low + 0.381966 * (high - low), high]
        return list(self.ints) if self.ints is not None else list(self.choices or [])


class Space:
    """Settings by their path in the recipe, as in `--set`, each with its axis."""

    def __init__(self, axes: Mapping[str, Axis], source: str) -> None:
        self.axes, self.source = dict(axes), source

    @classmethod
    def parse(cls, given: Any, recipe: Recipe, source: str = "space") -> Space:
        """A checked space for `recipe`.

        Args:
            given: path -> axis, as YAML gives it.
            recipe: every end of every axis is tried on it.
            source: named in messages.
        Raises:
            ConfigError: no axis, an unknown path, a bad range, or a value that the recipe refuses.
        """
        if not isinstance(given, dict) or not given:
            raise ConfigError(f"{source} must map paths to ranges, such as align.0.ridge: {{float: [0.1, 100]}}")
        axes = {}
        for path, axis in given.items():
            where = f"{source}: {path}"
            if not isinstance(path, str) or not TUNABLE.fullmatch(path):
                raise ConfigError(
                    f"{where} cannot be tuned; choose paths of experts (align.0.ridge), fusion.temperature or fusion.steps"
                )
            if isinstance(axis, dict) and (unknown := sorted(set(map(str, axis)) - set(AXIS_KEYS))):
                raise ConfigError(f"{where}: unknown key {unknown[0]!r}; choose one of: {', '.join(AXIS_KEYS)}")
            if not isinstance(axis, dict):
                raise ConfigError(f"{where} must be a range such as {{float: [0.1, 100], log: true}}, got {axis!r}")
            try:
                axes[path] = Axis.model_validate(axis)
            except ValidationError as error:
                raise ConfigError(explain(error, Axis, where)) from None
        space = cls(axes, source)
        for path, checked in axes.items():
            for value in checked.examples():
                try:
                    space.applied(recipe, {path: value})
                except ConfigError as error:
                    raise ConfigError(f"{source}: {path} = {value!r}: {error}") from None
        return space

    @classmethod
    def load(cls, file: Path, recipe: Recipe) -> Space:
        """The space in a YAML file.

        Raises:
            ConfigError: no such file, not YAML, or a bad space.
        """
        return cls.parse(read_yaml_file(file, f"--space {file}"), recipe, str(file))

    @classmethod
    def default(cls, recipe: Recipe) -> Space:
        """The options that are worth tuning of every expert of `recipe` that is learned from folds.

        Raises:
            ConfigError: none of its experts has any.
        """
        axes = {
            f"align.{i}.{option}": axis
            for i, options in enumerate(recipe.align)
            if options.weight != 0
            for option, axis in DEFAULT_SPACES.get(options.expert, {}).items()
        }
        if not axes:
            kinds = ", ".join(sorted({options.expert for options in recipe.align}))
            raise ConfigError(f"recipe {recipe.name!r}: no default space for its experts ({kinds}); pass --space FILE")
        return cls.parse(axes, recipe, "default space")

    def applied(self, recipe: Recipe, values: Mapping[str, Any]) -> Recipe:
        """`recipe` with the settings at these paths.

        Raises:
            ConfigError: a path leads nowhere, or the values do not fit.
        """
        given = recipe.model_dump(mode="json")
        for path, value in values.items():
            set_value(given, path, value, path)
        return Recipe.parse(given)

    def touched(self) -> set[int]:
        """Positions of the experts that an axis changes."""
        return {int(path.split(".")[1]) for path in self.axes if path.startswith("align.")}

    def to_json(self) -> dict[str, Any]:
        """Path -> axis, as in a space file."""
        return {
            path: axis.model_dump(mode="json", by_alias=True, exclude_none=True) for path, axis in self.axes.items()
        }
