"""Metrics as a table on the terminal, and as plain text elsewhere."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from cinealign.evaluation.keys import DIRECTIONS, RECALL_AT, SPLITS, Metrics
from cinealign.evaluation.plausible import too_few
from cinealign.phrases import word

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

PLAIN_WIDTH = 120
"""Columns of text where there is no terminal to ask."""
NARROW = 100
"""Below so many columns a table keeps all of its own and gives up the blanks between them."""


def about_metrics(metrics: Metrics, title: str = "") -> str:
    """What a table of `metrics` is about: N, k and chance, after `title`."""
    percent = _percent(metrics["ratio"])
    about = f"N = {metrics['n']} items, each query searches all of them; k = {metrics['k']} ({percent}), chance "
    return f"{title}: {about}{_share(metrics['chance'])}" if title else f"{about}{_share(metrics['chance'])}"


def metrics_table(metrics: Metrics, width: int = PLAIN_WIDTH) -> Table:
    """One row per direction and split: accuracy with interval, the 0.5 ratio, recall@k and median rank.

    Args:
        metrics: what `metrics.score` returns.
        width: columns of the terminal; from 76 on no cell is cut.
    """
    half, percent = metrics["ratio_0.5"], _percent(metrics["ratio"])
    table = terminal_table(width)
    table.add_column("queries", no_wrap=True)
    heads = ["n", f"top {percent}", "95 % interval", f"top {_percent(half['ratio'])}"]
    for head in (*heads, *(f"R@{k}" for k in RECALL_AT), "median"):
        table.add_column(head, justify="right", no_wrap=True)
    for direction in DIRECTIONS:
        table.add_row(direction.replace("_", " "))
        for split in SPLITS:
            ranks = metrics["ranks"][direction][split]
            cells = [
                f"  {split.replace('_', '-')}",
                str(ranks["queries"]),
                _share(metrics[direction][split] if metrics["k"] else None, 4),
                _interval(metrics["intervals"][direction][split] if metrics["k"] else None),
                _share(half[direction][split]),
                *(_share(ranks[f"recall@{k}"]) for k in RECALL_AT),
                "-" if ranks["median"] is None else f"{ranks['median']:g}",
            ]
            table.add_row(*cells, end_section=split == SPLITS[-1])
    return table


def terminal_table(width: int) -> Table:
    """An empty table as all of them look, with fewer blanks between its columns where there is little room."""
    from rich import box
    from rich.table import Table

    class Worded(Table):
        """Heads and cells in the language of the terminal."""

        def add_column(self, header: Any = "", *args: Any, **options: Any) -> None:
            super().add_column(word(header), *args, **options)

        def add_row(self, *cells: Any, **options: Any) -> None:
            super().add_row(*map(word, cells), **options)

    return Worded(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 0) if width < NARROW else (0, 1))


def p_text(p: float) -> str:
    """A p-value with four decimals; a smaller one is said to be smaller, as none is 0."""
    return f"{p:.4f}" if p >= 0.0001 else "< 0.0001"


def summary_lines(metrics: Metrics, *, course: bool = True) -> list[str]:
    """The sum of both directions, the course score where the data are the assignment's, and what the columns mean."""
    half, percent = metrics["ratio_0.5"], _percent(metrics["ratio"])
    area = metrics["curve"]["area"]
    lines = [
        f"sum of both directions, all {metrics['n']} items, top {percent}: {metrics['acc_sum']:.4f} "
        f"(95 % interval {_interval(metrics['intervals']['acc_sum'])}), chance {2 * metrics['chance']:.4f}",
        *(
            [
                f"course score: {metrics['course_score']:.2f} of 15 (10 x the sum, at most 1.5); "
                f"at ratio {half['ratio']:g} it would be {half['course_score']:.2f}, which the task does not ask for"
            ]
            if course
            else []
        ),
        f"top {percent}: share of queries whose partner is among the {metrics['k']} nearest, ties counting against "
        "the model; intervals by drawing items again",
        f"R@k: partner among the k nearest, by chance k / {metrics['n']}; "
        f"median rank by chance {(metrics['n'] + 1) / 2:g}",
        f"area below the top-p curve, all: {_share(area[DIRECTIONS[0]]['all'])} poster to intro, "
        f"{_share(area[DIRECTIONS[1]]['all'])} intro to poster, chance {_share(metrics['curve']['area_chance'])}",
    ]
    if "held_out_gallery" in metrics:
        among = metrics["held_out_gallery"]
        sides = [
            f"{direction.replace('_', ' ')} {_share(among[direction], 4)} ({_interval(among['intervals'][direction])})"
            for direction in DIRECTIONS
        ]
        lines.append(
            f"held-out among held-out only (N = {among['n']}, k = {among['k']}, chance {_share(among['chance'])}): "
            + ", ".join(sides)
        )
    return lines


def print_metrics(metrics: Metrics, title: str = "", console: Console | None = None, *, course: bool = True) -> None:
    """Print the table and its summary, and those of `transductive` results after them where there are any.

    Args:
        metrics: what `metrics.score` returns, perhaps with `transductive` added: such metrics by name.
        title: put before the line with N and k.
        console: where to; without it stdout, 120 columns wide when it is not a terminal.
        course: with the score of the course, which only the assignment's data have.
    """
    from rich.console import Console

    if console is None:
        console = Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH, highlight=False)
    console.print(word(about_metrics(metrics, title)), markup=False, highlight=False, soft_wrap=True)
    console.print(metrics_table(metrics, console.width))
    for line in too_few(metrics):
        console.print(word(line), markup=False, highlight=False, soft_wrap=True)
    for line in summary_lines(metrics, course=course):
        console.print(word(line), markup=False, highlight=False, soft_wrap=True)
    for name, corrected in metrics.get("transductive", {}).items():
        console.print()
        print_metrics(corrected, f"{name}: transductive, looks at the other test items", console, course=course)


def _percent(share: float) -> str:
    return f"{100 * share:g} %"


def _share(value: float | None, digits: int = 3) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _interval(bounds: Any) -> str:
    return "-" if bounds is None else f"{bounds[0]:.3f} to {bounds[1]:.3f}"
