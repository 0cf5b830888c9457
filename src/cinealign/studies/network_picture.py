"""A picture of a two-tower network, drawn from the parts and sizes of the module itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cinealign.figures import COLOURS, Language, drawing, label, save_figure
from cinealign.training.networks.two_tower.likeness import Likeness
from cinealign.training.networks.two_tower.plan import ALIKE, PICTURE
from cinealign.training.networks.two_tower.two_towers import TwoTowers

Row = tuple[str, str]
"""What comes in, and what becomes of it."""


def plot_network(towers: TwoTowers, out: Path, lang: Language = "en") -> Path:
    """Write `draw_network` as a .pdf and a .png of the name `out`; returns the .pdf."""
    with drawing(lang):
        return save_figure(draw_network(towers), out)[0]


def poster_rows(towers: TwoTowers) -> list[Row]:
    """The parts of a poster in the order of the gates, with the sizes of their weights."""
    tower, rows = towers.poster_tower, []
    for (name, _), directions, adapter in zip(
        towers.plan.readings, tower.start.directions, tower.adapters, strict=True
    ):
        width, kept = directions.basis.shape  # type: ignore[misc]
        rank = adapter.down.shape[1]  # type: ignore[index]
        told = label("closed form {width} → {kept} + adapter of rank {rank}", width=width, kept=kept, rank=rank)
        rows.append((label(name), told))
    if PICTURE in towers.plan.parts:
        (pictures, looks), said = tower.start.picture_looks.shape, tower.start.looks_say.shape[1]
        rows.append((label(PICTURE), f"CCA {pictures:,} → {looks} → {said}"))
    if ALIKE in towers.plan.parts:
        rows.append((label(ALIKE), _kernel(tower.start.alike)))
    if towers.plan.ngrams:
        for name, table in (("meaning", tower.start.ngrams_say), ("letters", towers.table)):
            count, width = table.rows.shape
            rows.append((label(name), label("n-gram table {count} × {width}", count=f"{count:,}", width=width)))
    return rows


def intro_rows(towers: TwoTowers) -> list[Row]:
    """The parts of an intro, with their sizes."""
    rows = []
    for language in towers.plan.languages:
        told = label("main directions {width} → {kept}", width=language.width, kept=language.kept)
        rows.append((label(language.intro), told))
    if towers.plan.kernels:
        rows.append((label("expected"), _kernel(towers.intro_tower.expects)))
    if towers.plan.ngrams:
        count, width = towers.table.rows.shape
        rows.append((label("letters"), label("n-gram table {count} × {width}", count=f"{count:,}", width=width)))
    return rows


def draw_network(towers: TwoTowers) -> Any:
    """A matplotlib figure: the parts of both towers, the gates, and the one vector of each side."""
    from matplotlib.figure import Figure

    posters, intros, plan = poster_rows(towers), intro_rows(towers), towers.plan
    rows = len(posters) + len(intros) + 1.6
    figure = Figure(figsize=(6.3, 0.42 * rows))
    axes = figure.subplots()
    axes.set(xlim=(0, 10), ylim=(rows, 0))
    axes.set_axis_off()
    vector = label(
        "core {core} + hubs 2\n+ memory {memory} + pads 2\n= {width}, unit length",
        core=plan.core,
        memory=plan.memory,
        width=plan.width,
    )
    top = 0.6
    for side, parts, colour in (("poster", posters, COLOURS[0]), ("intro", intros, COLOURS[1])):
        axes.text(0, top - 0.15, label(side), weight="bold", fontsize=8, color=colour)
        middle = top + len(parts) / 2
        for at, (name, told) in enumerate(parts):
            y = top + at + 0.5
            _box(axes, 0.9, y, 1.7, name, colour)
            _box(axes, 4.0, y, 3.9, told, colour)
            _arrow(axes, (1.77, y), (2.03, y))
            _arrow(axes, (5.97, y), (6.4, middle))
        joined = label("gates, sum") if side == "poster" else label("side by side")
        _box(axes, 6.95, middle, 1.05, joined, colour)
        _arrow(axes, (7.49, middle), (7.73, middle))
        _box(axes, 8.86, middle, 2.2, vector, colour, height=1.5)
        top += len(parts) + 0.8
    return figure


def _kernel(likeness: Likeness) -> str:
    pairs, said = likeness.says.shape
    return label("kernel of {count} train items → {said}", count=f"{pairs:,}", said=said)


def _box(axes: Any, x: float, y: float, width: float, text: str, colour: str, height: float = 0.72) -> None:
    from matplotlib.patches import Rectangle

    place = (x - width / 2, y - height / 2)
    axes.add_patch(Rectangle(place, width, height, facecolor="white", edgecolor=colour, linewidth=1))
    axes.text(x, y, text, ha="center", va="center", fontsize=6.5)


def _arrow(axes: Any, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": "0.4", "linewidth": 0.7})
