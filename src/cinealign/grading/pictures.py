"""Pictures for a sheet: the diagonal of D against what its other entries predict."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cinealign.audit.diagonal import Prediction, predict_diagonal
from cinealign.figures import COLOURS, Language, drawing, spoken
from cinealign.grading.words import said


@dataclass(frozen=True)
class Diagonal:
    """What the picture shows, small enough to be handed from one process to another.

    Attributes:
        predicted: (N,) the diagonal in the unit of `form`, as the other entries have it.
        deviations: (N,) observed minus predicted, in spreads of the residuals beside the diagonal.
        held_out: (N,) whether the item is held out.
        limit: deviation that one entry in a thousand beside the diagonal exceeds.
        form: the function of D that is predicted.
    """

    predicted: NDArray[np.float64]
    deviations: NDArray[np.float64]
    held_out: NDArray[np.bool_]
    limit: float
    form: str

    @classmethod
    def of(cls, D: NDArray[Any], train_rows: NDArray[np.int64]) -> Diagonal | None:
        """The diagonal of D; None where there are too few items to predict it."""
        found: Prediction | None = predict_diagonal(D)
        if found is None:
            return None
        held_out = np.ones(len(D), dtype=bool)
        held_out[train_rows] = False
        return cls(found.predicted, found.deviations, held_out, found.limit, found.form)


def diagonal_picture(shown: Diagonal, lang: Language) -> bytes:
    """The picture as PNG."""
    lang = spoken(lang)
    words = {
        "en": ("train", "held-out", f"prediction ({shown.form})", "observed - predicted (spreads)"),
        "zh": (
            said("train", "zh"),
            said("held out", "zh"),
            f"预测值（{shown.form}）",
            "观测值 - 预测值（以残差离散度计）",
        ),
    }[lang]
    with drawing(lang):
        from matplotlib.figure import Figure

        figure = Figure(figsize=(6, 3))
        axes = figure.subplots()
        axes.axhspan(-shown.limit, shown.limit, color="0.85", zorder=0)
        for part, colour, marker, name in (
            (~shown.held_out, COLOURS[0], "o", words[0]),
            (shown.held_out, COLOURS[1], "x", words[1]),
        ):
            axes.scatter(
                shown.predicted[part], shown.deviations[part], s=8, c=colour, marker=marker, label=name, lw=0.7
            )
        axes.set_xlabel(words[2])
        axes.set_ylabel(words[3])
        axes.legend()
        file = io.BytesIO()
        figure.savefig(file, format="png", dpi=110)
    return file.getvalue()
