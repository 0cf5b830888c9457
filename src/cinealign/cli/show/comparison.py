"""A comparison of recipes on the terminal: narrow tables, and what their numbers mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cinealign.cli.show.measures import new_console, new_table, say_line
from cinealign.cli.show.metrics import p_text
from cinealign.evaluation.keys import DIRECTIONS, SPLITS
from cinealign.studies.compare_table import about, has_course, interval_text, judged, seconds_text

if TYPE_CHECKING:
    from rich.console import Console


def print_comparison(comparison: dict[str, Any], console: Console | None = None) -> None:
    """Accuracies, costs and differences in tables of at most 80 columns, as long as names of recipes are short.

    Args:
        comparison: what `studies.compare.compare` gives.
        console: where to; stdout without it.
    """
    console = console or new_console()
    table = new_table(console, ["recipe", "accuracy", "95 % interval", "±"])
    splits = [name for name in reversed(SPLITS) if comparison["split"][name]]
    for entry in comparison["recipes"]:
        table.add_section()
        table.add_row(entry["recipe"])
        for direction in DIRECTIONS:
            for split in splits:
                measure = entry["accuracy"][direction][split]
                spread = "-" if measure["spread"] is None else f"{measure['spread']:.3f}"
                name = f"  {direction.replace('_', ' ')}, {split.replace('_', '-')}"
                table.add_row(name, f"{measure['mean']:.3f}", interval_text(measure["interval"]), spread)
    console.print(table)
    _print_costs(comparison, console)
    for line in about(comparison):
        say_line(console, line)
    if pairs := comparison["differences"]:
        table = new_table(console, ["second minus first", "difference", "95 % interval", "p (Holm)"])
        for pair in pairs:
            test = pair["sum"]
            real = f"{p_text(test['p_holm'])}{' *' if test['real'] else '  '}"
            table.add_row(f"{pair['first']}\n  {pair['second']}", f"{test['difference']:+.4f}", _signed(test), real)
        console.print(table)
        say_line(console, f"* {judged(pairs)}")


def _print_costs(comparison: dict[str, Any], console: Console) -> None:
    course = has_course(comparison)
    table = new_table(console, ["recipe", "sum, all", *["course score"] * course, "fit s", "numbers"])
    for entry in comparison["recipes"]:
        score = [f"{entry['course_score']:.2f}"] * course
        total = "-" if entry["acc_sum"] is None else f"{entry['acc_sum']['mean']:.3f}"
        table.add_row(entry["recipe"], total, *score, seconds_text(entry["seconds"]), f"{entry['parameters']:,}")
    console.print(table)


def _signed(test: dict[str, Any]) -> str:
    return interval_text(test["interval"], sign=True)
