"""What every expert that reads letters lets a recipe choose: which character n-grams count; and the texts that it reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, Field, model_validator

from cinealign.errors import ConfigError


class NgramOptions(BaseModel):
    """Which character n-grams count."""

    shortest: int = Field(4, ge=1, le=100, description="letters of the shortest n-gram")
    longest: int = Field(4, ge=1, le=100, description="letters of the longest n-gram")
    min_df: int = Field(2, ge=1, le=1_000_000, description="train intros that an n-gram must occur in")

    @model_validator(mode="after")
    def _lengths_in_order(self) -> Self:
        if self.longest < self.shortest:
            raise ValueError(f"longest must be >= shortest ({self.shortest}), got {self.longest}")
        return self

    @property
    def lengths(self) -> tuple[int, int]:
        """Letters of the shortest and of the longest n-gram."""
        return self.shortest, self.longest


def texts_of(expert: str, side: Mapping[str, Any], name: str) -> list[str]:
    """The texts of view `name`.

    Args:
        expert: its kind, for the message.
        side: the views of one side.
        name: of the view.
    Raises:
        ConfigError: the view gives numbers.
    """
    texts = list(side[name])
    if texts and not isinstance(texts[0], str):
        raise ConfigError(
            f"{expert}: view {name!r} gives numbers, not words; use a view of kind text (or its lettering)"
        )
    return texts
