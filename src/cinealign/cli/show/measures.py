"""Slices, geometry and comparisons of runs as tables on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cinealign.cli.show.metrics import PLAIN_WIDTH, p_text, terminal_table
from cinealign.evaluation.keys import DIRECTIONS
from cinealign.evaluation.slices import SMALL, SliceScore
from cinealign.phrases import word

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


def print_slices(entries: Sequence[SliceScore], n: int, k: int, title: str) -> None:
    """One row per slice, both directions with Wilson's interval and the median rank; what `slices.score_slices` gives."""
    console = new_console()
    say_line(console, f"{title}: each held-out query searches all N = {n} items, top 5 % (k = {k}), chance {k / n:.3f}")
    table = _slices_table(console, entries, narrow=False)
    if console.measure(table, options=console.options.update(width=1000)).maximum > console.width:
        table = _slices_table(console, entries, narrow=True)
    console.print(table)
    say_line(
        console,
        f"* fewer than {SMALL} items; intervals are Wilson's. Of many slices some miss the accuracy of the whole by "
        "chance alone",
    )


def _slices_table(console: Console, entries: Sequence[SliceScore], *, narrow: bool) -> Table:
    heads = ["slice", "items"]
    for direction in DIRECTIONS:
        found_side = direction.partition("_to_")[2]
        heads += [f"to\n{found_side}" if narrow else direction.replace("_", " ")]
        heads += ["95 %\ninterval" if narrow else "95 % interval", "median"]
    table = new_table(console, heads)
    attribute = None
    for entry in entries:
        if entry.attribute not in (attribute, "all"):
            table.add_section()
            table.add_row(entry.attribute)
        attribute = entry.attribute
        cells = [f"  {entry.slice}", f"{entry.movies}{' *' if entry.small else ''}"]
        for direction in DIRECTIONS:
            found = entry[direction]
            low, high = found.interval
            interval = f"{low:.2f}-{high:.2f}" if narrow else f"{low:.3f} to {high:.3f}"
            cells += [f"{found.accuracy:.3f}", interval, f"{found.median:g}"]
        table.add_row(*cells)
    return table


def print_geometry(measures: Mapping[str, Any], titles: Sequence[str], title: str) -> None:
    """The measures of `geometry.geometry`, with the worst hubs by title; `cka` of experts where it is there."""
    console = new_console()
    say_line(console, title)
    table = new_table(console, ["measure", "value", "what it says"])
    rank = measures["effective_rank"]
    for side in ("poster", "intro"):
        table.add_row(f"effective rank, {side}s", f"{rank[side]:.1f}", "dimensions really used; near 1 is a collapse")
    for side in ("poster", "intro"):
        table.add_row(f"uniformity, {side}s", f"{measures['uniformity'][side]:.3f}", "lower is more evenly spread")
    table.add_row("alignment", f"{measures['alignment']:.3f}", "mean squared distance of partners, lower is closer")
    table.add_row("modality gap", f"{measures['modality_gap']:.3f}", "distance between the means of the two sides")
    table.add_row("linear CKA", f"{measures['linear_cka']:.3f}", "how alike both sides arrange the items, 1 at most")
    for direction in DIRECTIONS:
        hubs = measures["hubness"][direction]
        words = direction.replace("_", " ")
        table.add_row(
            f"hubness, {words}", f"{hubs['skewness']:.2f}", f"skewness of how often an item is in a top {hubs['k']}"
        )
        table.add_row(
            f"orphans, {words}", f"{100 * hubs['orphans']:.1f} %", f"of the gallery is in nobody's top {hubs['k']}"
        )
    console.print(table)
    for direction in DIRECTIONS:
        hubs = measures["hubness"][direction]
        worst = ", ".join(f"{titles[hub['row']]} ({hub['count']})" for hub in hubs["hubs"][:5])
        say_line(console, f"worst hubs, {direction.replace('_', ' ')}: {worst}")
    if "cka" in measures:
        say_line(console, "linear CKA of each expert's two sides, held-out items")
        table = new_table(console, ["expert", "views", "weight", "before", "after"])
        for entry in measures["cka"]:
            views = f"{' + '.join(entry['poster'])} -> {' + '.join(entry['intro'])}"
            before = "-" if entry["before"] is None else f"{entry['before']:.3f}"
            table.add_row(entry["expert"], views, f"{entry['weight']:.3f}", before, f"{entry['after']:.3f}")
        console.print(table)


def print_differences(pairs: Sequence[Mapping[str, Any]], detectable: Mapping[str, float]) -> None:
    """What `comparison.compare_runs` gives, a table per pair of runs, and the smallest difference that could be found."""
    console = new_console()
    for pair in pairs:
        say_line(console, f"1st: {pair['first']}")
        say_line(console, f"2nd: {pair['second']}")
        say_line(console, f"{pair['movies']} held-out items, top 5 % (k = {pair['k']})")
        table = new_table(console, ["direction", "1st", "2nd", "change", "95 % interval", "p", "1st / 2nd", "Holm"])
        for name in (*DIRECTIONS, "sum"):
            found, test = pair[name], pair[name].get("mcnemar")
            cells = [
                name.replace("_", " "),
                f"{found['first']:.3f}",
                f"{found['second']:.3f}",
                f"{found['difference']:+.3f}",
                f"{found['low']:+.3f} to {found['high']:+.3f}",
                p_text(found["p"]),
                "" if test is None else f"{test['only_first']} / {test['only_second']}",
                p_text((found if test is None else test)["p_holm"]),
            ]
            table.add_row(*cells)
        console.print(table)
    for direction, difference in detectable.items():
        say_line(
            console,
            f"{direction.replace('_', ' ')}: with so many items a true difference of {difference:.4f} is found in four of "
            "five cases; a smaller one may go unseen",
        )
    say_line(
        console,
        "p: paired bootstrap; 1st / 2nd: items that only this run finds; Holm: p corrected for all tests (McNemar's exact "
        "test for a direction, the bootstrap for the sum)",
    )


def permutation_lines(found: Mapping[str, Any]) -> list[str]:
    """What `comparison.permutation_test` gives, in words."""
    return [
        f"permutation test on {found['movies']} held-out items: sum of both directions {found['acc_sum']:.4f}; with "
        f"intros given to posters at random {found['permuted_mean']:.4f} on average and {found['permuted_high']:.4f} at "
        f"most in {found['permutations']} tries; p = {found['p']:.4g} for 'poster and intro have nothing to do with each other'"
    ]


def new_table(console: Console, heads: Sequence[str]) -> Table:
    """An empty table: names at the left, numbers right-aligned; no column but one of words is folded."""
    table = terminal_table(console.width)
    for at, head in enumerate(heads):
        words = at == 0 or head in ("what it says", "views")
        table.add_column(head, justify="left" if words else "right", no_wrap=at == 0 or not words)
    return table


def new_console() -> Console:
    """stdout, `PLAIN_WIDTH` wide where it is no terminal."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH, highlight=False)


def say_line(console: Console, line: str) -> None:
    """One line in the language of the terminal."""
    console.print(word(line), markup=False, highlight=False, soft_wrap=True)
