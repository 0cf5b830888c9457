"""Drawn train pairs with everything that the two-tower network reads: two readings, a picture and letters."""

from __future__ import annotations

from typing import Any

import numpy as np

from cinealign.experts.base import TrainingSet
from cinealign.training.experts.network import NetworkExpert
from cinealign.training.experts.network_options import NetworkOptions

SYLLABLES = "ka lo mi ru te sha bo ne vi du".split()  # noqa: SIM905


def options(**changed: Any) -> NetworkOptions:
    """A small network of one language."""
    given: dict[str, Any] = {
        "languages": [{"intro": "intro", "poster": ["lettering", "title"], "dimensions": 12}],
        "pictures": ["look"],
        "letters": {"poster": "words", "intro": "plot", "dimensions": 10},
        "rank": 4,
        "looks": 4,
        "folds": 3,
        "memory": 16,
        "training": {"epochs": 4, "batch_size": "full", "learning_rate": 3e-3, "decay_to": "start"},
    }
    return NetworkOptions.model_validate({**given, **changed})


def drawn(size: int, seed: int = 0) -> TrainingSet:
    """Pairs whose two sides share a hidden part; every ninth poster has no lettering."""
    dice = np.random.default_rng(seed)
    fixed = np.random.default_rng(99)
    hidden = dice.standard_normal((size, 6))
    turn, look = fixed.standard_normal((6, 16)), fixed.standard_normal((6, 20))

    def seen(matrix: np.ndarray, noise: float) -> np.ndarray:
        return (hidden @ matrix + noise * dice.standard_normal((size, matrix.shape[1])) + 1).astype(np.float32)

    lettering, title, intro, picture = seen(turn, 1.5), seen(turn, 2.0), seen(turn, 0.5), seen(look, 2.0)
    blank = np.arange(size) % 9 == 4
    lettering[blank], title[blank] = 0, 0
    names = ["".join(dice.choice(SYLLABLES, 3)) for _ in range(size)]
    words = np.array(["" if gone else f"the {name}" for name, gone in zip(names, blank, strict=True)], dtype=object)
    plot = np.array([f"one day {name} meets {dice.choice(names)} and wins" for name in names], dtype=object)
    return TrainingSet(
        {"lettering": lettering, "title": title, "look": picture, "words": words},
        {"intro": intro, "plot": plot},
        size,
    )


def features(side: Any) -> dict[str, Any]:
    """A side of a training set as `encode` takes it."""
    return {name: np.asarray(rows) for name, rows in side.items()}


def fitted(pairs: TrainingSet, seed: int = 0, **changed: Any) -> NetworkExpert:
    """A network that has learned from `pairs`."""
    return NetworkExpert(options(**changed)).fit(pairs, seed=seed)
