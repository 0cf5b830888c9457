"""Galleries: held-out movies with their nearest neighbours on the other side, drawn by seed and never picked by hand."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cinealign.analysis.material import Material
from cinealign.analysis.neighbours.numbers import Case, Described, Galleries, Neighbour
from cinealign.data.catalogue import Movie
from cinealign.evaluation.metrics import DIRECTIONS
from cinealign.evaluation.nearest import nearest

GOOD_RANK = 10
A_KIND = 3
SHOWN = 5


def galleries(material: Material) -> Galleries:
    """Direction -> good, typical and bad cases, each a query with its nearest items of the other side."""
    poster, intro = material.run.vectors
    sides = {"poster_to_intro": (poster, intro), "intro_to_poster": (intro, poster)}
    found: dict[str, list[Case]] = {}
    for at, direction in enumerate(DIRECTIONS):
        query, gallery = sides[direction]
        ranks = material.ranks[direction]
        cases = draw_cases(ranks, material.held_out, len(ranks), seed=material.seed + at)
        found[direction] = [
            Case(
                kind=kind,
                query=material.movie_as(Described, row),
                partner_rank=int(ranks[row]),
                neighbours=_found(material, row, query[row] @ gallery.T),
            )
            for kind, row in cases
        ]
    return Galleries(**found)


def draw_cases(
    ranks: NDArray[np.int64], rows: NDArray[np.int64], n: int, *, each: int = A_KIND, seed: int = 0
) -> list[tuple[str, int]]:
    """Movies of `rows` as ("good" | "typical" | "bad", row), `each` of a kind, no movie twice.

    Good: the partner is among the nearest `GOOD_RANK` (the best ones where fewer are). Bad: it is beyond the middle of the
    gallery (else the worst ones). Typical: between the two (else any that are left).

    Args:
        ranks: (N,) rank of every movie's partner.
        rows: (Q,) the movies to draw from.
        n: size of the gallery.
        each: how many of a kind, fewer where there are too few movies.
        seed: of the draw.
    """
    generator = np.random.default_rng(seed)
    order = rows[np.argsort(ranks[rows], kind="stable")]
    each = min(each, len(order) // 3)
    good, bad = order[ranks[order] <= GOOD_RANK], order[ranks[order] > n / 2]
    good = good if len(good) >= each else order[:each]
    bad = bad if len(bad) >= each else order[len(order) - each :]
    drawn = {"good": generator.permutation(good)[:each], "bad": generator.permutation(bad)[:each]}
    others = np.setdiff1d(order, np.concatenate(list(drawn.values())))
    between = others[(ranks[others] > GOOD_RANK) & (ranks[others] <= n / 2)]
    others = between if len(between) >= each else others
    drawn["typical"] = generator.permutation(others)[:each]
    return [(kind, int(row)) for kind in ("good", "typical", "bad") for row in drawn[kind]]


def shared_traits(first: Movie, second: Movie) -> list[str]:
    """What two movies have in common, of genre, decade, director and cast."""
    found = [
        name
        for name, attribute in (("genre", "genres"), ("director", "directors"), ("cast", "cast"))
        if set(getattr(first, attribute)) & set(getattr(second, attribute))
    ]
    if first.year is not None and second.year is not None and first.year // 10 == second.year // 10:
        found.append("decade")
    return found


def _found(material: Material, row: int, products: NDArray[np.float32]) -> list[Neighbour]:
    movies = material.catalogue.movies
    return [
        material.movie_as(
            Neighbour,
            int(near),
            place=place,
            distance=float(material.run.as_distances(products[near])),
            partner=int(near) == row,
            shared=shared_traits(movies[row], movies[near]),
        )
        for place, near in enumerate(nearest(products, SHOWN), start=1)
    ]
