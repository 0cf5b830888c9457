"""Slices, geometry and comparisons of runs as tables on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cinealign.evaluation.metrics import DIRECTIONS
from cinealign.evaluation.slices import SMALL
from cinealign.evaluation.table import PLAIN_WIDTH

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


def print_slices(entries: Sequence[Mapping[str, Any]], n: int, k: int, title: str) -> None:
    """One row a slice, both directions with Wilson's interval and the median rank; what `slices.score_slices` gives."""
    heads = ["slice", "items"]
    for direction in DIRECTIONS:
        heads += [direction.replace("_", " "), "95 % interval", "median"]
    table = _table(f"{title}: held-out queries among all N = {n} items, top 5 % (k = {k}), chance {k / n:.3f}", heads)
    attribute = None
    for entry in entries:
        if entry["attribute"] not in (attribute, "all"):
            table.add_section()
            table.add_row(entry["attribute"])
        attribute = entry["attribute"]
        cells = [f"  {entry['slice']}", f"{entry['movies']}{' *' if entry['small'] else ''}"]
        for direction in DIRECTIONS:
            found = entry[direction]
            low, high = found["interval"]
            cells += [f"{found['accuracy']:.3f}", f"{low:.3f} to {high:.3f}", f"{found['median']:g}"]
        table.add_row(*cells)
    console = _console()
    console.print(table)
    _say(
        console,
        f"* fewer than {SMALL} items; intervals are Wilson's. Of many slices some miss the accuracy of the whole by "
        "chance alone",
    )


def print_geometry(measures: Mapping[str, Any], titles: Sequence[str], title: str) -> None:
    """The measures of `geometry.geometry`, with the worst hubs by title; `cka` of experts where it is there."""
    console = _console()
    table = _table(title, ["measure", "value", "what it says"])
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
        _say(console, f"worst hubs, {direction.replace('_', ' ')}: {worst}")
    if "cka" in measures:
        table = _table(
            "linear CKA of each expert's two sides, held-out items", ["expert", "views", "weight", "before", "after"]
        )
        for entry in measures["cka"]:
            views = f"{' + '.join(entry['poster'])} -> {' + '.join(entry['intro'])}"
            before = "-" if entry["before"] is None else f"{entry['before']:.3f}"
            table.add_row(entry["expert"], views, f"{entry['weight']:.3f}", before, f"{entry['after']:.3f}")
        console.print(table)


def print_differences(pairs: Sequence[Mapping[str, Any]], detectable: Mapping[str, float]) -> None:
    """What `comparison.compare_runs` gives, a table a pair of runs, and the smallest difference that could be found."""
    console = _console()
    for pair in pairs:
        about = f"{pair['first']} -> {pair['second']}: {pair['movies']} held-out items, top 5 % (k = {pair['k']})"
        heads = [
            "asked",
            "first",
            "second",
            "change",
            "95 % interval",
            "p",
            "only 1st",
            "only 2nd",
        ]
        table = _table(about, [*heads, "McNemar", "Holm"])
        for name in (*DIRECTIONS, "sum"):
            found = pair[name]
            cells = [
                name.replace("_", " "),
                f"{found['first']:.4f}",
                f"{found['second']:.4f}",
                f"{found['difference']:+.4f}",
            ]
            cells += [f"{found['low']:+.4f} to {found['high']:+.4f}", f"{found['p']:.4f}"]
            test = found.get("mcnemar")
            if test is None:
                cells += ["", "", "", f"{found['p_holm']:.4f}"]
            else:
                cells += [
                    str(test["only_first"]),
                    str(test["only_second"]),
                    f"{test['p']:.4f}",
                    f"{test['p_holm']:.4f}",
                ]
            table.add_row(*cells)
        console.print(table)
    for direction, difference in detectable.items():
        _say(
            console,
            f"{direction.replace('_', ' ')}: so many items show a true difference of {difference:.4f} in four of five "
            "cases; a smaller one may be there unseen",
        )
    _say(console, "p: paired bootstrap; McNemar: exact, of the items that one run alone gets right")
    _say(console, "Holm: p-values for so many tests at once; both runs answer the same queries, so tests are paired")


def permutation_lines(found: Mapping[str, Any]) -> list[str]:
    """What `comparison.permutation_test` gives, in words."""
    return [
        f"permutation test on {found['movies']} held-out items: sum of both directions {found['acc_sum']:.4f}; with "
        f"intros given to posters at random {found['permuted_mean']:.4f} on average and {found['permuted_high']:.4f} at "
        f"most in {found['permutations']} tries; p = {found['p']:.4g} for 'poster and intro have nothing to do with each other'"
    ]


def _table(title: str, heads: Sequence[str]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for at, head in enumerate(heads):
        words = at == 0 or head in ("what it says", "views")
        table.add_column(head, justify="left" if words else "right", no_wrap=at > 0 and not words)
    return table


def _console() -> Console:
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH, highlight=False)


def _say(console: Console, line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)
