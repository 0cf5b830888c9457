"""A comparison of recipes on the terminal: narrow tables, and what their numbers mean."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from cinealign.evaluation.keys import DIRECTIONS, SPLITS
from cinealign.studies.compare_table import SHORT, about, has_course, interval_text, judged, seconds_text


def comparison_lines(comparison: dict[str, Any]) -> list[str]:
    """For the terminal: several narrow tables, 80 columns as long as names are short, and notes wrapped to that."""
    accuracies, costs, course = [], [], has_course(comparison)
    for entry in comparison["recipes"]:
        for split in (name for name in reversed(SPLITS) if comparison["split"][name]):
            for direction in DIRECTIONS:
                measure = entry["accuracy"][direction][split]
                spread = "-" if measure["spread"] is None else f"{measure['spread']:.3f}"
                named = [entry["recipe"], SHORT[direction], split.replace("_", "-")]
                accuracies.append([*named, f"{measure['mean']:.3f}", interval_text(measure["interval"]), spread])
        score = [f"{entry['course_score']:.2f}"] * course
        numbers = [seconds_text(entry["seconds"]), f"{entry['parameters']:,}"]
        costs.append([entry["recipe"], _mean(entry["acc_sum"]), *score, *numbers])
    said = [
        *_plain_table(["recipe", "direction", "items", "accuracy", "95 % interval", "±"], accuracies),
        "",
        *_plain_table(["recipe", "sum, all", *["course"] * course, "fit s", "numbers"], costs),
        "",
        *_wrapped(about(comparison)),
    ]
    pairs = comparison["differences"]
    if not pairs:
        return said
    rows = [
        [
            *(pair["first"], pair["second"], f"{pair['sum']['difference']:+.4f}"),
            *(
                interval_text(pair["sum"]["interval"], sign=True),
                f"{pair['sum']['p_holm']:.4f}{' *' * pair['sum']['real']}",
            ),
        ]
        for pair in pairs
    ]
    table = _plain_table(["first", "second", "difference", "95 % interval", "p (Holm)"], rows)
    return [*said, "", *table, *_wrapped([f"* r{judged(pairs)[1:]}"])]


def _wrapped(notes: Sequence[str]) -> list[str]:
    return [line for note in notes for line in textwrap.wrap(note, 80)]


def _mean(measure: dict[str, Any] | None) -> str:
    return "-" if measure is None else f"{measure['mean']:.3f}"


def _plain_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[at]) for row in (head, *rows)) for at in range(len(head))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(r, widths, strict=True)).rstrip() for r in (head, *rows)]
