"""A described data folder as tables on the terminal, and as plain text elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from cinealign.describe.folder import Description, Spread
from cinealign.phrases import word

if TYPE_CHECKING:
    from rich.console import Console

PLAIN_WIDTH = 120
_MOST_ROWS = 12


def print_description(description: Description, console: Console | None = None) -> None:
    """Print the tables; without a console on stdout, 120 columns wide when it is not a terminal."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    if console is None:
        console = Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH, highlight=False)
    table = Table(
        title=description.folder, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, show_header=False
    )
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for at, section in enumerate(sections(description)):
        if at:
            table.add_section()
        for name, value in section:
            table.add_row(word(name), word(value))
    console.print(table, markup=False)
    spreads = Table(title=word("least, quantiles, most"), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for at, head in enumerate(("", "least", "5 %", "25 %", "median", "75 %", "95 %", "most")):
        spreads.add_column(word(head), justify="right" if at else "left")
    for name, spread, digits in _spreads(description):
        spreads.add_row(word(name), *(f"{value:,.{digits}f}" for value in spread.quantiles))
    console.print(spreads)


def sections(description: Description) -> Iterator[list[tuple[str, str]]]:
    """What is said line by line, name and value, in groups."""
    counts = description.counts
    yield [
        ("items", f"{counts.rows:,} in {description.table}"),
        ("with a poster, with an intro", f"{counts.with_poster:,}, {counts.with_intro:,}"),
        ("usable: both, and the poster readable", f"{counts.usable:,}"),
        (
            "train, held-out",
            counts.split if counts.train is None else f"{counts.train:,}, {counts.held_out:,} ({counts.split})",
        ),
    ]
    yield [
        (
            "poster files",
            f"{description.size.total / 1e6:,.1f} MB; {listing(description.formats, description.size.count)}",
        ),
        ("poster sizes", listing(description.sizes, description.size.count, 5)),
        ("unreadable posters", _unreadable(description.unreadable)),
    ]
    yield [
        ("languages of intros", listing(description.languages, description.words.count)),
        ("genres (an item may have several)", listing(description.genres, counts.rows, _MOST_ROWS)),
        ("decades", listing(description.decades, counts.rows, len(description.decades))),
        ("without a genre, without a year", f"{description.without_genre:,}, {description.without_year:,}"),
    ]
    yield [
        ("equal posters", description.equal_posters.line()),
        ("near-equal posters (perceptual hash)", description.near_equal_posters.line()),
        ("equal intros", description.equal_intros.line()),
    ]
    yield list(_lettering(description))


def listing(counts: Mapping[str, int], total: int, most: int = 6) -> str:
    """Names with their counts and shares of `total`, the rest as one; a dash where there is nothing."""
    shown = [f"{name} {count:,} ({_percent(count, total)})" for name, count in list(counts.items())[:most]]
    more = len(counts) - most
    if more > 0:
        shown.append(f"{more:,} more")
    return ", ".join(shown) or "-"


def _lettering(description: Description) -> Iterator[tuple[str, str]]:
    found = description.lettering
    if found is None:
        yield "lettering", description.lettering_note
        return
    yield (
        "lettering",
        f"{found.posters - found.without:,} of {found.posters:,} posters have some; {description.lettering_note}",
    )
    yield (
        "lines and words on those (median)",
        f"{found.median_lines:g} lines, {found.median_words:g} words, at most {found.most_words:,}",
    )
    yield (
        "tallest line, confidence",
        f"{100 * found.tallest:.1f} % of the poster's height (median), {found.confidence:.2f} (mean)",
    )
    yield "scripts of the lettering", listing(found.scripts, found.posters - found.without)


def _spreads(description: Description) -> Iterator[tuple[str, Spread, int]]:
    yield "words of an intro", description.words, 0
    yield "characters of an intro", description.characters, 0
    yield "width of a poster in pixels", description.width, 0
    yield "height of a poster in pixels", description.height, 0
    kilobytes = Spread(description.size.count, 0.0, tuple(value / 1000 for value in description.size.quantiles))
    yield "size of a poster in kB", kilobytes, 1


def _unreadable(names: tuple[str, ...]) -> str:
    if not names:
        return "none"
    return f"{len(names):,}: {'; '.join(names[:3])}{' ...' if len(names) > 3 else ''}"


def _percent(count: int, total: int) -> str:
    share = 100 * count / total if total else 0.0
    if 0 < share < 1:
        return "< 1 %"
    return "> 99 %" if 99 < share < 100 else f"{share:.0f} %"
