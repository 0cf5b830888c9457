"""Several readings of one poster made one: the first one, mended and filled up by the others."""

from __future__ import annotations

from collections.abc import Sequence

from cinealign.views.poster.lines import Line, covered, reading_order
from cinealign.views.poster.reading.reader import SAME_PLACE
from cinealign.views.poster.wording import known_share, parted

BETTER = 1.15
"""Factor by which another reading of a place must be better to replace what was read there first."""
SURE, KNOWN = 0.9, 0.9
"""Confidence and share of known words from which a line need not be read a second time."""
SURE_RULE = f"confidence >= {SURE}, known words >= {KNOWN}"
"""The same, for the key of what a second look reads."""


def merged(readings: Sequence[Sequence[Line]]) -> list[Line]:
    """The lines of one poster from several readings of it, in reading order.

    The first reading's lines stay, even where they lie on each other as large letters do. A line of a later reading is
    added where there is none yet; it replaces the lines on whose place it lies where it reads clearly better, by the number
    of its letters, the engine's confidence and the share of known words.
    """
    kept = list(readings[0])
    for later in readings[1:]:
        for line in later:
            there = [other for other in kept if covered(line.bounds, other.bounds) > SAME_PLACE]
            if not there or _quality(line) > BETTER * sum(map(_quality, there)):
                kept = [other for other in kept if all(other is not gone for gone in there)] + [line]
    return reading_order(kept)


def sure(lines: Sequence[Line]) -> list[Line]:
    """Those of `lines` that are read so well that a second look is not worth its time."""
    return [line for line in lines if line.confidence >= SURE and known_share(parted(line.text)) >= KNOWN]


def _quality(line: Line) -> float:
    letters = sum(character.isalnum() for character in line.text)
    return line.confidence * (0.2 + 0.8 * known_share(parted(line.text))) * letters
