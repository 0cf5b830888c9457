"""Question 3 as flat tables."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from cinealign.analysis.downstream.numbers import Cluster, Downstream, Search, TaggedGenre
from cinealign.analysis.downstream.task_table import TaskRow
from cinealign.analysis.lines import Lines
from cinealign.analysis.references import Similar
from cinealign.analysis.skipped import Skipped


def downstream_lines(tasks: Downstream) -> dict[str, Lines]:
    """Name -> rows with the same keys."""
    return {
        "downstream": [_flat(row) for row in tasks.table],
        "tagging": [] if isinstance(tasks.tagging, Skipped) else [_flat(entry) for entry in tasks.tagging.genres],
        "clusters": [] if isinstance(tasks.clusters, Skipped) else [_cluster(one) for one in tasks.clusters.clusters],
        "search": [] if isinstance(tasks.search, Skipped) else _search(tasks.search),
    }


def _flat(entry: TaskRow | TaggedGenre) -> dict[str, Any]:
    line: dict[str, Any] = {}
    for key, value in asdict(entry).items():
        if isinstance(value, dict):
            line |= {f"{key} {inner}": number for inner, number in value.items()}
        elif value is not None:
            line[key] = value
    return line


def _cluster(entry: Cluster) -> dict[str, Any]:
    genres = "|".join(f"{genre.genre} {genre.share:.3f} x{genre.lift:.2f}" for genre in entry.genres)
    examples = "|".join(movie.title for movie in entry.examples)
    line = {key: getattr(entry, key) for key in ("name", "movies", "held_out")}
    return {**line, "words": "|".join(entry.words), "genres": genres, "examples": examples}


def _search(found: Search) -> Lines:
    asked = [("text to poster", one.query, one.found) for one in found.text_to_poster]
    asked += [("poster to intro", one.query.title, list[Similar](one.found)) for one in found.poster_to_intro]
    return [
        {
            **{"search": kind, "query": query, "place": place, "id": movie.id, "title": movie.title},
            "similarity": movie.similarity,
        }
        for kind, query, movies in asked
        for place, movie in enumerate(movies, start=1)
    ]
