"""Metrics as a table on the terminal, and as plain text elsewhere."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, Any

from cinealign.evaluation.metrics import DIRECTIONS, RECALL_AT, SPLITS, Metrics
from cinealign.evaluation.plausible import too_few

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

PLAIN_WIDTH = 120
"""Columns of text where there is no terminal to ask."""


def metrics_table(metrics: Metrics, title: str = "") -> Table:
    """One row a direction and split: accuracy with interval and chance, the 0.5 ratio, recall@k and median rank.

    Args:
        metrics: what `metrics.score` returns.
        title: put before the line with N and k.
    """
    from rich import box
    from rich.table import Table

    half, percent = metrics["ratio_0.5"], _percent(metrics["ratio"])
    about = f"N = {metrics['n']} items, each query searches all of them; k = {metrics['k']} ({percent})"
    table = Table(
        title=f"{title}: {about}" if title else about, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False
    )
    table.add_column("queries", min_width=len("  held-out"))
    columns = [
        ("number", 6),
        (f"top {percent}", 6),
        ("95 % interval", 14),
        ("chance", 6),
        (f"top {_percent(half['ratio'])}", 5),
    ]
    for head, width in (*columns, *((f"R@{k}", 5) for k in RECALL_AT), ("median", 6)):
        table.add_column(head, justify="right", min_width=width)
    for direction in DIRECTIONS:
        table.add_row(direction.replace("_", " "))
        for split in SPLITS:
            ranks = metrics["ranks"][direction][split]
            table.add_row(
                f"  {split.replace('_', '-')}",
                str(ranks["queries"]),
                _share(metrics[direction][split] if metrics["k"] else None, 4),
                _interval(metrics["intervals"][direction][split] if metrics["k"] else None),
                _share(metrics["chance"]),
                _share(half[direction][split]),
                *(_share(ranks[f"recall@{k}"]) for k in RECALL_AT),
                "-" if ranks["median"] is None else f"{ranks['median']:g}",
                end_section=split == SPLITS[-1],
            )
    return table


def summary_lines(metrics: Metrics) -> list[str]:
    """The sum of both directions, the course score, and what the columns mean."""
    half, percent = metrics["ratio_0.5"], _percent(metrics["ratio"])
    area = metrics["curve"]["area"]
    lines = [
        f"sum of both directions, all {metrics['n']} items, top {percent}: {metrics['acc_sum']:.4f} "
        f"(95 % interval {_interval(metrics['intervals']['acc_sum'])}), chance {2 * metrics['chance']:.4f}",
        f"course score: {metrics['course_score']:.2f} of 15 (10 x the sum, at most 1.5); "
        f"at ratio {half['ratio']:g} it would be {half['course_score']:.2f}, which the task does not ask for",
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


def print_metrics(metrics: Metrics, title: str = "", console: Console | None = None) -> None:
    """Print the table and its summary, and those of `transductive` results after them where there are any.

    Args:
        metrics: what `metrics.score` returns, perhaps with `transductive` added: such metrics by name.
        title: put before the line with N and k.
        console: where to; without it stdout, 120 columns wide when it is not a terminal.
    """
    from rich.console import Console

    if console is None:
        console = Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH, highlight=False)
    console.print(metrics_table(metrics, title))
    for line in too_few(metrics):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    for line in summary_lines(metrics):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    for name, corrected in metrics.get("transductive", {}).items():
        console.print()
        print_metrics(corrected, f"{name}: transductive, looks at the other test items", console)


def metrics_text(metrics: Metrics, title: str = "", width: int = PLAIN_WIDTH) -> str:
    """What `print_metrics` prints as plain text: no colour, no control codes, `width` columns."""
    from rich.console import Console

    file = io.StringIO()
    print_metrics(metrics, title, Console(file=file, width=width, no_color=True, force_terminal=False))
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"


def _percent(share: float) -> str:
    return f"{100 * share:g} %"


def _share(value: float | None, digits: int = 3) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _interval(bounds: Any) -> str:
    return "-" if bounds is None else f"{bounds[0]:.3f} to {bounds[1]:.3f}"
