"""A figure that an analysis may have, and how it is drawn into files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cinealign import figures
from cinealign.figures import SUFFIXES, Language, drawing, save_figure


@dataclass(frozen=True)
class Plan:
    """A figure that an analysis has if `draw` is not None."""

    name: str
    question: str
    caption: str
    draw: Callable[[Any], None] | None
    shows_posters: bool = False


def draw(
    plan: Callable[[Any], None], base: Path, lang: Language = "en", suffixes: Sequence[str] = SUFFIXES
) -> list[Path]:
    """Draw one figure as `base`.pdf and `base`.png, or as one of them.

    Raises:
        ConfigError: the place cannot be written.
    """
    from matplotlib.figure import Figure

    with drawing(lang):
        figure = Figure(dpi=figures.DPI)
        plan(figure)
        figure.draw_without_rendering()  # places everything, which for posters in a grid takes longer than drawing it:
        figure.set_layout_engine("none")  # once is enough for both files
        return save_figure(figure, base, suffixes)
