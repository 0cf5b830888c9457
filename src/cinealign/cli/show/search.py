"""An answer on the terminal: a table within 80 columns, and what speaks for each hit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich.cells import cell_len

from cinealign.cli.speech import folded
from cinealign.phrases import word
from cinealign.search.answer import Answer
from cinealign.search.reasons import COLUMNS, Reason, strongest
from cinealign.wide_letters import filled

WIDTH = 80
LEAST = 0.0005
"""Share of a score that is worth a word."""
_SHADES = " .:-=+*#"


def answer_lines(answer: Answer, reasons: Sequence[Reason] | None = None) -> list[str]:
    """The hits, one a line."""
    if not answer:
        return [f"no hit ({answer.total:,} items pass the filters)"]
    wide = min(20, max(8, *(cell_len(hit.item.own_id) for hit in answer)))
    heads = (filled(word("chance"), -6), filled(word("score"), -6), filled(word("id"), wide), filled(word("side"), 6))
    lines = [f"{'':>4} {heads[0]} {heads[1]}  {heads[2]} {heads[3]}  {word('title')}"]
    for at, hit in enumerate(answer):
        chance = "-" if hit.chance is None else _percent(hit.chance)
        called = filled(cut(hit.item.own_id, wide), wide)
        head = f"{hit.place:>4} {chance:>6} {hit.score:6.3f}  {called} {filled(word(hit.side), 6)}  "
        year = f" ({hit.item.year})" if hit.item.year and str(hit.item.year) not in hit.title else ""
        lines.append(f"{head}{cut(hit.title + year, WIDTH - cell_len(head))}".rstrip())
        if hit.side == "intro" and hit.item.intro:
            lines.append(f"{'':14}{cut(hit.item.intro, WIDTH - 14)}")
        if reasons is not None:
            lines += _reason_lines(reasons[at])
    first, last = answer[0].place, answer[-1].place
    lines.append(f"{first:,} to {last:,} of {answer.total:,}")
    if answer.best_chance is not None and answer.expected_rank is not None:
        told = (
            f"best chance {_percent(answer.best_chance)}; the partner is expected at place {answer.expected_rank:,.0f}"
        )
        lines.append(f"no good match: {told}" if answer.no_good_match else told)
    return lines


def _percent(chance: float) -> str:
    return "<1 %" if chance < 0.01 else f"{chance:.0%}".replace("%", " %")


def _reason_lines(reason: Reason) -> list[str]:
    parts = sorted([part for part in reason.shares.items() if abs(part[1]) >= LEAST], key=lambda part: -part[1])
    said = []
    if parts:
        said.append("parts: " + ", ".join(f"{name} {share:+.3f}" for name, share in parts))
    if words := strongest(reason.words):
        said.append("words: " + ", ".join(f"{each} {drop:+.3f}" for each, drop in words))
    if lines := strongest(reason.lines):
        said.append("lettering: " + ", ".join(f"{line!r} {likeness:.2f}" for line, likeness in lines))
    found = [f"{'':14}{piece}" for line in said for piece in folded(word(line), WIDTH - 14)]
    if reason.cells is not None:
        most = float(np.abs(reason.cells).max()) or 1.0
        for row in reason.cells:
            marks = "".join(_SHADES[round(max(0.0, cell / most) * (len(_SHADES) - 1))] * 2 for cell in row)
            found.append(f"{'':14}|{marks}|")
        found.append(
            f"{'':14}{COLUMNS} x {len(reason.cells)} parts of the picture; darker: counts more (at most {most:.3f})"
        )
    return found


def cut(text: str, width: int) -> str:
    """`text` within so many columns of the terminal; wide letters take two."""
    if cell_len(text) <= width:
        return text
    kept, used = "", 0
    for letter in text:
        used += cell_len(letter)
        if used > width - 3:
            break
        kept += letter
    return f"{kept.rstrip()}..."
