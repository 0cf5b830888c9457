"""Results as frozen dataclasses, to JSON and back: keys are the names of fields, and nothing else is written."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import fields, is_dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

from cinealign.errors import DataError

if TYPE_CHECKING:
    from pydantic import TypeAdapter

T = TypeVar("T")


def to_json(value: Any) -> Any:
    """`value` as what `json.dumps` takes; a field that may be left out (its default is None) is, where it is None."""
    if is_dataclass(value) and not isinstance(value, type):
        told = {field: getattr(value, field.name) for field in fields(value)}
        return {f.name: to_json(inner) for f, inner in told.items() if inner is not None or f.default is not None}
    if isinstance(value, dict):
        return {key: to_json(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(inner) for inner in value]
    return value


def from_json(kind: type[T], value: Any) -> T:
    """What `to_json` made of a `kind`; keys that it has no field for are passed over.

    Raises:
        DataError: a field is missing, or has another type; the message names it.
    """
    from pydantic import ValidationError

    try:
        found: T = _adapter(cast(Hashable, kind)).validate_python(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = "/".join(map(str, first["loc"]))
        raise DataError(f"{place}: {first['msg'][:1].lower()}{first['msg'][1:]}") from None
    return found


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    """Made once a type, as making it takes longer than reading with it."""
    from pydantic import TypeAdapter

    return TypeAdapter(kind)
