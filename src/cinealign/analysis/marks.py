"""Marks that several figures of the analysis share: dots with intervals, wrapped text, posters."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from cinealign.analysis.estimates import Estimate
from cinealign.data.posters import Poster, open_poster

GREY = "0.55"
DIRECTION_LABELS = {"poster_to_intro": "poster to intro", "intro_to_poster": "intro to poster"}
"""What `label` is asked for."""


def dots(
    axes: Any, found: Sequence[Estimate], places: Sequence[float], *, colour: str, marker: str, **more: Any
) -> None:
    """Estimates as dots with their intervals, one a place on the y axis; one without an interval is a dot alone."""
    for estimate, place in zip(found, places, strict=True):
        if estimate.low is not None:
            axes.plot([estimate.low, estimate.high], [place, place], color=colour, linewidth=1.2)
    values = [estimate.value for estimate in found]
    axes.plot(values, places, linestyle="", marker=marker, color=colour, markersize=4.5, **more)


def write(
    axes: Any, x: float, y: float, text: str, *, width: int | None = None, lines: int | None = None, **more: Any
) -> Any:
    """Text in the axes' own coordinates (0 to 1), wrapped at `width` letters and cut after `lines`; a $ is a $."""
    if width is not None:
        wrapped = textwrap.wrap(text, width)
        if lines is not None and len(wrapped) > lines:
            wrapped = [
                *wrapped[: lines - 1],
                textwrap.shorten(" ".join(wrapped[lines - 1 :]), width, placeholder=" ..."),
            ]
        text = "\n".join(wrapped)
    return axes.text(x, y, text, transform=axes.transAxes, parse_math=False, **more)


def show_poster(axes: Any, poster: Poster, *, frame: str | None = None) -> None:
    """A poster without axes, with a frame in a colour where one is given."""
    axes.imshow(open_poster(poster), aspect="equal", interpolation="antialiased")
    axes.set(xticks=[], yticks=[])
    axes.grid(False)
    for spine in axes.spines.values():
        spine.set_visible(frame is not None)
        if frame is not None:
            spine.set(color=frame, linewidth=2.5)


def blank(axes: Any) -> None:
    """Axes that only carry text."""
    axes.set_axis_off()
    axes.set(xlim=(0, 1), ylim=(0, 1))
