"""Do posters and intros arrange the movies alike, before and after each expert? Linear CKA of features and of vectors."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cinealign.evaluation.geometry import linear_cka
from cinealign.model import AlignmentModel, Extracts
from cinealign.views.base import Features, take


def cka_of_experts(model: AlignmentModel, extracts: Extracts, rows: NDArray[np.int64]) -> list[dict[str, Any]]:
    """One entry an expert, in the recipe's order.

    Args:
        model: a fitted model.
        extracts: what its views see of all movies.
        rows: the movies to look at, two at least; held-out rows, as train pairs can be remembered.
    Returns:
        `expert`, `poster` and `intro` (views), `weight`, `before` (CKA of the views' features side by side; None where a
        view gives no numbers) and `after` (CKA of the expert's vectors), both in [0, 1].
    """
    features = {
        name: model.views[name].transform(take(seen, rows))
        for side in (extracts.poster, extracts.intro)
        for name, seen in side.items()
    }
    found = []
    for options, expert, weight in zip(model.recipe.align, model.experts, model.weights, strict=True):
        before = [_side_by_side([features[name] for name in getattr(options, side)]) for side in ("poster", "intro")]
        first, second = before
        found.append(
            {
                "expert": options.expert,
                "poster": options.poster,
                "intro": options.intro,
                "weight": float(weight),
                "before": None if first is None or second is None else linear_cka(first, second),
                "after": linear_cka(expert.encode_poster(features), expert.encode_intro(features)),
            }
        )
    return found


def _side_by_side(features: list[Features]) -> NDArray[np.float32] | None:
    """(N, sum of F) with each view scaled to one total variance; None where a view is no matrix of numbers."""
    if any(rows.ndim != 2 or rows.dtype.kind != "f" for rows in features):
        return None
    centred = [rows - rows.mean(axis=0) for rows in features]
    return np.concatenate([rows / max(float(np.linalg.norm(rows)), 1e-12) for rows in centred], axis=1).astype(
        np.float32
    )
