"""Which lines of lettering are the title: told from a line's size, place and wording, without knowing any title.

A logistic regression on pairs of `FEATURES`, kept in title_lines.json. It was learned from the titles of the train movies of
the assignment's data (`benchmarks/title_lines.py` makes it again and says how good it is on train movies left out), so no
held-out movie had a part in it. It carries over to other posters, covers and packages as far as their titles are large,
in the lower half or in common words.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from cinealign.views.poster.ocr import Line
from cinealign.views.poster.wording import known_share, parted, rank, words

FEATURES = (
    "log height",
    "log height over the tallest other line",
    "taller lines, 5 at most",
    "log area over the largest",
    "width",
    "place from top to bottom",
    "confidence",
    "characters, 30 at most",
    "words",
    "share of known words",
    "mean log rank of the words",
    "root of the number of lines",
    "share of capitals",
)
"""What is looked at of each line; see `line_features`."""
LIKELY = 0.4
"""Probability from which on a line is taken for a part of the title."""


def title_lines(lines: Sequence[Line]) -> list[bool]:
    """Which of a poster's `lines` are the title: the likely ones, or else the likeliest one."""
    probabilities = title_probabilities(lines)
    return [bool(p >= min(LIKELY, probabilities.max())) for p in probabilities]


def title_probabilities(lines: Sequence[Line]) -> NDArray[np.float64]:
    """(L,) probability of each line to be a part of the title, from all `lines` of one poster."""
    if not lines:
        return np.zeros(0)
    mean, scale, weights, bias = _model()
    logits = pairs((line_features(lines) - mean) / scale) @ weights + bias
    probabilities: NDArray[np.float64] = 1 / (1 + np.exp(-logits))
    return probabilities


def line_features(lines: Sequence[Line]) -> NDArray[np.float64]:
    """(L, 13) `FEATURES` of each of a poster's lines, of which there is at least one."""
    heights = np.array([max(line.height, 1e-3) for line in lines])
    widths = np.array([_width(line) for line in lines])
    areas = heights * widths + 1e-4
    table = []
    for at, line in enumerate(lines):
        found = words(parted(line.text))
        others = np.delete(heights, at)
        letters = [c for c in line.text if c.isalpha()]
        table.append(
            (
                np.log(heights[at]),
                np.log(heights[at] / (others.max() if len(others) else heights[at] / 2)),
                min(int((heights > heights[at]).sum()), 5),
                np.log(areas[at] / areas.max()),
                widths[at],
                line.centre[1],
                line.confidence,
                min(len(line.text), 30),
                len(found),
                known_share(" ".join(found)),
                float(np.mean([np.log1p(rank(word)) for word in found])) if found else 12.0,
                np.sqrt(len(lines)),
                sum(c.isupper() for c in letters) / max(1, len(letters)),
            )
        )
    return np.array(table, dtype=np.float64)


def pairs(standardised: NDArray[np.float64]) -> NDArray[np.float64]:
    """(L, F) -> (L, F + F (F + 1) / 2): the features and the products of any two of them."""
    left, right = np.triu_indices(standardised.shape[1])
    return np.concatenate([standardised, standardised[:, left] * standardised[:, right]], axis=1)


def _width(line: Line) -> float:
    across = [x for x, _ in line.box]
    return max(across) - min(across)


@cache
def _model() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], float]:
    kept = json.loads(files("cinealign.views.poster").joinpath("title_lines.json").read_text(encoding="utf-8"))
    return np.array(kept["mean"]), np.array(kept["scale"]), np.array(kept["weights"]), kept["bias"]
