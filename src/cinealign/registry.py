"""Registries: the named kinds of views, experts, losses and distances that a recipe can choose from.

The list of choices in an error message and in `cinealign recipes` comes from here, so it cannot drift from the code. Kinds
are imported when first asked for: `--help` and `import cinealign` stay fast however heavy a kind's libraries are.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Generic, TypeVar, cast, get_args

from pydantic import BaseModel, ValidationError

from cinealign.errors import ConfigError, meant

Kind = TypeVar("Kind")

LONGEST_SHOWN = 80
"""Characters of a wrong value in a message."""


class Registry(Generic[Kind]):
    """Kinds of one sort by name.

    A kind is a class with an `Options` model (pydantic, unknown keys refused) that is built from one instance of it.
    """

    def __init__(self, sort: str, known: dict[str, str] | None = None, *, key: str | None = None) -> None:
        """Args:
        sort: what the kinds are, for messages: "view", "expert", "loss" ...
        known: name -> "module:Class", imported when the name is first used.
        key: under which a recipe gives the name; `sort` where absent.
        """
        self.sort = sort
        self.key = key or sort
        self._where: dict[str, str] = dict(known or {})
        self._kinds: dict[str, type[Kind]] = {}

    def register(self, name: str, kind: type[Kind]) -> None:
        """Add a kind of one's own; a name that is taken is refused, as a recipe would silently mean something else."""
        if name in self.names():
            raise ConfigError(f"{self.sort} {name!r} is registered already; choose another name")
        self._kinds[name] = kind

    def names(self) -> list[str]:
        """Every name that a recipe can use, sorted."""
        return sorted({*self._where, *self._kinds})

    def kind(self, name: str, where: str = "") -> type[Kind]:
        """The class registered as `name`; `where` is the place in the recipe, for the message.

        Raises:
            ConfigError: nothing has that name; the message lists the choices.
        """
        if name not in self._kinds:
            if name not in self._where:
                place = f"{where}: " if where else ""
                choices = meant(name, self.names())
                choices += f"{';' if not choices else ''} choose one of: {', '.join(self.names())}"
                raise ConfigError(f"{place}unknown {self.sort} {name!r}{choices}")
            module, _, attribute = self._where[name].partition(":")
            self._kinds[name] = getattr(import_module(module), attribute)
        return self._kinds[name]

    def options(self, name: str, given: dict[str, Any], where: str = "") -> BaseModel:
        """`given` checked against the options of kind `name`.

        Raises:
            ConfigError: unknown kind, unknown key or bad value, with the place, what came and what is allowed.
        """
        model = cast(type[BaseModel], cast(Any, self.kind(name, where)).Options)
        try:
            return model.model_validate(given)
        except ValidationError as error:
            raise ConfigError(explain(error, model, where)) from None

    def parts(self, spec: Mapping[str, Any], where: str = "") -> tuple[str, BaseModel]:
        """Name and checked options of `{key: name, option: value ...}`, the form in which a recipe names a kind.

        Raises:
            ConfigError: no name, an unknown one, or options that the kind does not have.
        """
        rest = dict(spec)
        name = rest.pop(self.key, None)
        if not isinstance(name, str):
            place = f"{where}.{self.key}" if where else self.key
            raise ConfigError(f"{place} is missing; choose one of: {', '.join(self.names())}")
        return name, self.options(name, rest, where)

    def resolve(self, spec: Mapping[str, Any], where: str = "") -> dict[str, Any]:
        """`spec` with every default spelled out, its name first; raises as `parts`."""
        name, options = self.parts(spec, where)
        return {self.key: name, **options.model_dump(mode="json")}

    def build(self, name: str, given: dict[str, Any] | None = None, where: str = "") -> Kind:
        """An instance of kind `name` with its options checked."""
        options = self.options(name, given or {}, where)
        built: Kind = cast(Any, self.kind(name, where))(options)
        return built


def shown(value: Any) -> str:
    """`value` as messages show what came: as Python writes it, in no more than 80 characters."""
    try:
        text = repr(value)
    except ValueError:  # a whole number of thousands of digits
        text = "a very long number"
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 20]} ... ({len(text)} characters)"


def explain(error: ValidationError, model: type[BaseModel], where: str = "") -> str:
    """A pydantic error of `model` as one line of ours: the first problem, its place, what came and what is allowed."""
    problem = error.errors()[0]
    place = where
    for part in problem["loc"]:
        place += f"[{part}]" if isinstance(part, int) else f".{part}" if place else str(part)
    if problem["type"] == "extra_forbidden":
        parent, _, key = place.rpartition(".")
        known = _keys(model, problem["loc"][:-1])
        choices = meant(key, known)
        if known:
            choices += f"{';' if not choices else ''} choose one of: {', '.join(sorted(known))}"
        return f"unknown key {key!r}{f' in {parent}' if parent else ''}{choices}"
    if problem["type"] == "missing":
        return f"{place} is missing"
    context = problem.get("ctx", {})
    bounds = {"greater_than": ("gt", ">"), "greater_than_equal": ("ge", ">="), "less_than": ("lt", "<")}
    bounds["less_than_equal"] = ("le", "<=")
    if problem["type"] in bounds:
        name, sign = bounds[problem["type"]]
        return f"{place} must be {sign} {_bound(context[name])}, got {shown(problem['input'])}"
    if problem["type"] == "literal_error":
        return f"{place} must be one of {context['expected']}, got {shown(problem['input'])}"
    if problem["type"] == "value_error":
        return f"{place}: {context['error']}" if place else str(context["error"])
    if problem["type"] in ("tuple_type", "list_type"):
        return f"{place} must be a list, got {shown(problem['input'])}"
    message = problem["msg"]
    return f"{place}: {message[0].lower()}{message[1:]}, got {shown(problem['input'])}"


def _bound(limit: float) -> str:
    return f"{limit:,}" if isinstance(limit, int) else f"{limit:g}"


def _keys(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """The keys that are known at `loc` inside `model`; none where it leads out of nested models."""
    for part in loc:
        field = model.model_fields.get(str(part))
        inner = [] if field is None else [field.annotation, *get_args(field.annotation)]
        models = [kind for kind in inner if isinstance(kind, type) and issubclass(kind, BaseModel)]
        if len(models) != 1:
            return []
        model = models[0]
    return list(model.model_fields)
