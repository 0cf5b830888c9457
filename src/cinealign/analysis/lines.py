"""Lines of a flat table, and what of an answer has some."""

from __future__ import annotations

from typing import Any, TypeVar

from cinealign.analysis.skipped import Skipped

T = TypeVar("T")
Lines = list[dict[str, Any]]


def given(found: list[T] | Skipped) -> list[T]:
    """A list as it is; nothing for a part that was skipped."""
    return [] if isinstance(found, Skipped) else found
