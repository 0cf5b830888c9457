"""What the pages of a run and of a comparison say: numbers from metrics.json, curves, slices, cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cinealign.errors import DataError
from cinealign.evaluation.accuracy import top_k
from cinealign.evaluation.comparison import compare_runs
from cinealign.evaluation.metrics import DIRECTIONS, TASK_RATIO, ranks_both_ways, split_rows
from cinealign.evaluation.slices import SliceScore, by_decade, by_label, by_size, score_slices
from cinealign.run import Run
from cinealign.search.index import words_in
from cinealign.search.items import HELD_OUT
from cinealign.studies.curves import GATE, INNER, PANELS, WITHOUT_A_FOLD, trained_experts
from cinealign.web.shelf import Shelf

CASES = 8
"""Best and worst cases that the run page shows."""
LISTED = 18
"""Cases of a kind that the page of a comparison shows with their posters; the others are titles."""
SLICES = ("genre", "decade", "words of the intro", "letters on the poster")


@dataclass(frozen=True)
class Case:
    """One item with the place of its partner in some directions."""

    id: str
    title: str
    places: Mapping[str, int]


@dataclass(frozen=True)
class Headline:
    """One number of the first table: a split, both directions, with intervals."""

    split: str
    queries: int
    accuracy: Mapping[str, float | None]
    interval: Mapping[str, Sequence[float] | None]


@dataclass(frozen=True)
class Curve:
    """A line of a chart: points in the unit square, x to the right, y upwards."""

    name: str
    points: tuple[tuple[float, float], ...]

    @property
    def path(self) -> str:
        """As the `points` of an SVG polyline in a box of 100 x 100."""
        return " ".join(f"{100 * x:.2f},{100 - 100 * y:.2f}" for x, y in self.points)


@dataclass(frozen=True)
class Panel:
    """A small chart of training: one value over the epochs, or several of a kind."""

    title: str
    curves: tuple[Curve, ...]
    low: float
    high: float
    first: int
    last: int
    chosen: float | None
    """Place of the epoch that was kept, from 0 to 1."""


def headlines(metrics: Mapping[str, Any]) -> list[Headline]:
    """Held-out first, as it is the number that counts."""
    found = []
    for split in ("held_out", "train", "all"):
        queries = metrics["ranks"]["poster_to_intro"].get(split, {}).get("queries", 0)
        if queries:
            accuracy = {direction: metrics[direction].get(split) for direction in DIRECTIONS}
            interval = {direction: metrics["intervals"][direction].get(split) for direction in DIRECTIONS}
            found.append(Headline(split, queries, accuracy, interval))
    return found


def top_p_curves(metrics: Mapping[str, Any], split: str) -> list[Curve]:
    """Share of queries whose partner is among the nearest p, both directions."""
    curve = metrics.get("curve", {})
    return [
        Curve(direction, ((0.0, 0.0), *zip(curve["p"], curve[direction][split], strict=True)))
        for direction in DIRECTIONS
        if curve.get(direction, {}).get(split)
    ]


def panels(run: Run) -> list[tuple[str, list[Panel]]]:
    """Expert -> its small charts, of the training whose weights were kept; of several members the last."""
    found = []
    several = len(run.recipe.align) > 1
    for expert, series in trained_experts(run.history).items():
        kept = [epochs for (phase, _), epochs in series.items() if phase not in WITHOUT_A_FOLD]
        epochs = (kept or list(series.values()))[-1]
        gates = [key for key in epochs[0] if key.startswith(GATE)]
        charts = []
        for key, title in PANELS.items():
            names = {"train pairs": key, "left-out pairs": INNER[key]} if key in INNER else {"": key}
            if key == "gates":
                names = {gate.removeprefix(GATE): gate for gate in gates}
            if (panel := _panel(title, epochs, names)) is not None:
                charts.append(panel)
        if charts:
            kind = run.recipe.align[expert].expert
            found.append((f"{expert}: {kind}" if several else kind, charts))
    return found


def _panel(title: str, epochs: Sequence[Mapping[str, Any]], keys: Mapping[str, str]) -> Panel | None:
    """A chart of `keys`, names of curves and their keys; None where no epoch has two values of one."""
    values = {
        name: [(int(entry["epoch"]), float(entry[key])) for entry in epochs if entry.get(key) is not None]
        for name, key in keys.items()
    }
    values = {name: points for name, points in values.items() if len(points) > 1}
    if not values:
        return None
    every = [point for points in values.values() for point in points]
    first, last = min(at for at, _ in every), max(at for at, _ in every)
    low, high = min(value for _, value in every), max(value for _, value in every)
    span, length = (high - low) or 1.0, max(1, last - first)
    curves = tuple(
        Curve(name, tuple(((at - first) / length, (value - low) / span) for at, value in points))
        for name, points in values.items()
    )
    chosen = next((int(entry["epoch"]) for entry in epochs if entry.get("chosen")), None)
    return Panel(title, curves, low, high, first, last, None if chosen is None else (chosen - first) / length)


def slices(shelf: Shelf) -> list[SliceScore]:
    """Held-out accuracy by genre, decade, length of the intro and amount of lettering; see `score_slices`."""
    rows = _held_out(shelf)
    if shelf.ranks is None or not rows:
        return []
    items = [item for item in shelf.all_items if item.item_id in shelf.ranks[DIRECTIONS[0]]]
    ranks = {d: np.array([shelf.ranks[d][item.item_id] for item in items], dtype=np.int64) for d in DIRECTIONS}
    nan = float("nan")
    attributes = {
        SLICES[0]: by_label([item.genres for item in items]),
        SLICES[1]: by_decade([item.year if item.year is not None else nan for item in items]),
        SLICES[2]: by_size([words_in(item.intro) if item.intro else nan for item in items]),
        SLICES[3]: by_size([item.letters if item.letters is not None else nan for item in items]),
    }
    held_out = np.array([row for row, item in enumerate(items) if item.split == HELD_OUT], dtype=np.int64)
    return score_slices(ranks, attributes, rows=held_out)


def _held_out(shelf: Shelf) -> list[str]:
    return [item.item_id for item in shelf.all_items if item.split == HELD_OUT]


def cases(shelf: Shelf) -> tuple[list[Case], list[Case]]:
    """The held-out items whose sides find each other best, and worst, by the product of both places."""
    if shelf.ranks is None:
        return [], []
    ranks = shelf.ranks
    found = [
        Case(item.item_id, item.title, {d: ranks[d][item.item_id] for d in DIRECTIONS})
        for item in shelf.all_items
        if item.split == HELD_OUT and item.item_id in ranks[DIRECTIONS[0]]
    ]
    found.sort(key=lambda case: case.places[DIRECTIONS[0]] * case.places[DIRECTIONS[1]])
    half = len(found) // 2
    return found[: min(CASES, half)], found[::-1][: min(CASES, half)]


@dataclass(frozen=True)
class Comparison:
    """Two runs on the same held-out items.

    Attributes:
        first, second: names of the runs.
        n, k: items, and how many count as near.
        tests: of `compare_runs`.
        both, neither: direction -> how many held-out items both or neither of them finds.
        only_first, only_second: direction -> what one finds and the other does not, the clearest difference first; the
            places are those of the two runs.
    """

    first: str
    second: str
    n: int
    k: int
    tests: Mapping[str, Any]
    both: Mapping[str, int]
    neither: Mapping[str, int]
    only_first: Mapping[str, list[Case]]
    only_second: Mapping[str, list[Case]]


def compared(shelf: Shelf, first: str, second: str) -> Comparison:
    """Compare two runs of the shelf.

    Raises:
        DataError: they are one run, or there is no held-out item.
    """
    if first == second:
        raise DataError("two names of one run; choose two runs")
    return _compared(first, shelf.runs[first], second, shelf.runs[second])


@lru_cache(maxsize=16)
def _compared(first: str, one: Run, second: str, other: Run) -> Comparison:
    """Kept, as runs never change and the tests draw thousands of samples."""
    rows = split_rows(one.train_rows, len(one.ids))["held_out"]
    if not len(rows):
        raise DataError("there is no held-out item to compare on")
    ranks = {first: _ranks(one), second: _ranks(other)}
    k = top_k(TASK_RATIO, len(one.ids))
    found: dict[str, dict[str, Any]] = {name: {} for name in ("both", "neither", "only_first", "only_second")}
    for direction in DIRECTIONS:
        places = np.stack([ranks[name][direction][rows] for name in (first, second)])  # (2, Q)
        near = places <= k
        found["both"][direction] = int(near.all(axis=0).sum())
        found["neither"][direction] = int((~near).all(axis=0).sum())
        for at, name in enumerate(("only_first", "only_second")):
            alone = np.flatnonzero(near[at] & ~near[1 - at])
            order = alone[np.argsort(places[at, alone] / places[1 - at, alone], kind="stable")]
            found[name][direction] = [_case(one, rows[q], {first: places[0, q], second: places[1, q]}) for q in order]
    tests = compare_runs(ranks, rows)[0]
    return Comparison(first, second, len(one.ids), k, tests, **found)


def _case(run: Run, row: np.int64, places: Mapping[str, Any]) -> Case:
    titles = run.catalogue.get("titles", [])
    item_id = str(run.ids[row])
    title = titles[int(row)] if int(row) < len(titles) else item_id
    return Case(item_id, title, {name: int(place) for name, place in places.items()})


@lru_cache(maxsize=16)
def _ranks(run: Run) -> dict[str, NDArray[np.int64]]:
    """Both directions, all items; kept, as a run never changes."""
    return ranks_both_ways(*run.vectors, run.ids)
