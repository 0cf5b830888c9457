"""Lines of lettering: what was read, where, and in which order people read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Bounds = tuple[float, float, float, float]
"""Left, top, right and bottom of an upright box, as fractions of the poster."""


@dataclass(frozen=True)
class Line:
    """A line of lettering.

    Coordinates are fractions of the poster: x of its width, y of its height, from the upper left corner.
    """

    text: str
    confidence: float
    """0 to 1, the mean over the characters as the engine sees it."""
    box: tuple[tuple[float, float], ...]
    """Four corners, clockwise, from the upper left one of the line as it is read."""
    height: float
    """Height of the letters as a fraction of the poster's height."""

    @property
    def centre(self) -> tuple[float, float]:
        """(x, y) of the middle of the box."""
        return sum(x for x, _ in self.box) / 4, sum(y for _, y in self.box) / 4

    @property
    def bounds(self) -> Bounds:
        """The upright box around the line."""
        return bounds(self.box)


def reading_order(lines: Sequence[Line]) -> list[Line]:
    """`lines` from top to bottom and, within a row, from left to right.

    The topmost line that is left begins a row, and lines belong to it whose middle is less than half a letter's height
    (of the smaller of the two) below its middle.
    """
    left = sorted(lines, key=lambda line: (line.centre[1], line.centre[0]))
    ordered: list[Line] = []
    while left:
        first = left[0]
        row = [x for x in left if x.centre[1] - first.centre[1] < 0.5 * min(x.height, first.height) or x is first]
        ordered += sorted(row, key=lambda line: line.centre[0])
        left = [line for line in left if not any(line is taken for taken in row)]
    return ordered


def bounds(box: Sequence[Sequence[float]]) -> Bounds:
    """The upright box around the corners (4, 2) of another one."""
    across, down = [x for x, _ in box], [y for _, y in box]
    return min(across), min(down), max(across), max(down)


def covered(one: Bounds, other: Bounds) -> float:
    """Share of the smaller of two boxes that the other one covers, 0 where a box is empty."""
    shared = max(0.0, min(one[2], other[2]) - max(one[0], other[0])) * max(
        0.0, min(one[3], other[3]) - max(one[1], other[1])
    )
    smaller = min((right - left) * (bottom - top) for left, top, right, bottom in (one, other))
    return shared / smaller if smaller > 0 else 0.0
