"""Question 1 as flat tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cinealign.analysis.lines import Lines, entries
from cinealign.evaluation.metrics import DIRECTIONS


def relation_lines(relation: Mapping[str, Any]) -> dict[str, Lines]:
    """Name -> rows with the same keys."""
    return {
        "left": [line for entry in relation["left"] if "skipped" not in entry for line in _left(entry)],
        "curve": _curve(relation["curve"]),
        "cca": [line for entry in entries(relation["cca"]) for line in _components(entry)],
        "cka": entries(relation["cka"]),
        "slices": [_slice(entry) for entry in relation["slices"]],
    }


def _left(entry: Mapping[str, Any]) -> Lines:
    about = {"name": entry["name"], "says": entry["says"], "movies": entry["movies"]}
    lines = [{**about, "measure": name, **entry[name]} for name in (*DIRECTIONS, "mean")]
    lines += [{**about, "measure": name, **entry[name]} for name in ("difference", "share_left") if entry[name]]
    return lines


def _curve(curve: Mapping[str, Any]) -> Lines:
    names = (*DIRECTIONS, "chance")
    return [
        {"p": p, **{f"{name} {key}": curve[name][key][at] for name in names for key in ("value", "low", "high")}}
        for at, p in enumerate(curve["p"])
    ]


def _components(entry: Mapping[str, Any]) -> Lines:
    about = {"poster": entry["poster"], "intro": entry["intro"]}
    keys = ("train", "held_out", "null_high")
    return [
        {**about, "component": at + 1, **{key: entry[key][at] for key in keys}} for at in range(entry["components"])
    ]


def _slice(entry: Mapping[str, Any]) -> dict[str, Any]:
    line = {key: entry[key] for key in ("attribute", "slice", "movies", "small", "mean")}
    for name in DIRECTIONS:
        found = entry[name]
        low, high = found["interval"]
        line |= {name: found["accuracy"], f"{name} low": low, f"{name} high": high, f"{name} median": found["median"]}
    return line
