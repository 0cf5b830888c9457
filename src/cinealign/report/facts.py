"""Numbers and names of a run's JSON that remember where they come from, and text that keeps this memory.

A sentence of the report is a list of `Span`s. What was printed from a `Fact` names the file, the place in it and how it was
printed, so that a test can look every number up again; everything else was written by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, is_dataclass
from typing import Any, Literal

from cinealign.errors import DataError

SpanKind = Literal["text", "strong", "math", "code", "cite"]
NOTHING = "–"
"""Printed where the JSON has null."""


@dataclass(frozen=True)
class Span:
    """A piece of text.

    Attributes:
        text: what is shown; of `math` the formula's source, of `cite` the key of a reference.
        kind: how it is shown.
        source: "file/key/key" of the value that was printed, None for words of our own.
        spec: how the value was printed.
    """

    text: str
    kind: SpanKind = "text"
    source: str | None = None
    spec: str = ""


Text = tuple[Span, ...]


class Fact:
    """A value in a JSON document, with its place; indexing leads further in. Its objects may be read as dataclasses."""

    def __init__(self, value: Any, place: str) -> None:
        """Args:
        value: any JSON value, or the dataclass that stands for an object.
        place: "file/key/key", keys and positions with slashes between.
        """
        self.value, self.place = value, place

    def __getitem__(self, key: str | int) -> Fact:
        """The fact at `key`.

        Raises:
            DataError: there is none; the file is of another version.
        """
        try:
            return Fact(self._inner[key], f"{self.place}/{key}")
        except (KeyError, IndexError, TypeError):
            raise DataError(
                f"{self.place} has no {key!r}; it was made by another version, or is not finished: make it again"
            ) from None

    def __contains__(self, key: object) -> bool:
        return isinstance(self._inner, Mapping) and key in self._inner

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Iterator[Fact]:
        """The entries of a list, or the values of a mapping."""
        keys = self._inner if isinstance(self._inner, Mapping) else range(len(self.value))
        return (self[key] for key in keys)

    def names(self) -> list[str]:
        """The keys of a mapping."""
        return list(self._inner)

    @property
    def _inner(self) -> Any:
        return vars(self.value) if is_dataclass(self.value) else self.value

    def __bool__(self) -> bool:
        raise TypeError(f"{self.place} stands for its place; ask for its value")

    def span(self, spec: str = "", kind: SpanKind = "text") -> Span:
        """The value as text, printed by `spec` (see `printed`)."""
        return Span(printed(self.value, spec), kind, self.place, spec)


def printed(value: Any, spec: str = "") -> str:
    """`value` for a reader.

    Args:
        value: number, text or None; a list of texts is joined by commas.
        spec: as `format` takes it; "%" prints a share as a percentage ("5 %"), "p" a p-value (never as 0) and "=p"
            one with its sign of equality.
    """
    if value is None:
        return NOTHING
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ", ".join(printed(entry, spec) for entry in value)
    if spec == "%":
        return f"{100 * value:g} %"
    if spec in ("p", "=p"):
        equals = "= " if spec == "=p" else ""
        return "< 0.0001" if value < 0.0001 else equals + f"{value:.4f}".rstrip("0").rstrip(".")
    if re.fullmatch(r"\+?\.\df", spec) and float(f"{value:{spec}}") == 0:
        spec = spec.lstrip("+")
        value = 0.0  # neither "+0.000" nor "-0.000"
    return f"{value:{spec}}".replace("-", "\N{MINUS SIGN}")


def plain(text: Text) -> str:
    """What a reader sees of `text`, formulas as their source."""
    return "".join(span.text for span in text)


def estimate(value: Fact, low: Fact, high: Fact, spec: str = ".3f") -> Text:
    """A value with its interval: "0.529 [0.501, 0.558]"; without the interval where it has none."""
    if value.value is None or low.value is None or high.value is None:
        return (value.span(spec),)
    return (value.span(spec), Span(" ["), low.span(spec), Span(", "), high.span(spec), Span("]"))


def estimated(fact: Fact, spec: str = ".3f") -> Text:
    """`estimate` of {"value", "low", "high"}."""
    return estimate(fact["value"], fact["low"], fact["high"], spec)
