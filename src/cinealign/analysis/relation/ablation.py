"""How much of the accuracy is left when something is taken away from posters or intros, the fitted model staying as it is.

Every variant is scored as the run is: each held-out query searches all N movies, in both directions, so that differences
are paired by movie.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cinealign.analysis.estimates import Estimate, difference, estimate, from_draws
from cinealign.analysis.explain.painting import CHEAP, without_lettering
from cinealign.analysis.material import SIDES, Material
from cinealign.analysis.relation.numbers import Left, NotTaken
from cinealign.analysis.relation.titles import lettering_without_title, title_stems, without_title
from cinealign.analysis.skipped import SkippedError
from cinealign.data.intros import tokens
from cinealign.evaluation.metrics import DIRECTIONS, ranks_both_ways
from cinealign.evaluation.statistics import bootstrap
from cinealign.experts.base import Vectors
from cinealign.experts.fusion import fuse
from cinealign.progress import progress
from cinealign.views.base import Extracted
from cinealign.views.poster.lettering import LetteringView

TIE = 1e-6
NO_READER = "no view of this recipe reads the lettering"


def what_is_left(material: Material) -> list[Left | NotTaken]:
    """One entry a variant, `full` first; a variant that the recipe or data cannot give says why."""
    full = _hits(material, *material.run.vectors)
    found: list[Left | NotTaken] = [_scored(material, "full", "the run as it is", full, None)]
    with progress("what is left", len(VARIANTS)) as bar:
        for name, (says, variant) in VARIANTS.items():
            try:
                found.append(_scored(material, name, says, variant(material), full))
            except SkippedError as reason:
                found.append(NotTaken(name=name, says=says, skipped=str(reason)))
            bar.advance()
    return found


def titles_named(material: Material) -> dict[str, NDArray[np.bool_] | None]:
    """Side -> (N,) whether a content word of the title occurs on it; None for posters that nobody reads."""
    movies = material.catalogue.movies
    intros = np.array([without_title(movie.intro, movie.title) != movie.intro for movie in movies])
    if material.lettering is None:
        return {"intro": intros, "poster": None}
    texts = material.lettering.texts(material.catalogue.posters, material.store)
    pairs = zip(texts, movies, strict=True)
    posters = [bool(title_stems(movie.title) & set(tokens(text))) for text, movie in pairs]
    return {"intro": intros, "poster": np.array(posters)}


def without_labels(rows: Vectors, labels: NDArray[np.float64], train: NDArray[np.int64]) -> tuple[Vectors, Vectors]:
    """What of vectors is linear in labels, and what is left, by least squares on the train rows.

    The mean of the vectors stays in what is left.

    Args:
        rows: (N, D).
        labels: (N, G) zeros and ones.
        train: rows to fit on.
    Returns:
        (N, D) left, and (N, D) linear in the labels; their sum is `rows`.
    """
    centred = labels - labels[train].mean(axis=0)
    design = np.concatenate([np.ones((len(rows), 1)), centred], axis=1)
    weights = np.linalg.lstsq(design[train], rows[train].astype(np.float64), rcond=None)[0]
    linear = (centred @ weights[1:]).astype(np.float32)
    return rows - linear, linear


def expected_hits(similarity: NDArray[np.floating], own: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    """Chance of each query to find its own among the k most similar if ties are broken at random: (Q,) in [0, 1].

    Args:
        similarity: (Q, N) of each query to the gallery.
        own: (Q,) column of each query's partner.
        k: how many count as near.
    """
    partner = similarity[np.arange(len(own)), own][:, None]
    above = (similarity > partner + TIE).sum(axis=1)
    tied = (np.abs(similarity - partner) <= TIE).sum(axis=1)
    chances: NDArray[np.float64] = np.clip((k - above) / tied, 0.0, 1.0)
    return chances


def _hits(material: Material, poster: Vectors, intro: Vectors) -> NDArray[np.float64]:
    """(Q, 2) whether each held-out movie is found, a direction a column."""
    ranks = ranks_both_ways(poster, intro, material.catalogue.ids, material.held_out)
    return np.stack([ranks[name] <= material.k for name in DIRECTIONS], axis=1).astype(np.float64)


def _scored(
    material: Material, name: str, says: str, hits: NDArray[np.float64], full: NDArray[np.float64] | None
) -> Left:
    samples, seed = material.samples, material.seed
    mean = hits.mean(axis=1)
    found = Left(
        name=name,
        says=says,
        movies=len(hits),
        poster_to_intro=estimate(hits[:, 0], samples=samples, seed=seed),
        intro_to_poster=estimate(hits[:, 1], samples=samples, seed=seed),
        mean=estimate(mean, samples=samples, seed=seed),
        difference=None,
        share_left=None,
    )
    if full is None:
        return found
    before = full.mean(axis=1)
    drawn = bootstrap(np.stack([mean, before], axis=1), samples=samples, seed=seed)
    chance = material.k / len(material.catalogue)
    return replace(
        found,
        difference=difference(float((mean - before).mean()), drawn[:, 0] - drawn[:, 1]),
        share_left=_share(mean.mean() - chance, before.mean() - chance, drawn - chance),
    )


def _share(left: float, whole: float, drawn: NDArray[np.float64]) -> Estimate | None:
    """None where the run as it is is not above chance: there is nothing of which a part could be left."""
    if whole <= 0 or (drawn[:, 1] <= 0).any():
        return None
    return from_draws(left / whole, drawn[:, 0] / drawn[:, 1])


def _encoded(
    material: Material,
    poster: Mapping[str, Extracted] | None = None,
    intro: Mapping[str, Extracted] | None = None,
) -> NDArray[np.float64]:
    """Hits with some views seeing other things than they did; a side of which nothing is given stays as it is."""
    vectors = list(material.run.vectors)
    if poster is not None:
        vectors[0] = material.model.encode_poster_extracts({**material.extracts.poster, **poster})
    if intro is not None:
        vectors[1] = material.model.encode_intro_extracts({**material.extracts.intro, **intro})
    return _hits(material, *vectors)


def _readers(material: Material) -> dict[str, LetteringView]:
    views = material.model.views.items()
    readers = {name: view for name, view in views if isinstance(view, LetteringView)}
    if not readers:
        raise SkippedError(NO_READER)
    return readers


def _lookers(material: Material) -> list[str]:
    """Poster views that look at the picture instead of reading it."""
    readers = _readers(material)
    lookers = [name for name in material.extracts.poster if name not in readers]
    if not lookers:
        raise SkippedError("every poster view of this recipe reads the lettering, so no appearance is left to look at")
    return lookers


def _blank(material: Material) -> dict[str, Extracted]:
    """What readers give for posters on which nothing is written."""
    texts = [""] * len(material.catalogue)
    return {name: reader.extract_texts(texts, material.store) for name, reader in _readers(material).items()}


def _lettering_blank(material: Material) -> NDArray[np.float64]:
    _lookers(material)
    return _encoded(material, _blank(material))


def _lettering_painted(material: Material) -> NDArray[np.float64]:
    lookers = _lookers(material)
    kinds = {name: material.run.recipe.views[name].view for name in lookers}
    if dear := sorted(set(kinds.values()) - set(CHEAP)):
        raise SkippedError(f"looking at every painted poster again takes too long with the view {', '.join(dear)}")
    reader = next(iter(_readers(material).values()))
    posters = material.catalogue.posters
    lines = reader.lines(posters, material.store)
    painted = [without_lettering(poster, read) for poster, read in zip(posters, lines, strict=True)]
    seen = {name: material.model.views[name].extract(painted, material.store) for name in lookers}
    return _encoded(material, {**_blank(material), **seen})


def _appearance_blank(material: Material) -> NDArray[np.float64]:
    """Zero is what a view gives for an item on which it sees nothing."""
    if not any(isinstance(view, LetteringView) for view in material.model.views.values()):
        raise SkippedError("appearance is all that this recipe sees of a poster")
    seen = {name: material.extracts.poster[name] for name in _lookers(material)}
    if any(not isinstance(extracted, np.ndarray) for extracted in seen.values()):
        raise SkippedError("a poster view of this recipe has no way to see nothing")
    return _encoded(material, {name: np.zeros_like(extracted) for name, extracted in seen.items()})


def _genres(material: Material) -> NDArray[np.float64]:
    movies = material.catalogue.movies
    names = sorted({genre for row in material.train for genre in movies[row].genres})
    if not names:
        raise SkippedError("no train item has a genre")
    return np.array([[name in movie.genres for name in names] for movie in movies], dtype=np.float64)


def _split_by_genre(material: Material) -> dict[str, tuple[list[Vectors], list[Vectors]]]:
    """Side -> each expert's vectors without genre, and what of them is genre. A memory of train pairs is left as it is."""
    labels = _genres(material)
    found: dict[str, tuple[list[Vectors], list[Vectors]]] = {}
    for side in SIDES:
        left, linear = [], []
        for options, rows in zip(material.run.recipe.align, material.parts[side], strict=True):
            if options.expert == "memory":
                rest, genre = rows, np.zeros_like(rows)
            else:
                rest, genre = without_labels(rows, labels, material.train)
            lengths = np.linalg.norm(rest, axis=1, keepdims=True)
            before = np.linalg.norm(rows, axis=1, keepdims=True)
            left.append(rest * np.divide(before, lengths, out=np.zeros_like(lengths), where=lengths > 1e-12))
            linear.append(genre)
        found[side] = left, linear
    return found


def _genre_removed(material: Material) -> NDArray[np.float64]:
    parts, model = _split_by_genre(material), material.model
    poster, intro = (fuse(parts[side][0], model.weights) for side in SIDES)
    return _hits(material, model.distance.poster(poster), model.distance.intro(intro))


def _genre_only(material: Material) -> NDArray[np.float64]:
    parts = _split_by_genre(material)
    poster, intro = (fuse(parts[side][1], material.model.weights) for side in SIDES)
    rows, k = material.held_out, material.k
    sides = (poster[rows] @ intro.T, intro[rows] @ poster.T)
    return np.stack([expected_hits(similarity, rows, k) for similarity in sides], axis=1)


def _titled(material: Material) -> dict[str, Extracted]:
    """What readers give for posters without the words of their titles."""
    titles = [movie.title for movie in material.catalogue.movies]
    seen: dict[str, Extracted] = {}
    for name, reader in _readers(material).items():
        texts = reader.texts(material.catalogue.posters, material.store)
        cut = [lettering_without_title(text, title) for text, title in zip(texts, titles, strict=True)]
        seen[name] = reader.extract_texts(cut, material.store)
    return seen


def _untitled_intros(material: Material) -> dict[str, Extracted]:
    texts = [without_title(movie.intro, movie.title) for movie in material.catalogue.movies]
    views = {name: material.model.views[name] for name in material.extracts.intro}
    return {name: view.extract(texts, material.store) for name, view in views.items()}


VARIANTS: dict[str, tuple[str, Callable[[Material], NDArray[np.float64]]]] = {
    "lettering_blank": ("posters without their lettering: appearance alone", _lettering_blank),
    "lettering_painted": (
        "appearance alone, with the lettering also painted over in the picture",
        _lettering_painted,
    ),
    "appearance_blank": ("posters without their appearance: lettering alone", _appearance_blank),
    "genre_removed": ("genre regressed out of both sides' vectors", _genre_removed),
    "genre_only": ("nothing but what is linear in the true genres", _genre_only),
    "title_out_of_intro": (
        "words of the item's title taken out of the intro",
        lambda material: _encoded(material, intro=_untitled_intros(material)),
    ),
    "title_out_of_lettering": (
        "words of the item's title taken off the poster's lettering",
        lambda material: _encoded(material, _titled(material)),
    ),
    "title_out_of_both": (
        "words of the item's title taken out of both",
        lambda material: _encoded(material, _titled(material), _untitled_intros(material)),
    ),
}
"""What is taken away, in the order of the report: name -> what it says, and the (Q, 2) hits that are left."""
