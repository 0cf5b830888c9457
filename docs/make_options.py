"""docs/options.md: every option of every part that a recipe can name, as the code has it.

.venv/bin/python docs/make_options.py
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from cinealign.distance.distances import DISTANCES
from cinealign.distance.transductive import TRANSDUCTIONS
from cinealign.experts.registry import EXPERTS
from cinealign.recipe import EvaluationSettings, FusionSettings
from cinealign.registry import PartOptions, Registry
from cinealign.training.experts.network_options import LanguageOptions, LettersOptions
from cinealign.training.loop.settings import EarlyStopping, TrainingSettings
from cinealign.training.losses.registry import LOSSES
from cinealign.training.networks.registry import TOWERS
from cinealign.views.registry import VIEWS

FILE = Path(__file__).parent / "options.md"
HEAD = """# Options

Every option of every part that a recipe can name, written from the code by `docs/make_options.py`. `cinealign recipes NAME`
prints a recipe with all of them; what each part does stands in [views.md](views.md), [losses.md](losses.md) and
[distances.md](distances.md).
"""
KINDS: Mapping[str, tuple[Registry[Any, Any], str]] = {
    "Views": (VIEWS, "`views.NAME: {view: KIND, option: value}`"),
    "Experts": (EXPERTS, "`align: [{expert: KIND, option: value}]`"),
    "Towers": (TOWERS, "`poster_tower`, `intro_tower` of `contrastive`: `{tower: KIND, option: value}`"),
    "Losses": (LOSSES, "`loss`, `also` of `contrastive`: `{loss: KIND, option: value}`"),
    "Distances": (DISTANCES, "`distance: {distance: KIND, option: value}`"),
    "Transductive corrections": (TRANSDUCTIONS, "`evaluation.transductive: [{correction: KIND, option: value}]`"),
}
SETTINGS: Mapping[str, type[BaseModel]] = {
    "languages (of network)": LanguageOptions,
    "letters (of network)": LettersOptions,
    "training": TrainingSettings,
    "training.early_stopping": EarlyStopping,
    "fusion": FusionSettings,
    "evaluation": EvaluationSettings,
}


def page() -> str:
    """The whole file."""
    return HEAD + "".join(_parts())


def _parts() -> Iterator[str]:
    for title, (registry, place) in KINDS.items():
        yield f"\n## {title}\n{place}\n"
        for name in registry.names():
            kind: Any = registry.kind(name)
            yield f"\n### `{name}`\n{_first_line(kind)}\n{_table(kind.Options, registry.key)}"
    yield "\n## Settings\n"
    for name, model in SETTINGS.items():
        yield f"\n### `{name}`\n{_first_line(model)}\n{_table(model)}"


def _table(model: type[BaseModel], kind: str = "") -> str:
    """The options of a model but for `kind`, under which a recipe names the part."""
    rows = [
        f"| `{name}` | {_default(field)} | {_values(field)} | {' '.join((field.description or '').split())} |"
        for name, field in model.model_fields.items()
        if name != kind
    ]
    if not rows:
        return ""
    return "\n" + "\n".join(["| option | default | values | what |", "|---|---|---|---|", *rows]) + "\n"


def _first_line(kind: Any) -> str:
    return str(kind.__doc__ or "").strip().split("\n\n")[0].replace("\n", " ").replace("    ", "")


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined:
        return "needed"
    if isinstance(value, PartOptions):
        return f"`{_plain(value.model_dump(exclude_unset=True))}`"
    if isinstance(value, BaseModel):
        return "see below"
    return f"`{_plain(value)}`"


def _plain(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_plain, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_plain(each)}' for key, each in value.items())}}}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _values(field: FieldInfo) -> str:
    return f"{_type(field.annotation)} {_bounds(field.metadata)}".strip()


def _bounds(metadata: list[Any]) -> str:
    signs = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}
    found = [(sign, getattr(one, key)) for one in metadata for key, sign in signs.items() if hasattr(one, key)]
    return ", ".join(f"{sign} {bound:,}" if isinstance(bound, int) else f"{sign} {bound:g}" for sign, bound in found)


def _type(kind: Any) -> str:
    if get_origin(kind) is Annotated:
        bounds = _bounds([one for each in kind.__metadata__ for one in getattr(each, "metadata", [each])])
        return f"{_type(get_args(kind)[0])} {bounds}".strip()
    if get_origin(kind) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(kind))
    names = {bool: "true, false", int: "whole number", float: "number", str: "text", type(None): "null"}
    if kind in names:
        return names[kind]
    if isinstance(kind, type) and issubclass(kind, PartOptions):
        return "a part with its options"
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return "settings"
    if get_origin(kind) in (list, tuple):
        return f"list of {_type(get_args(kind)[0])}"
    if get_origin(kind) is dict:
        return "a part with its options"
    return " or ".join(_type(each) for each in get_args(kind))


if __name__ == "__main__":
    FILE.write_text(page(), encoding="utf-8")
    print(f"wrote {FILE.name}")
