"""What corrections that look at the other test items would give: rows of their own, never the headline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import ArrayLike

from cinealign.distance.distances import Vectors, as_pair
from cinealign.distance.options import TransductionOptions
from cinealign.distance.transductive import TRANSDUCTIONS
from cinealign.evaluation.metrics import Metrics, evaluate_distances
from cinealign.evaluation.statistics import SAMPLES
from cinealign.progress import say

ANNOUNCED_BYTES = 200_000_000
"""Memory above which the N x N matrices are announced."""
MATRICES = 20
"""Bytes a pair that are held at the same time, roughly: the products, their float64 copy and a temporary one."""


def evaluate_transductive(
    poster: Vectors,
    intro: Vectors,
    ids: ArrayLike,
    train_rows: ArrayLike,
    corrections: Sequence[TransductionOptions | Mapping[str, Any]],
    *,
    seed: int = 0,
    samples: int = SAMPLES,
) -> dict[str, Metrics]:
    """Metrics of each correction of the products of these vectors, by its name; a second one of a name gets a number.

    Needs N x N numbers, unlike everything else that is measured; above 200 MB that is announced.

    Args:
        poster, intro: (N, D) vectors of a run, row i is movie i.
        ids, train_rows, seed, samples: as in `metrics.score`.
        corrections: as a recipe holds them, or `{"correction": name, option: value ...}`.
    Raises:
        DataError: vectors, ids or train rows that cannot be used.
        ConfigError: an unknown correction or option.
    """
    posters, intros = as_pair(poster, intro)
    needed = MATRICES * len(posters) ** 2
    if corrections and needed > ANNOUNCED_BYTES:
        say(
            f"transductive rows: {len(posters)} x {len(posters)} similarities at once, about {needed / 1e9:.1f} GB of memory"
        )
    found: dict[str, Metrics] = {}
    for correction in corrections:
        options = TRANSDUCTIONS.parse(correction, "transductive")
        name = options.correction
        D = TRANSDUCTIONS.make(options).distances((posters @ intros.T).numpy())
        times = sum(other.partition(" ")[0] == name for other in found)
        key = name if not times else f"{name} {times + 1}"
        found[key] = evaluate_distances(D, ids, train_rows, seed=seed, samples=samples)
    return found
