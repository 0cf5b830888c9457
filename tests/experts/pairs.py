"""Drawn train pairs whose two sides share a hidden part."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cinealign.experts.base import TrainingSet

Rows = NDArray[np.float32]


def linked(size: int, widths: tuple[int, int], *, shared: int = 4, noise: float = 0.3, seed: int = 0) -> TrainingSet:
    """Poster view "look" and intro view "text": linear images of one hidden vector a movie, an offset and noise."""
    dice = np.random.default_rng(seed)
    hidden = dice.standard_normal((size, shared))
    sides = [
        hidden @ np.random.default_rng(100 + width).standard_normal((shared, width))
        + noise * dice.standard_normal((size, width))
        + 2
        for width in widths
    ]
    look, text = (side.astype(np.float32) for side in sides)
    return TrainingSet({"look": look}, {"text": text}, size)


def found(poster: Rows, intro: Rows) -> float:
    """Share of posters whose own intro is the nearest."""
    return float(((poster @ intro.T).argmax(axis=1) == np.arange(len(poster))).mean())
