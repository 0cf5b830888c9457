"""Pictures: the diagonal of D against its prediction, ranks of partners, and who resembles whom."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cinealign.audit.diagonal import Prediction, predict_diagonal
from cinealign.evaluation.accuracy import top_k
from cinealign.evaluation.metrics import TASK_RATIO
from cinealign.evaluation.ranks import ranks_from_distances
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
        linear = 10.0 ** np.ceil(np.log10(max(1.0, shown.limit)))
        axes.set_yscale("symlog", linthresh=linear, linscale=2)  # one changed entry can be a million spreads off
        axes.set_xlabel(words[2])
        axes.set_ylabel(words[3])
        axes.legend()
        return _png(figure)


@dataclass(frozen=True)
class Partners:
    """Ranks of partners for a picture.

    Attributes:
        ranks: (N,) of each direction, poster to intro first.
        held_out: (N,) whether the item is held out.
        k: of the top 5 %.
    """

    ranks: tuple[NDArray[np.int64], NDArray[np.int64]]
    held_out: NDArray[np.bool_]
    k: int

    @classmethod
    def of(cls, D: NDArray[Any], train_rows: NDArray[np.int64]) -> Partners:
        """The ranks in D."""
        held_out = np.ones(len(D), dtype=bool)
        held_out[train_rows] = False
        return cls((ranks_from_distances(D, 1), ranks_from_distances(D, 0)), held_out, top_k(TASK_RATIO, len(D)))


def partners_picture(shown: Partners, lang: Language) -> bytes:
    """How many partners stand at which rank, as PNG: a stretch of ranks a bar, all stretches of one width near k."""
    lang = spoken(lang)
    titles = [said(name, lang) for name in ("poster to intro", "intro to poster")]
    words = {"en": ("rank of the partner", "items"), "zh": ("正确匹配项的名次", "电影数")}[lang]
    width = max(1, shown.k // 20)
    last = min(len(shown.held_out), 2 * shown.k)
    edges = np.arange(0.5, last + width, width)
    with drawing(lang):
        from matplotlib.figure import Figure

        figure = Figure(figsize=(6, 2.6))
        both = figure.subplots(1, 2, sharey=True)
        for axes, ranks, title in zip(both, shown.ranks, titles, strict=True):
            for part, colour, name in (
                (~shown.held_out, COLOURS[0], "train"),
                (shown.held_out, COLOURS[1], "held out"),
            ):
                axes.hist(ranks[part], edges, histtype="step", color=colour, label=said(name, lang), lw=1.3)
            axes.axvline(shown.k + 0.5, color="0.4", ls=":")
            axes.text(shown.k + 0.5, 0.98, f" k = {shown.k}", va="top", transform=axes.get_xaxis_transform())
            axes.set_yscale("symlog", linthresh=10)
            axes.set_xlim(0, last)
            axes.set_title(title)
            axes.set_xlabel(words[0])
        both[0].set_ylabel(words[1])
        both[1].legend()
        return _png(figure)


def resemblance_picture(
    names: Sequence[str],
    correlations: NDArray[np.float64],
    matrices: Sequence[tuple[int, int]],
    notebooks: Sequence[tuple[int, int]],
    lang: Language,
) -> bytes:
    """Who resembles whom, as PNG: submissions down and across, those that resemble each other side by side.

    Args:
        names: of R submissions.
        correlations: (R, R) of their matrices; NaN where there is none.
        matrices, notebooks: pairs that are listed because of one or the other; each is marked on one side of the diagonal.
        lang: of the labels.
    """
    lang = spoken(lang)
    words = {
        "en": ("rank correlation of D", "matrices resemble each other", "notebooks share passages"),
        "zh": ("D 的秩相关", "矩阵彼此相似", "notebook 有相同段落"),
    }[lang]
    order = _clustered(correlations, [*matrices, *notebooks])
    place = {row: at for at, row in enumerate(order)}
    with drawing(lang):
        from matplotlib.figure import Figure

        size = min(14.0, 2.5 + 0.16 * len(names))
        figure = Figure(figsize=(size + 1.2, size))
        axes = figure.subplots()
        image = axes.imshow(correlations[np.ix_(order, order)], vmin=0, vmax=1, cmap="Blues")
        for pairs, marker, colour, label, upper in (
            (matrices, "s", COLOURS[1], words[1], True),
            (notebooks, "D", COLOURS[3], words[2], False),
        ):
            if pairs:
                ends = np.array([sorted((place[one], place[other])) for one, other in pairs])
                across, down = (ends[:, 1], ends[:, 0]) if upper else (ends[:, 0], ends[:, 1])
                axes.scatter(
                    across, down, s=700 / (len(names) + 12), marker=marker, fc="none", ec=colour, lw=1, label=label
                )
        marks = range(len(order))
        shown = [names[row][:24] for row in order]
        axes.set_xticks(marks, shown, rotation=90, fontsize=6)
        axes.set_yticks(marks, shown, fontsize=6)
        axes.grid(False)
        if matrices or notebooks:
            figure.legend(loc="outside lower center", ncols=2)
        figure.colorbar(image, ax=axes, label=words[0], shrink=0.6)
        return _png(figure)


def _clustered(correlations: NDArray[np.float64], pairs: Sequence[tuple[int, int]]) -> list[int]:
    """An order in which what is alike stands side by side; pairs that are listed count as alike."""
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    if len(correlations) < 3:
        return list(range(len(correlations)))
    apart = 1 - np.clip(np.nan_to_num(correlations, nan=0.0), 0, 1)
    for one, other in pairs:
        apart[one, other] = apart[other, one] = 0.0
    np.fill_diagonal(apart, 0)
    found: list[int] = leaves_list(linkage(squareform(apart, checks=False), "average")).tolist()
    return found


def _png(figure: Any) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=110)
    return file.getvalue()
