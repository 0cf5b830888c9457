"""Several readings of one poster made one: the first one, mended and filled up by the others."""

from __future__ import annotations

from collections.abc import Sequence

from cinealign.views.poster.ocr import Line, reading_order
from cinealign.views.poster.wording import known_share, parted

SAME_PLACE = 0.5
"""Share of the smaller of two lines that the other must cover for both to be the same lettering."""
BETTER = 1.15
"""Factor by which another reading of a place must be better to replace what was read there first."""


def merged(readings: Sequence[Sequence[Line]]) -> list[Line]:
    """The lines of one poster from several readings of it, in reading order.

    The first reading's lines stay, even where they lie on each other as large letters do. A line of a later reading is
    added where there is none yet; it replaces the lines on whose place it lies where it reads clearly better, by the number
    of its letters, the engine's confidence and the share of known words.
    """
    kept = list(readings[0])
    for later in readings[1:]:
        for line in later:
            there = [other for other in kept if _covered(line, other) > SAME_PLACE]
            if not there or _quality(line) > BETTER * sum(map(_quality, there)):
                kept = [other for other in kept if all(other is not gone for gone in there)] + [line]
    return reading_order(kept)


def _quality(line: Line) -> float:
    letters = sum(character.isalnum() for character in line.text)
    return line.confidence * (0.2 + 0.8 * known_share(parted(line.text))) * letters


def _covered(line: Line, other: Line) -> float:
    """Share of the upright box of the smaller of two lines that the other's covers."""
    left, top, right, bottom = _bounds(line)
    left2, top2, right2, bottom2 = _bounds(other)
    shared = max(0.0, min(right, right2) - max(left, left2)) * max(0.0, min(bottom, bottom2) - max(top, top2))
    smaller = min((right - left) * (bottom - top), (right2 - left2) * (bottom2 - top2))
    return shared / smaller if smaller > 0 else 0.0


def _bounds(line: Line) -> tuple[float, float, float, float]:
    across, down = [x for x, _ in line.box], [y for _, y in line.box]
    return min(across), min(down), max(across), max(down)
