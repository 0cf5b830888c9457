"""A comparison as tables (CSV, Markdown) and as a figure; it computes nothing."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cinealign.evaluation.keys import DIRECTIONS, SPLITS
from cinealign.figures import COLOURS, drawing, save_figure

SHORT = {"poster_to_intro": "poster → intro", "intro_to_poster": "intro → poster"}


def save_comparison(comparison: dict[str, Any], out: Path) -> list[Path]:
    """Write comparison.json, .csv, .md, .pdf and .png and differences.csv into `out`; returns their paths."""
    out.mkdir(parents=True, exist_ok=True)
    files = [out / name for name in ("comparison.json", "comparison.csv", "differences.csv", "comparison.md")]
    files[0].write_text(json.dumps(comparison, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    _write_csv(files[1], [recipe_row(entry) for entry in comparison["recipes"]])
    _write_csv(files[2], [difference_row(pair) for pair in comparison["differences"]])
    files[3].write_text(markdown(comparison), encoding="utf-8")
    return [*files, *draw(comparison, out / "comparison")]


def about(comparison: dict[str, Any]) -> list[str]:
    """What the numbers are: split, N, k, definition, chance."""
    split, n, seeds = comparison["split"], comparison["n"], comparison["seeds"]
    counts = ", ".join(f"{split[name]} {name.replace('_', '-')}" for name in SPLITS)
    return [
        f"Top {100 * comparison['ratio']:g} % accuracy: share of queries whose partner is among the k = {comparison['k']} "
        f"nearest of all N = {n} items; chance {comparison['chance']:.4f}. Items: {counts}.",
        f"Mean over {seeds} seed{'s' * (seeds != 1)}, 95 % interval over items (hits averaged over seeds, items drawn again), "
        "± standard deviation over seeds.",
        "fit s: seconds of a run as seen, without the time for features that the store did not have; numbers: what the "
        "model holds besides frozen weights.",
    ]


def markdown(comparison: dict[str, Any]) -> str:
    """All tables and what they mean."""
    head = ["recipe", *(f"{SHORT[d]}, held-out" for d in DIRECTIONS), "sum, held-out"]
    course = has_course(comparison)
    head += ["sum, all", *["course score"] * course, "fit s", "numbers"]
    rows = []
    for entry in comparison["recipes"]:
        accuracy = entry["accuracy"]
        row = [entry["recipe"], *(_cell(accuracy[d]["held_out"]) for d in DIRECTIONS), _cell(entry["held_out_sum"])]
        row += [_cell(entry["acc_sum"]), *[f"{entry['course_score']:.2f}"] * course, seconds_text(entry["seconds"])]
        rows.append([*row, f"{entry['parameters']:,}"])
    tables = [_markdown_table(head, rows), other_splits(comparison)]
    return "\n\n".join([*tables, *about(comparison), *difference_text(comparison)]) + "\n"


def has_course(comparison: dict[str, Any]) -> bool:
    """Whether the data are the assignment's; a comparison of older versions does not say, and was of those."""
    return bool(comparison["data"].get("assignment", True))


def other_splits(comparison: dict[str, Any]) -> str:
    """Accuracies of all and of train movies with their intervals, as a Markdown table."""
    splits = [split for split in SPLITS if split != "held_out"]
    head = ["recipe", *(f"{SHORT[d]}, {split}" for split in splits for d in DIRECTIONS)]
    rows = [
        [entry["recipe"], *(_cell(entry["accuracy"][d][split], spread=False) for split in splits for d in DIRECTIONS)]
        for entry in comparison["recipes"]
    ]
    return _markdown_table(head, rows)


def difference_text(comparison: dict[str, Any]) -> list[str]:
    """The differences as a Markdown table, and how they were judged."""
    pairs = comparison["differences"]
    if not pairs:
        return []
    head = ["pair", "difference of held-out sums", "95 % interval", "p (Holm)", "real"]
    rows = []
    for pair in pairs:
        test = pair["sum"]
        verdict = "no" if not test["real"] else f"yes: {pair['second'] if test['difference'] > 0 else pair['first']}"
        bounds = interval_text(test["interval"], sign=True)
        p = f"{test['p']:.4f} ({test['p_holm']:.4f})"
        rows.append([f"{pair['first']} → {pair['second']}", f"{test['difference']:+.4f}", bounds, p, verdict])
    return [_markdown_table(head, rows), judged(pairs)]


def judged(pairs: Sequence[dict[str, Any]]) -> str:
    """How the differences were judged, one sentence."""
    return (
        f"Real: paired bootstrap over the {pairs[0]['movies']} held-out items of hits averaged over seeds, both directions "
        f"summed, second minus first; {pairs[0]['samples']} samples, Holm's correction over {len(pairs)} pairs, p below 0.05."
    )


def recipe_row(entry: dict[str, Any]) -> dict[str, Any]:
    """One row of comparison.csv."""
    row: dict[str, Any] = {"recipe": entry["recipe"], "seeds": " ".join(map(str, entry["seeds"]))}
    for direction in DIRECTIONS:
        for split in SPLITS:
            row.update(_flat(f"{direction}_{split}", entry["accuracy"][direction][split]))
    row.update(_flat("sum_held_out", entry["held_out_sum"]))
    row.update(_flat("sum_all", entry["acc_sum"]))
    stores = " ".join(run.get("store", "unknown") for run in entry["runs"])
    course = {"course_score": entry["course_score"], "fit_seconds": entry["seconds"], "store": stores}
    return {**row, **course, "learned_numbers": entry["parameters"]}


def difference_row(pair: dict[str, Any]) -> dict[str, Any]:
    """One row of differences.csv."""
    row: dict[str, Any] = {name: pair[name] for name in ("first", "second", "movies", "samples")}
    for name in ("sum", *DIRECTIONS):
        low, high = pair[name]["interval"]
        row |= {f"{name}_difference": pair[name]["difference"], f"{name}_low": low, f"{name}_high": high}
        row |= {f"{name}_{key}": pair[name][key] for key in ("p", "p_holm", "real")}
    return row


def draw(comparison: dict[str, Any], out: Path) -> list[Path]:
    """Held-out accuracy of every recipe: mean, interval, the seeds as small dots, chance as a line; all movies' if none is
    held out.
    """
    from matplotlib.figure import Figure

    entries = comparison["recipes"]
    split = "held_out" if comparison["split"]["held_out"] else "all"
    with drawing():
        figure = Figure(figsize=(6.3, 1.2 + 0.45 * len(entries)))
        axes = figure.subplots()
        for side, direction in enumerate(DIRECTIONS):
            for place, entry in enumerate(entries):
                measure, y = entry["accuracy"][direction][split], place + (-0.14, 0.14)[side]
                low, high = measure["interval"]
                axes.plot([low, high], [y, y], color=COLOURS[side], zorder=2)
                label = SHORT[direction] if place == 0 else None
                axes.plot(measure["mean"], y, "os"[side], color=COLOURS[side], markersize=5, label=label, zorder=3)
                dots = measure["seeds"]
                axes.plot(dots, [y] * len(dots), "|", color=COLOURS[side], markersize=7, alpha=0.6, zorder=1)
        axes.axvline(comparison["chance"], color="black", linestyle=":", linewidth=1, label="chance")
        axes.set_yticks(range(len(entries)), [entry["recipe"] for entry in entries])
        axes.set_ylim(len(entries) - 0.5, -0.5)
        axes.set_xlim(0, 1)  # the whole axis: a part of it makes small differences look large
        axes.set_xlabel(
            f"top {100 * comparison['ratio']:g} % accuracy, {comparison['split'][split]} {split.replace('_', '-')} queries "
            f"(N = {comparison['n']}, k = {comparison['k']}); bars: 95 % by item, ticks: seeds"
        )
        figure.legend(loc="outside upper right", ncols=3)
        return save_figure(figure, out)


def _flat(name: str, measure: dict[str, Any] | None) -> dict[str, Any]:
    if measure is None:
        return dict.fromkeys((name, f"{name}_low", f"{name}_high", f"{name}_seed_sd"))
    low, high = measure["interval"]
    return {name: measure["mean"], f"{name}_low": low, f"{name}_high": high, f"{name}_seed_sd": measure["spread"]}


def _cell(measure: dict[str, Any] | None, *, spread: bool = True) -> str:
    if measure is None:
        return "-"
    over_seeds = "" if measure["spread"] is None or not spread else f" ± {measure['spread']:.3f}"
    return f"{measure['mean']:.3f} ({interval_text(measure['interval'])}){over_seeds}"


def interval_text(bounds: Sequence[float], *, sign: bool = False) -> str:
    """Low and high of an interval."""
    return " to ".join(f"{bound:+.3f}" if sign else f"{bound:.3f}" for bound in bounds)


def seconds_text(value: float | None) -> str:
    """Seconds, or a dash where they are not known."""
    return "-" if value is None else f"{value:.1f}"


def _markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    escaped = [[cell.replace("|", "\\|") for cell in row] for row in (head, *rows)]
    escaped.insert(1, ["---"] * len(head))
    return "\n".join(f"| {' | '.join(row)} |" for row in escaped)


def _write_csv(file: Path, rows: Sequence[dict[str, Any]]) -> None:
    with file.open("w", newline="", encoding="utf-8") as opened:
        if rows:
            writer = csv.DictWriter(opened, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
