"""Registries: the named kinds of views, experts, losses and distances that a recipe can choose from.

The list of choices in an error message and in `cinealign recipes` comes from here, so it cannot drift from the code. Kinds
are imported when first asked for: `--help` and `import cinealign` stay fast however heavy a kind's libraries are.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Generic, TypeVar, cast, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from cinealign.arguments import shown
from cinealign.errors import ConfigError, meant

Kind = TypeVar("Kind")


class PartOptions(BaseModel):
    """Settings of a part that a recipe chooses by name; unknown keys are refused. The name is the first field."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    def __getitem__(self, name: str) -> Any:
        """An option by its name, as in YAML: `recipe.align[0]["dimensions"]` is `recipe.align[0].dimensions`."""
        if name not in type(self).model_fields:
            raise KeyError(f"no option {name!r}; choose one of: {', '.join(type(self).model_fields)}")
        return getattr(self, name)


Chosen = TypeVar("Chosen", bound=PartOptions)


class Registry(Generic[Kind, Chosen]):
    """Kinds of one sort by name.

    A kind is a class with an `Options` model (a `PartOptions`) that is built from one instance of it.
    """

    def __init__(
        self, sort: str, known: dict[str, str], options: dict[str, str] | None = None, *, key: str | None = None
    ) -> None:
        """Args:
        sort: what the kinds are, for messages: "view", "expert", "loss" ...
        known: name -> "module:Class", imported when the name is first used.
        options: name -> "module:Class" of the options of kinds that need PyTorch, which a recipe is checked without.
        key: under which a recipe gives the name; `sort` where absent.
        """
        self.sort = sort
        self.key = key or sort
        self._where: dict[str, str] = dict(known)
        self._options: dict[str, str] = dict(options or {})
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

    def options(self, name: str, where: str = "") -> type[Chosen]:
        """The options model of kind `name`; a heavy kind is not imported for it. Raises as `kind`."""
        if name in self._kinds or name not in self._options:
            return cast(type[Chosen], cast(Any, self.kind(name, where)).Options)
        module, _, attribute = self._options[name].partition(":")
        return cast(type[Chosen], getattr(import_module(module), attribute))

    def parse(self, spec: Any, where: str = "") -> Chosen:
        """Checked options, defaults included, of what a recipe says of a part: `{key: name, option: value ...}` or a name.

        Raises:
            ConfigError: no name, an unknown one, an unknown option or a bad value, with the place and what is allowed.
        """
        if isinstance(spec, PartOptions):
            return cast(Chosen, spec)
        spec = {self.key: spec} if isinstance(spec, str) else spec
        if not isinstance(spec, Mapping):
            raise ConfigError(
                f"{f'{where}: ' if where else ''}expected a {self.sort} with its options, got {shown(spec)}"
            )
        name = spec.get(self.key)
        if not isinstance(name, str):
            place = f"{where}.{self.key}" if where else self.key
            raise ConfigError(f"{place} is missing; choose one of: {', '.join(self.names())}")
        model = self.options(name, where)
        try:
            return model.model_validate(dict(spec))
        except ValidationError as error:
            raise ConfigError(explain(error, model, where)) from None

    def chosen(self, spec: Any) -> Chosen:
        """`parse` for a field of other options, whose own message then says the place."""
        try:
            return self.parse(spec)
        except ConfigError as error:
            raise ValueError(str(error)) from None

    def make(self, options: Chosen) -> Kind:
        """An instance of the kind that checked options name."""
        built: Kind = cast(Any, self.kind(getattr(options, self.key)))(options)
        return built

    def build(self, name: str, given: Mapping[str, Any] | None = None, where: str = "") -> Kind:
        """An instance of kind `name` with its options checked."""
        return self.make(self.parse({**(given or {}), self.key: name}, where))


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
