"""Question 2: do a movie's nearest neighbours share meaning, theme and style with it, and more than chance would have it?"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from cinealign.analysis.estimates import difference, from_draws, ratio_draws
from cinealign.analysis.material import Material
from cinealign.analysis.neighbours import traits
from cinealign.analysis.neighbours.galleries import galleries
from cinealign.analysis.neighbours.numbers import Against, Nearest, Neighbours, TraitScores
from cinealign.analysis.neighbours.traits import Trait
from cinealign.analysis.skipped import Skipped, SkippedError
from cinealign.data.intros import tokens
from cinealign.data.ratings import read_ratings
from cinealign.evaluation.nearest import nearest
from cinealign.experts.base import Vectors

KS = (1, 5, 10, 20, 50, 100)
AGAINST_K = 10
SAME_SIDE = {"poster_to_intro": "poster_to_poster", "intro_to_poster": "intro_to_intro"}
SAYS = {
    "genre": "Jaccard overlap of the genres",
    "decade": "share of neighbours from the same decade",
    "director": "share of neighbours with a common director",
    "cast": "share of neighbours with a common actor",
    "words": "Jaccard overlap of the intros' content-word stems",
    "palette": "overlap of the posters' colours (Bhattacharyya coefficient)",
    "co_rating": "correlation of the ratings of users who rated both",
}


def neighbours(material: Material) -> Neighbours:
    """Every trait in every space for growing k, against chance and against same-modality neighbours."""
    ks = [k for k in KS if k < len(material.catalogue)]
    near = {name: nearest_others(*pair, material.held_out, ks[-1]) for name, pair in spaces(material).items()}
    found: dict[str, TraitScores | Skipped] = {}
    for name, make in TRAITS.items():
        try:
            trait, options = make(material), {"samples": material.samples, "seed": material.seed}
            found[name] = trait_in_spaces(trait, near, material.held_out, ks, says=SAYS[name], **options)
        except SkippedError as reason:
            found[name] = Skipped(skipped=str(reason))
    return Neighbours(k=ks, spaces=list(near), traits=found, galleries=galleries(material))


def spaces(material: Material) -> dict[str, tuple[Vectors, Vectors]]:
    """Space -> query and gallery vectors: the run's own across the sides, raw views on each side by itself."""
    poster, intro = material.run.vectors
    found = {"poster_to_intro": (poster, intro), "intro_to_poster": (intro, poster)}
    for side, name in (("poster", "poster_to_poster"), ("intro", "intro_to_intro")):
        if side in material.raw:
            found[name] = (material.raw[side], material.raw[side])
    return found


def nearest_others(query: Vectors, gallery: Vectors, rows: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """The k nearest other movies of each movie of `rows`, the nearest first: (Q, k) rows of the gallery.

    A movie's own other side is left out, as a movie shares everything with itself. Equally near ones are ordered by row.

    Args:
        query, gallery: (N, D); a higher inner product is nearer.
        rows: (Q,) the movies that are asked for.
        k: in [1, N - 1].
    """
    similarity = query[rows] @ gallery.T  # (Q, N)
    similarity[np.arange(len(rows)), rows] = -np.inf
    return nearest(similarity, k)


def trait_in_spaces(
    trait: Trait,
    near: Mapping[str, NDArray[np.int64]],
    rows: NDArray[np.int64],
    ks: list[int],
    *,
    samples: int,
    seed: int,
    says: str = "",
) -> TraitScores:
    """The mean of a trait over the k nearest neighbours in each space, its lift over chance, and cross against same side.

    Pairs for which the trait is not known count nowhere. Chance is the mean over all other movies.

    Args:
        trait: (Q, N), NaN where not known.
        near: space -> (Q, K) neighbours, nearest first, K the largest of `ks`.
        rows: (Q,) row of each query.
        ks: numbers of neighbours.
        samples, seed: of the bootstrap by movie.
        says: what the trait is.
    Raises:
        SkippedError: no pair of movies has a known value.
    """
    others = trait.copy()
    others[np.arange(len(rows)), rows] = np.nan
    above, below = [_sum(others)], [_count(others)]
    for places in near.values():
        values = np.take_along_axis(others, places, axis=1)
        for k in ks:
            above.append(_sum(values[:, :k]))
            below.append(_count(values[:, :k]))
    counts = np.stack(below, axis=1)
    if not counts[:, 0].any():
        raise SkippedError("it is not known for any pair of items")
    value, drawn = ratio_draws(np.stack(above, axis=1), counts, samples=samples, seed=seed)
    found_spaces: dict[str, Nearest] = {}
    found_against: dict[str, Against] = {}
    column = {space: 1 + at * len(ks) for at, space in enumerate(near)}
    for space, start in column.items():
        part = slice(start, start + len(ks))
        found_spaces[space] = _curve(value[part], drawn[:, part], value[0], drawn[:, 0])
    at = ks.index(AGAINST_K) if AGAINST_K in ks else len(ks) - 1
    for cross, same in SAME_SIDE.items():
        if same in column:
            first, second = column[cross] + at, column[same] + at
            apart = difference(value[first] - value[second], drawn[:, first] - drawn[:, second])
            found_against[cross] = Against(space=same, k=ks[at], difference=apart)
    return TraitScores(
        says=says,
        known=float((counts[:, 0] > 0).mean()),
        chance=from_draws(value[0], drawn[:, 0]),
        spaces=found_spaces,
        against=found_against,
    )


def _curve(
    value: NDArray[np.float64], drawn: NDArray[np.float64], chance: float, chance_drawn: NDArray[np.float64]
) -> Nearest:
    with np.errstate(invalid="ignore", divide="ignore"):
        lifts, lift_drawn = value / chance, drawn / chance_drawn[:, None]
    plain = [from_draws(number, drawn[:, at]) for at, number in enumerate(value)]
    lifted = [from_draws(number, lift_drawn[:, at]) for at, number in enumerate(lifts)]
    return Nearest(
        value=[found.value for found in plain],
        low=[found.low for found in plain],
        high=[found.high for found in plain],
        lift=[found.value for found in lifted],
        lift_low=[found.low for found in lifted],
        lift_high=[found.high for found in lifted],
    )


def _sum(values: Trait) -> NDArray[np.float64]:
    sums: NDArray[np.float64] = np.nansum(values.astype(np.float64), axis=1)
    return sums


def _count(values: Trait) -> NDArray[np.float64]:
    counts: NDArray[np.float64] = np.isfinite(values).sum(axis=1).astype(np.float64)
    return counts


def content_stems(material: Material) -> list[frozenset[str]]:
    """N sets of the stems of the content words of the intros."""
    return [frozenset(tokens(intro)) for intro in material.catalogue.intros]


def _labels(attribute: str, what: str, make: Callable[..., Trait]) -> Callable[[Material], Trait]:
    def trait(material: Material) -> Trait:
        labels = [getattr(movie, attribute) for movie in material.catalogue.movies]
        if not any(labels):
            raise SkippedError(f"the data folder names no {what}")
        return make(labels, material.held_out)

    return trait


def _decade(material: Material) -> Trait:
    years = [np.nan if movie.year is None else float(movie.year) for movie in material.catalogue.movies]
    if not np.isfinite(years).any():
        raise SkippedError("the data folder gives no year")
    return traits.same_decade(years, material.held_out)


def _palette(material: Material) -> Trait:
    return traits.palette_overlap(traits.palettes(material.catalogue.posters), material.held_out)


def _co_rating(material: Material) -> Trait:
    ratings = read_ratings(material.catalogue)
    if ratings is None:
        raise SkippedError("no ratings.csv in the data folder")
    return traits.co_rating(ratings, len(material.catalogue), material.held_out)


TRAITS: dict[str, Callable[[Material], Trait]] = {
    "genre": _labels("genres", "genre", traits.overlap),
    "decade": _decade,
    "director": _labels("directors", "director", traits.any_shared),
    "cast": _labels("cast", "actor", traits.any_shared),
    "words": lambda material: traits.overlap(content_stems(material), material.held_out),
    "palette": _palette,
    "co_rating": _co_rating,
}
