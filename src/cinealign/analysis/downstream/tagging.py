"""Tagging and searching by words alone: texts encoded as if they were intros, compared with posters never seen."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cinealign.analysis.downstream.numbers import FoundIntro, PosterSearch, Search, TaggedGenre, Tagging, TextSearch
from cinealign.analysis.downstream.probes import genre_table
from cinealign.analysis.downstream.ranking import macro
from cinealign.analysis.downstream.task_table import Kind, Measured, Table
from cinealign.analysis.material import Material
from cinealign.analysis.references import Similar
from cinealign.evaluation.nearest import nearest
from cinealign.experts.base import Inputs, Vectors, normalised

SHOWN = 5
RECALL = 10
SEARCH_EXAMPLES = 4


def tagging(material: Material, table: Table) -> Tagging:
    """Zero-shot genre tags: a movie's score for a genre is its cosine to the genre's description.

    No label is used, not even of train movies. `top tag` centres and scales a genre's scores by those of all train movies
    first, and counts a movie right if it has the genre that comes first.
    """
    names, labels = genre_table(material)
    texts = [describe(name) for name in names]
    held_out, train = material.held_out, material.train
    asked = material.aligned_texts(texts)
    scores: dict[str, tuple[Kind, NDArray[np.float32], str | None]] = {}
    if (raw := _raw_texts(material, texts)) is not None:
        scores["raw intro"] = ("raw", material.raw["intro"] @ raw.T, None)
    scores["aligned intro"] = ("aligned", material.aligned["intro"] @ asked.T, "raw intro")
    scores["aligned poster"] = ("aligned", material.aligned["poster"] @ asked.T, None)
    options = {"samples": material.samples, "seed": material.seed}
    truth, share = labels[held_out], labels[held_out].mean(axis=0)
    frequent = int(labels[train].sum(axis=0).argmax())
    task, n, by_genre = "genre tagging, zero-shot", len(held_out), {}
    chances = {"macro AUC": 0.5, "macro AP": float(share.mean())}
    constant = f"always {names[frequent]}"
    table.add(
        task,
        "top tag",
        constant,
        "baseline",
        Measured.mean(truth[:, frequent], **options),
        n,
        chance=float(share.mean()),
    )
    for method, (kind, found, against) in scores.items():
        for measure, chance in chances.items():
            measured, each = macro(measure, found[held_out], truth, **options)
            table.add(task, measure, method, kind, measured, n, chance=chance, against=against)
            if measure == "macro AUC":
                by_genre[method] = each
        spread = np.maximum(found[train].std(axis=0), 1e-12)
        first = ((found[held_out] - found[train].mean(axis=0)) / spread).argmax(axis=1)
        hits = Measured.mean(truth[np.arange(n), first], **options)
        table.add(task, "top tag", method, kind, hits, n, chance=float(share.mean()), against=constant)
    measured, _ = macro("precision@10", scores["aligned poster"][1][held_out], truth, **options)
    asks = "text -> poster search"
    table.add(asks, "precision@10", "genre descriptions", "aligned", measured, n, chance=float(share.mean()))
    entries = [
        TaggedGenre(
            genre=name,
            description=text,
            movies=int(truth[:, at].sum()),
            auc={method: each[at] for method, each in by_genre.items()},
        )
        for at, (name, text) in enumerate(zip(names, texts, strict=True))
    ]
    return Tagging(genres=entries)


def search(material: Material, table: Table) -> Search:
    """Searches with examples: free texts among held-out posters, held-out posters and intros among all N of the other side.

    The free texts are of movies: imported data are not asked for them.
    """
    n, options = len(material.held_out), {"samples": material.samples, "seed": material.seed}
    for task, direction in (
        ("text -> poster search", "intro_to_poster"),
        ("poster -> intro search", "poster_to_intro"),
    ):
        ranks = material.ranks[direction][material.held_out]
        hits = Measured.mean(ranks <= RECALL, **options)
        chance = RECALL / len(material.catalogue)
        method = "own intro" if direction == "intro_to_poster" else "own poster"
        table.add(task, f"recall@{RECALL}", method, "aligned", hits, n, chance=chance)
    texts = []
    if material.catalogue.report.assignment:
        queries = _texts()["queries"]
        products = material.aligned_texts(queries) @ material.aligned["poster"][material.held_out].T
        for query, row in zip(queries, products, strict=True):
            near = [(material.held_out[at], float(row[at])) for at in nearest(row, SHOWN)]
            listed = [material.movie_as(Similar, movie, similarity=alike) for movie, alike in near]
            texts.append(TextSearch(query=query, found=listed))
    drawn = np.random.default_rng(material.seed).permutation(material.held_out)[:SEARCH_EXAMPLES]
    poster, intro = material.run.vectors
    posters = []
    for query in sorted(drawn.tolist()):
        row = intro @ poster[query]
        found = [material.movie_as(FoundIntro, at, similarity=float(row[at])) for at in nearest(row, SHOWN)]
        rank = int(material.ranks["poster_to_intro"][query])
        posters.append(PosterSearch(query=material.movie(query), found=found, partner_rank=rank))
    return Search(text_to_poster=texts, poster_to_intro=posters)


def describe(genre: str) -> str:
    """What is asked for a genre."""
    return str(_texts()["genres"].get(genre, f"Of the genre {genre}."))


@cache
def _texts() -> dict[str, Any]:
    import yaml

    text = files("cinealign.analysis.downstream").joinpath("texts.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def _raw_texts(material: Material, texts: list[str]) -> Vectors | None:
    """Texts as the raw intro views see them, side by side as in `material.raw`; None without a view of numbers."""
    views = material.raw_views["intro"]
    if not views:
        return None
    inputs = Inputs.fit(list(views), {name: rows[material.train] for name, rows in views.items()})
    seen = {name: material.model.views[name] for name in views}
    return normalised(
        inputs({name: view.transform(view.extract(texts, material.store)) for name, view in seen.items()})
    )
