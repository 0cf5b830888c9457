"""Where the plain values of a recipe come from: a packaged name or a file, what it extends, and `--set`.

A recipe may extend another: `extends: baseline` takes all of it, keys written beside it are merged in (mappings key by key,
anything else replaces), and `set` changes single places by the same paths as `--set`. What comes out has no `extends` left.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cinealign.arguments import as_path, as_texts, shown
from cinealign.errors import ConfigError, meant
from cinealign.plain_yaml import DEEPEST, read_yaml, read_yaml_file

RECIPES = Path(__file__).parent / "recipes"
"""The recipes that come with the package, one YAML file each."""

KINDS = ("view", "expert", "distance", "loss", "tower")
"""The keys that say which part a mapping sets up."""


def known_recipes() -> dict[str, str]:
    """Name -> one-line description of the recipes that come with cinealign."""
    return {file.stem: str(_read_mapping(file).get("description", "")) for file in sorted(RECIPES.glob("*.yaml"))}


def read_recipe(name_or_file: str | os.PathLike[str], overrides: Sequence[str] = ()) -> dict[str, Any]:
    """The plain values of a recipe, with what it extends merged in and `overrides` ("key.path=value") applied.

    Raises:
        ConfigError: no such recipe, not YAML, recipes that extend each other in a circle, a path that leads nowhere, or
            arguments that are none.
    """
    given = _extended(_recipe_file(as_path(name_or_file, "recipe")), ())
    for override in _listed(overrides):
        _override(given, override)
    return given


def _listed(overrides: Sequence[str]) -> list[str]:
    if isinstance(overrides, str):
        raise ConfigError(f"overrides must be a list, got one text; write [{shown(overrides)}]")
    return as_texts(overrides, "overrides")


def _extended(path: Path, below: tuple[Path, ...]) -> dict[str, Any]:
    """The values of one file over those of the recipe that it extends.

    Args:
        path: a recipe file.
        below: the files that led here, each extending the next.
    """
    own = _read_mapping(path)
    parent, changes = own.pop("extends", None), own.pop("set", {})
    if not isinstance(changes, dict):
        raise ConfigError(
            f"{path}: set: expected paths with values, such as align.0.loss: triplet, got {shown(changes)}"
        )
    given = own
    if parent is not None:
        if not isinstance(parent, str):
            raise ConfigError(f"{path}: extends: expected the name of a recipe or a .yaml file, got {shown(parent)}")
        base = _recipe_file(path.parent / parent if Path(parent).suffix in (".yaml", ".yml") else parent)
        if base.resolve() in {one.resolve() for one in (*below, path)}:
            raise ConfigError(f"{path}: extends: {parent} extends this recipe in turn; leave one of the two out")
        inherited = _extended(base, (*below, path))
        told = {"name", "description"}  # of the other recipe
        given = _merged({key: value for key, value in inherited.items() if key not in told}, own)
    for place, value in changes.items():
        set_value(given, str(place), value, f"{path}: set {place}")
    return given


def _merged(inherited: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """`own` over `inherited`, key by key; null takes a key out, and a part of another kind brings no options along."""
    both = dict(inherited)
    for key, value in own.items():
        before = both.get(key)
        if value is None:
            both.pop(key, None)
        elif isinstance(value, dict) and isinstance(before, dict) and _of_one_kind(before, value):
            both[key] = _merged(before, value)
        else:
            both[key] = value
    return both


def _of_one_kind(inherited: dict[str, Any], own: dict[str, Any]) -> bool:
    return all(inherited.get(key) == own[key] for key in KINDS if key in own)


def _recipe_file(name_or_file: str | os.PathLike[str]) -> Path:
    path = Path(name_or_file)
    if path.suffix in (".yaml", ".yml"):
        if not os.path.isfile(path):  # noqa: PTH113  (pathlib raises where a name is too long)
            raise ConfigError(f"recipe file {path} does not exist; `cinealign recipes` lists the packaged recipes")
        return path
    packaged = RECIPES / f"{path.name}.yaml"
    if path.name != str(name_or_file) or not os.path.isfile(packaged):  # noqa: PTH113
        names = [file.stem for file in sorted(RECIPES.glob("*.yaml"))]
        if near := meant(str(name_or_file), names):
            raise ConfigError(f"unknown recipe {str(name_or_file)!r}{near} `cinealign recipes` lists all")
        raise ConfigError(
            f"unknown recipe {str(name_or_file)!r}; choose one of: {', '.join(names)}, or give a .yaml file"
        )
    return packaged


def _read_mapping(path: Path) -> dict[str, Any]:
    given = read_yaml_file(path, str(path))
    if not isinstance(given, dict):
        raise ConfigError(f"{path} must hold a mapping of keys to values, got {type(given).__name__}")
    return given


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
