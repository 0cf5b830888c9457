"""What a reader should doubt in a set of numbers: said beside them, never instead of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from cinealign.evaluation.accuracy import course_score, top_k
from cinealign.evaluation.keys import DIRECTIONS, SPLITS, Metrics

SURE = 2.0
"""Standard errors by which held-out accuracy may stay below that of train and still be as high."""
BY_CHANCE = 4.0
"""Standard errors of a mean rank within which partners stand no better than by chance."""
_AUDIT = "`cinealign audit` looks closer"


def check_metrics(metrics: Metrics) -> None:
    """See that metrics.json holds what every table shows.

    Raises:
        KeyError, TypeError, ValueError: a number is missing, or something else stands where it belongs.
    """
    _real(metrics["n"], metrics["k"], metrics["ratio"], metrics["chance"], metrics["acc_sum"], metrics["course_score"])
    half = metrics["ratio_0.5"]
    _real(half["ratio"])
    for direction in DIRECTIONS:
        for split in SPLITS:
            ranks, bounds = metrics["ranks"][direction][split], metrics["intervals"][direction][split]
            _real(ranks["queries"], *(value for value in ranks.values() if value is not None), *(bounds or ()))
            _real(*(each[direction][split] or 0 for each in (metrics, half)))
            if bounds is not None and len(bounds) != 2:
                raise ValueError("an interval has two ends")
    if not (isinstance(metrics["recipe"], str) and isinstance(metrics["data"]["source"], str)):
        raise TypeError("recipe and source are texts")


def _real(*numbers: Any) -> None:
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, (int, float)) or not abs(number) < 1e15:
            raise TypeError(f"{number!r:.40} where a number belongs")


def doubts(metrics: Metrics) -> list[str]:
    """One line for each thing that is implausible; none for numbers as an honest model gives them.

    Args:
        metrics: what `metrics.score` returns, or what metrics.json holds, tampered with or not.
    """
    return [*contradictions(metrics), *_strange_order(metrics), *_as_surely_as_train(metrics)]


def contradictions(metrics: Metrics) -> list[str]:
    """Numbers that contradict each other, which they do only where somebody changed one by hand."""
    found = []
    for direction in DIRECTIONS:
        for split in SPLITS:
            share, bounds = metrics[direction][split], metrics["intervals"][direction][split]
            if share is not None and bounds is not None and not bounds[0] - 1e-9 <= share <= bounds[1] + 1e-9:
                found.append(
                    f"{direction.replace('_', ' ')}, {split.replace('_', '-')}: {share:.4f} lies outside its own interval "
                    f"{bounds[0]:.3f} to {bounds[1]:.3f}"
                )
    first, second = (metrics[direction]["all"] for direction in DIRECTIONS)
    for name, right in (
        ("acc_sum", first + second),
        ("course_score", course_score(*(min(max(one, 0.0), 1.0) for one in (first, second)))),
        ("k", top_k(metrics["ratio"], metrics["n"])),
    ):
        if not math.isclose(metrics[name], right, abs_tol=1e-9):
            found.append(f"{name} is {metrics[name]:g} and the numbers beside it give {right:g}")
    return [f"{line}: it was changed after it was measured; `cinealign evaluate` measures again" for line in found]


def as_surely(train: float, trained: int, new: float, held_out: int) -> bool:
    """Whether an accuracy on held-out items is as high as on train items: within chance, or both near 1.

    Args:
        train, new: accuracies, the mean of both directions.
        trained, held_out: how many items of each.
    """
    if not trained or not held_out:
        return False
    error = np.sqrt(train * (1 - train) / trained + new * (1 - new) / held_out)
    return bool(new > train - SURE * error or (new > 0.9 and new > train - 0.05))


def _as_surely_as_train(metrics: Metrics) -> list[str]:
    train, new = (
        np.mean([metrics[direction][split] or 0.0 for direction in DIRECTIONS]) for split in ("train", "held_out")
    )
    trained, held_out = (metrics["ranks"][DIRECTIONS[0]][split]["queries"] for split in ("train", "held_out"))
    if new <= 2 * metrics["chance"] or not as_surely(float(train), trained, float(new), held_out):
        return []
    return [
        f"held-out pairs ({new:.3f}) are found as surely as train pairs ({train:.3f}): honest where nothing was fitted, "
        f"else they may have been trained on or changed; {_AUDIT}"
    ]


def _strange_order(metrics: Metrics) -> list[str]:
    n, area = metrics["n"], float(np.mean([metrics["curve"]["area"][direction]["all"] for direction in DIRECTIONS]))
    above, error = area - metrics["curve"]["area_chance"], 1 / math.sqrt(12 * n)  # of one direction's mean rank / N
    if above < -BY_CHANCE * error:
        return [
            f"partners stand in the farther half (area {area:.3f}, chance {metrics['curve']['area_chance']:.3f}): these "
            f"look like similarities; D must hold distances, lower is nearer. {_AUDIT}"
        ]
    if n >= 20 and above < BY_CHANCE * error:
        return [
            f"partners stand where chance puts them (area {area:.3f}): are rows and columns of D both in the order of the "
            f"data? {_AUDIT}"
        ]
    return []


def too_few(metrics: Metrics) -> list[str]:
    """Where k is 0, so that an accuracy of 0 says nothing."""
    found, share = [], f"{100 * metrics['ratio']:g} %"
    galleries = {"all": metrics, "held-out among held-out": metrics.get("held_out_gallery", metrics)}
    for name, gallery in galleries.items():
        if gallery["k"] == 0 and (name == "all" or gallery is not metrics):
            needed = math.ceil(1 / gallery["ratio"]) if gallery["ratio"] else 0
            found.append(
                f"{name}: the nearest {share} of N = {gallery['n']} are k = 0 items, so no query can succeed and 0 says "
                f"nothing; {needed} items are needed"
            )
    return found
