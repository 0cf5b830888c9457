"""Question 3 as flat tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cinealign.analysis.lines import Lines, entries


def downstream_lines(tasks: Mapping[str, Any]) -> dict[str, Lines]:
    """Name -> rows with the same keys."""
    return {
        "downstream": [_flat(row) for row in tasks["table"]],
        "tagging": [_flat(entry) for entry in entries(tasks["tagging"].get("genres", []))],
        "clusters": [_cluster(entry) for entry in tasks["clusters"].get("clusters", [])],
        "search": _search(tasks["search"]) if "skipped" not in tasks["search"] else [],
    }


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
