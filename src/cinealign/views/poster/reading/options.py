"""How posters are read."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cinealign.views.precision import Precision


class OcrOptions(BaseModel):
    """How posters are read; every option is part of the key under which lines are stored."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    min_side: int = Field(default=364, ge=32, le=4000)
    """A poster whose shorter side has fewer pixels is enlarged to it: twice for MovieLens' 182 x 268."""
    max_side: int = Field(default=1100, ge=32, le=4000)
    """A poster whose shorter side has more pixels is shrunk to it."""
    detection_side: int = Field(default=320, ge=32, le=4000)
    """Lines are looked for on a picture that is enlarged once more if its shorter side has fewer pixels."""
    contrast: Literal["as_is", "local"] = "as_is"
    """Whether the contrast of the lightness is evened out over an 8 x 8 grid (CLAHE) before reading: a second look that finds
    lettering which is dark on dark or pale on pale, and misses some that the first one finds."""
    precision: Precision = "auto"

    @model_validator(mode="after")
    def _ordered(self) -> OcrOptions:
        if self.min_side > self.max_side:
            raise ValueError(f"min_side must be <= max_side, got {self.min_side} and {self.max_side}")
        return self
