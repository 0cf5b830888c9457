"""Question 1 as flat tables."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from cinealign.analysis.lines import Lines, given
from cinealign.analysis.relation.numbers import Canonical, Curve, Left, MeanSlice, Relation
from cinealign.evaluation.metrics import DIRECTIONS


def relation_lines(relation: Relation) -> dict[str, Lines]:
    """Name -> rows with the same keys."""
    return {
        "left": [line for entry in relation.left if isinstance(entry, Left) for line in _left(entry)],
        "curve": _curve(relation.curve),
        "cca": [line for entry in given(relation.cca) for line in _components(entry)],
        "cka": [asdict(entry) for entry in given(relation.cka)],
        "slices": [_slice(entry) for entry in relation.slices],
    }


def _left(entry: Left) -> Lines:
    about = {"name": entry.name, "says": entry.says, "movies": entry.movies}
    measures = {name: getattr(entry, name) for name in (*DIRECTIONS, "mean", "difference", "share_left")}
    return [{**about, "measure": name, **asdict(found)} for name, found in measures.items() if found]


def _curve(curve: Curve) -> Lines:
    bands = {**{name: curve[name] for name in DIRECTIONS}, "chance": curve.chance}
    return [
        {"p": p, **{f"{name} {key}": values[at] for name, band in bands.items() for key, values in vars(band).items()}}
        for at, p in enumerate(curve.p)
    ]


def _components(entry: Canonical) -> Lines:
    about = {"poster": entry.poster, "intro": entry.intro}
    triples = zip(entry.train, entry.held_out, entry.null_high, strict=True)
    return [
        {**about, "component": at, "train": train, "held_out": held_out, "null_high": high}
        for at, (train, held_out, high) in enumerate(triples, start=1)
    ]


def _slice(entry: MeanSlice) -> dict[str, Any]:
    line = {key: getattr(entry, key) for key in ("attribute", "slice", "movies", "small", "mean")}
    for name in DIRECTIONS:
        found = entry[name]
        low, high = found.interval
        line |= {name: found.accuracy, f"{name} low": low, f"{name} high": high, f"{name} median": found.median}
    return line
