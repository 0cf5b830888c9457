"""The numbers of an analysis as flat tables, for a spreadsheet: the same values as in analysis.json."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cinealign.evaluation.metrics import DIRECTIONS

Lines = list[dict[str, Any]]


def tables(numbers: Mapping[str, Any]) -> dict[str, Lines]:
    """Name -> rows with the same keys; a table whose part was skipped is left out."""
    relation, near, tasks = numbers["relation"], numbers["neighbours"], numbers["downstream"]
    found = {
        "left": [line for entry in relation["left"] if "skipped" not in entry for line in _left(entry)],
        "curve": _curve(relation["curve"]),
        "cca": [line for entry in _entries(relation["cca"]) for line in _components(entry)],
        "cka": _entries(relation["cka"]),
        "slices": [_slice(entry) for entry in relation["slices"]],
        "neighbours": [line for name, trait in near["traits"].items() for line in _trait(name, trait, near["k"])],
        "galleries": [line for name in DIRECTIONS for line in _gallery(name, near["galleries"][name])],
        "downstream": [_flat(row) for row in tasks["table"]],
        "tagging": [_flat(entry) for entry in _entries(tasks["tagging"].get("genres", []))],
        "clusters": [_cluster(entry) for entry in tasks["clusters"].get("clusters", [])],
        "search": _search(tasks["search"]) if "skipped" not in tasks["search"] else [],
    }
    return {name: lines for name, lines in found.items() if lines}


def write_table(lines: Lines, path: Path) -> None:
    """One CSV in UTF-8, a column for every key that any line has."""
    columns = list(dict.fromkeys(key for line in lines for key in line))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(lines)


def _entries(found: Any) -> Lines:
    return found if isinstance(found, list) else []


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


def _trait(name: str, trait: Mapping[str, Any], ks: list[int]) -> Lines:
    if "skipped" in trait:
        return []
    lines: Lines = [{"trait": name, "space": "chance", "k": "", **trait["chance"]}]
    for space, found in trait["spaces"].items():
        lines += [
            {"trait": name, "space": space, "k": k, **{key: values[at] for key, values in found.items()}}
            for at, k in enumerate(ks)
        ]
    return lines


def _gallery(direction: str, cases: Lines) -> Lines:
    return [
        {
            **{"direction": direction, "kind": case["kind"], "query": case["query"]["title"]},
            **{"query id": case["query"]["id"], "partner rank": case["partner_rank"], "place": found["place"]},
            **{"id": found["id"], "title": found["title"], "distance": found["distance"]},
            **{"partner": found["partner"], "shared": "|".join(found["shared"]), "genres": "|".join(found["genres"])},
        }
        for case in cases
        for found in case["neighbours"]
    ]


def _flat(entry: Mapping[str, Any]) -> dict[str, Any]:
    line: dict[str, Any] = {}
    for key, value in entry.items():
        if isinstance(value, Mapping):
            line |= {f"{key} {inner}": number for inner, number in value.items()}
        elif value is not None:
            line[key] = value
    return line


def _cluster(entry: Mapping[str, Any]) -> dict[str, Any]:
    genres = "|".join(f"{genre['genre']} {genre['share']:.3f} x{genre['lift']:.2f}" for genre in entry["genres"])
    examples = "|".join(movie["title"] for movie in entry["examples"])
    line = {key: entry[key] for key in ("name", "movies", "held_out")}
    return {**line, "words": "|".join(entry["words"]), "genres": genres, "examples": examples}


def _search(found: Mapping[str, Any]) -> Lines:
    asked = [("text to poster", entry["query"], entry["found"]) for entry in found["text_to_poster"]]
    asked += [("poster to intro", entry["query"]["title"], entry["found"]) for entry in found["poster_to_intro"]]
    return [
        {
            **{"search": kind, "query": query, "place": place, "id": movie["id"], "title": movie["title"]},
            "similarity": movie["similarity"],
        }
        for kind, query, movies in asked
        for place, movie in enumerate(movies, start=1)
    ]
