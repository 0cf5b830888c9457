"""What a run's training looked like, and how its accuracy grows with p: figures from history.jsonl and metrics.json."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from cinealign.evaluation.metrics import DIRECTIONS, SPLITS, TASK_RATIO
from cinealign.figures import COLOURS, LINES, Language, drawing, figure_base, label, save_figure
from cinealign.run import Run

PANELS = {
    "loss": "loss",
    "learning_rate": "learning rate",
    "temperature": "temperature",
    "bias": "bias of the sigmoid",
    "distillation_temperature": "temperature, distillation",
    "gradient_norm": "gradient norm",
    "inner_accuracy": "inner accuracy, top 5 %",
    "inner_log_rank": "inner log rank",
    "gates": "gates",
    "effective_rank": "effective rank",
}
"""Key of history.jsonl -> title; a panel that no epoch of an expert has a value for is left out."""
ACROSS = 4
"""Panels in a row at most."""
GATE = "gate_"
"""Begins the keys of a network's gates, which share the panel `gates`."""
PART = "loss_"
"""Begins the keys of the losses that were summed."""
Series = dict[tuple[str, int], list[dict[str, Any]]]
"""(phase, member) -> epochs."""
WITHOUT_A_FOLD = {"search": "search", "validation": "four fifths of the train pairs"}
"""Phase of a training whose weights are thrown away -> its label."""
INNER = {"loss": "inner_loss"}
"""Key -> the key of the same value for the left-out pairs, drawn into the same panel."""


def plot_run(run: Run, out: Path, lang: Language = "en") -> list[Path]:
    """Write `draw_run` of a run.

    Args:
        run: a finished run.
        out: file to write; a .pdf and a .png of its name are written.
        lang: of the labels.
    Returns:
        The two files.
    Raises:
        ConfigError: `out` is another kind of picture, or cannot be written.
    """
    figure_base(out)  # a wrong suffix is said before anything is drawn
    with drawing(lang):
        return save_figure(draw_run(run, lang), out)


def draw_run(run: Run, lang: Language = "en") -> Any:
    """A matplotlib figure: learning curves of every trained expert, and below them the top-p curve of both directions
    beside chance.

    A run without trained experts has only the top-p curve.
    """
    from matplotlib.figure import Figure

    experts = trained_experts(run.history)
    panels = {expert: _panels(series) for expert, series in experts.items()}
    columns = min(max([2, *map(len, panels.values())]), ACROSS)
    heights = [1.75 * math.ceil(len(keys) / columns) for keys in panels.values()]
    with drawing(lang):
        figure = Figure(figsize=(max(6.3, 2.3 * columns), 2.5 + sum(heights)))
        parts = figure.subfigures(len(experts) + 1, 1, height_ratios=[*heights, 2.5], squeeze=False)[:, 0]
        for part, (expert, series) in zip(parts, experts.items(), strict=False):
            told = label("expert {place} ({kind})", place=expert, kind=run.recipe.align[expert].expert)
            part.suptitle(told, fontsize=9, x=0.01, ha="left")
            places = part.subplots(math.ceil(len(panels[expert]) / columns), columns, squeeze=False).ravel()
            for axes, key in zip(places, panels[expert], strict=False):
                _draw_panel(axes, key, series)
            for axes in places[len(panels[expert]) :]:
                axes.set_axis_off()
        _draw_top_p(parts[-1], run)
        return figure


def trained_experts(history: list[dict[str, Any]]) -> dict[int, Series]:
    """The epochs of each expert that was trained, by phase ("train", "search" or "validation") and member."""
    experts: dict[int, Series] = {}
    for entry in history:
        key = (str(entry.get("phase", "train")), int(entry.get("member", 0)))
        experts.setdefault(int(entry["expert"]), {}).setdefault(key, []).append(entry)
    return dict(sorted(experts.items()))


def _panels(series: Series) -> list[str]:
    """Keys with values, in the order of `PANELS`; the parts of a sum of losses follow their sum."""
    entries = [entry for epochs in series.values() for entry in epochs]
    there = {key: None for entry in entries for key, value in entry.items() if value is not None}  # in order
    if any(key.startswith(GATE) for key in there):
        there["gates"] = None
    parts = [key for key in there if key.startswith(PART)]
    return [found for key in PANELS if key in there for found in (key, *(parts if key == "loss" else ()))]


def _draw_panel(axes: Any, key: str, series: Series) -> None:
    if key == "gates":
        _draw_gates(axes, next(iter(series.values())))
        return
    members = len({member for _, member in series})
    for (phase, member), epochs in series.items():
        if phase == "validation" and not key.startswith(("loss", "inner_")):
            continue
        apart = phase in WITHOUT_A_FOLD
        trained = label("member {place}", place=member) if members > 1 else label("train pairs")
        _draw_line(
            axes,
            _points(epochs, key),
            color="0.45" if apart else COLOURS[member % len(COLOURS)],
            linestyle="--" if apart else LINES[member % len(LINES)],
            label=label(WITHOUT_A_FOLD[phase]) if apart else trained,
        )
        _draw_line(axes, _points(epochs, INNER.get(key)), color="#D55E00", linestyle=":", label=label("left-out pairs"))
    for entry in (entry for epochs in series.values() for entry in epochs if entry.get("chosen")):
        axes.axvline(entry["epoch"], color="0.5", linestyle=":", linewidth=1, label=label("chosen epoch"))
    axes.set_title(label(PANELS[key]) if key in PANELS else label("loss: {name}", name=key.removeprefix(PART)))
    axes.set_xlabel(label("epoch"))
    axes.xaxis.get_major_locator().set_params(integer=True)
    if key == "loss" and len(axes.lines) > 1:
        axes.legend(fontsize=6)


def _points(epochs: list[dict[str, Any]], key: str | None) -> list[tuple[int, float]]:
    """Epoch and value, where there is one."""
    return [(entry["epoch"], entry[key]) for entry in epochs if key is not None and entry.get(key) is not None]


def _draw_line(axes: Any, points: list[tuple[int, float]], **style: Any) -> None:
    if points:
        axes.plot(*zip(*points, strict=True), marker="." if len(points) < 3 else None, **style)


def _draw_gates(axes: Any, epochs: list[dict[str, Any]]) -> None:
    """All gates of a network, which weigh the parts of a poster, in one panel."""
    for at, key in enumerate(key for key in epochs[0] if key.startswith(GATE)):
        axes.plot(
            [entry["epoch"] for entry in epochs],
            [entry[key] for entry in epochs],
            color=COLOURS[at % len(COLOURS)],
            linestyle=LINES[at % len(LINES)],
            label=label(key.removeprefix(GATE)),
        )
    axes.set_title(label("gates"))
    axes.set_xlabel(label("epoch"))
    axes.legend(fontsize=6)


def _draw_top_p(part: Any, run: Run) -> None:
    metrics = run.metrics
    curve = metrics["curve"]
    for axes, direction in zip(part.subplots(1, 2, sharey=True), DIRECTIONS, strict=True):
        for at, split in enumerate(SPLITS):
            if curve[direction][split] is not None:
                name, area = label(split.replace("_", "-")), curve["area"][direction][split]
                told = label("{split}, area {area:.3f}", split=name, area=area)
                axes.plot(curve["p"], curve[direction][split], color=COLOURS[at], linestyle=LINES[at], label=told)
        axes.plot([0, 1], [0, 1], color="0.5", linestyle=":", linewidth=1, label=label("chance"))
        axes.axvline(TASK_RATIO, color="0.5", linewidth=0.8, label=f"p = {TASK_RATIO:g}")
        axes.set(title=label(direction.replace("_", " ")), xlim=(0, 1), ylim=(0, 1.02))
        axes.set_xlabel(label("p, part of N = {n} that counts as near", n=metrics["n"]))
        axes.legend(loc="lower right")
    part.axes[0].set_ylabel(label("top-p accuracy"))
