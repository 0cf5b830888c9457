"""Groups of movies in the shared space, each named by the words that mark its intros."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cinealign.analysis.downstream.numbers import Cluster, ClusterGenre, Clusters
from cinealign.analysis.downstream.task_table import Kind, Measured, Table
from cinealign.analysis.estimates import ratio_draws
from cinealign.analysis.material import Material
from cinealign.analysis.neighbours import traits
from cinealign.data.intros import stem_word, tokens
from cinealign.evaluation.nearest import nearest
from cinealign.experts.base import Vectors

COUNT, FEWEST_A_CLUSTER = 12, 10
DIMENSIONS = 50
NAMED_BY, WORDS, EXAMPLES, GENRES = 3, 6, 5, 3
FEWEST_INTROS = 3
STANDS_OUT = 1.5
"""Times its share of all movies from which on a frequent genre names a cluster."""
PRIOR = 100.0


def clusters(material: Material, table: Table) -> Clusters:
    """k-means on train movies, read on held-out ones: do cluster mates share genres, and what is each cluster about?"""
    count = max(2, min(COUNT, len(material.train) // FEWEST_A_CLUSTER))
    labels = [movie.genres for movie in material.catalogue.movies]
    alike = traits.overlap(labels, material.held_out)[:, material.held_out]  # (Q, Q)
    np.fill_diagonal(alike, np.nan)
    everyone = np.isfinite(alike)
    chance = float(alike[everyone].mean()) if everyone.any() else None
    found: NDArray[np.int64] | None = None
    sets: tuple[tuple[str, Kind, dict[str, Vectors], str | None], ...] = (
        ("raw both", "raw", material.raw, None),
        ("aligned both", "aligned", material.aligned, "raw both"),
    )
    for method, kind, spaces, against in sets:
        if "both" not in spaces:
            continue
        found = assign(spaces["both"], material.train, count, seed=material.seed)
        if chance is not None:
            mates = (found[material.held_out][:, None] == found[material.held_out]) & everyone
            sums, counts = np.where(mates, alike, 0.0).sum(axis=1, keepdims=True), mates.sum(axis=1, keepdims=True)
            value, drawn = ratio_draws(
                sums.astype(np.float64), counts.astype(np.float64), samples=material.samples, seed=material.seed
            )
            measured = Measured(float(value[0]), drawn[:, 0])
            n = len(material.held_out)
            table.add("clusters", "genre overlap of mates", method, kind, measured, n, chance=chance, against=against)
    assert found is not None, "the aligned space always has both sides"
    return Clusters(count=count, clusters=_described(material, found, count))


def assign(rows: Vectors, train: NDArray[np.int64], count: int, *, seed: int) -> NDArray[np.int64]:
    """(N,) cluster of every movie: k-means in the principal components of the train rows, fitted on those alone."""
    from sklearn.cluster import KMeans
    from sklearn.decomposition import PCA

    dimensions = min(DIMENSIONS, len(train) - 1, rows.shape[1])
    small = PCA(dimensions, svd_solver="randomized", random_state=seed).fit(rows[train]).transform(rows)
    fitted = KMeans(count, n_init=4, random_state=seed).fit(small[train])
    found: NDArray[np.int64] = fitted.predict(small).astype(np.int64)
    return found


def marking_words(documents: list[list[str]], inside: NDArray[np.bool_], count: int) -> list[str]:
    """The words that are most over-used inside compared with outside, the most telling first.

    Each document counts once for a word. Words are scored by the log-odds ratio with a prior (all documents, weighing as
    much as `PRIOR` words), divided by its standard deviation, so neither rare nor everyday words win.

    Args:
        documents: words of each.
        inside: (M,) which documents are inside.
        count: words wanted.
    Source:
        Monroe, Colaresi and Quinn, "Fightin' words" (2008), equations 16 to 22.
    """
    counts: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    for words, within in zip(documents, inside, strict=True):
        counts[0 if within else 1].update(set(words))
    names = sorted(word for word, number in counts[0].items() if number >= FEWEST_INTROS)
    if not names:
        return []
    first, second = (np.array([side[name] for name in names], dtype=np.float64) for side in counts)
    total = sum(counts[0].values()), sum(counts[1].values())
    prior = PRIOR * (first + second) / sum(total)
    with_prior = first + prior, second + prior
    odds = [np.log(part / (whole + PRIOR - part)) for part, whole in zip(with_prior, total, strict=True)]
    score = (odds[0] - odds[1]) / np.sqrt(1 / with_prior[0] + 1 / with_prior[1])
    order = np.argsort(-score, kind="stable")[:count]
    return [names[at] for at in order if score[at] > 0]


def _name(genres: Sequence[ClusterGenre], words: Sequence[str]) -> str:
    """What a cluster is about: its most over-represented genre, if one stands out, and its most telling words."""
    marked = [genre for genre in genres if genre.lift >= STANDS_OUT]
    genre = max(marked, key=lambda entry: entry.lift).genre if marked else ""
    told = ", ".join(words[:NAMED_BY])
    return f"{genre}: {told}" if genre and told else genre or told


def _described(material: Material, found: NDArray[np.int64], count: int) -> list[Cluster]:
    movies, both = material.catalogue.movies, material.aligned["both"]
    written = [tokens(movie.intro, stem=False) for movie in movies]
    spelling: dict[str, Counter[str]] = {}
    for words in written:
        for word in words:
            spelling.setdefault(stem_word(word), Counter())[word] += 1
    stems = [[stem_word(word) for word in words] for words in written]
    shares = Counter(genre for movie in movies for genre in movie.genres)
    train = [stems[row] for row in material.train]
    entries = []
    for cluster in range(count):
        rows = np.flatnonzero(found == cluster)
        marked = marking_words(train, found[material.train] == cluster, WORDS)
        words = [spelling[stem].most_common(1)[0][0] for stem in marked]
        here = Counter(genre for row in rows for genre in movies[row].genres)
        genres = [
            ClusterGenre(genre=name, share=number / len(rows), lift=number / len(rows) / (shares[name] / len(movies)))
            for name, number in here.most_common(GENRES)
        ]
        middle = both[rows].mean(axis=0)
        near = rows[nearest(both[rows] @ middle, EXAMPLES)]
        entries.append(
            Cluster(
                name=_name(genres, words) or f"cluster {cluster + 1}",
                words=words,
                movies=len(rows),
                held_out=int(np.isin(rows, material.held_out).sum()),
                genres=genres,
                examples=[material.movie(int(row)) for row in near],
            )
        )
    return sorted(entries, key=lambda entry: -entry.movies)
