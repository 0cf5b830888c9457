"""Question 1: is what a poster shows related to what its intro tells, how strongly, through what, and for which movies?"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from cinealign.analysis.estimates import Estimate, estimate
from cinealign.analysis.material import Material
from cinealign.analysis.relation.ablation import titles_named, what_is_left
from cinealign.analysis.relation.correlation import canonical_correlations, kernel_alignment
from cinealign.analysis.relation.numbers import (
    Area,
    Band,
    Canonical,
    Curve,
    Kernel,
    MeanSlice,
    Permutation,
    Ranked,
    Relation,
    Titles,
)
from cinealign.analysis.skipped import Skipped, SkippedError
from cinealign.distance.distances import distance_matrix
from cinealign.evaluation.accuracy import top_k
from cinealign.evaluation.attributes import catalogue_slices
from cinealign.evaluation.comparison import PERMUTATIONS, permutation_test
from cinealign.evaluation.curve import PARTS
from cinealign.evaluation.metrics import DIRECTIONS
from cinealign.evaluation.slices import by_label, score_slices
from cinealign.evaluation.statistics import bootstrap_interval
from cinealign.experts.base import seen

SHOWN_SLICES = 5
SHOWN_MOVIES = 5
MOST_FEATURES = 8192
"""Features of a view above which canonical correlations would take minutes."""
CKA_PERMUTATIONS = 199
CCA_PERMUTATIONS = 999
T = TypeVar("T")


def relation(material: Material) -> Relation:
    """Everything that question 1 asks; see docs/analysis.md for what each number means."""
    scored = _slices(material)
    most, least = _extremes(scored)
    best, worst = _best_and_worst(material)
    return Relation(
        permutation=permutation(material),
        curve=curve(material),
        cca=_or_skipped(raw_cca, material),
        cka=_or_skipped(raw_cka, material),
        left=what_is_left(material),
        titles=_title_shares(material),
        slices=scored,
        most=most,
        least=least,
        best=best,
        worst=worst,
    )


def permutation(material: Material) -> Permutation:
    """Could the held-out accuracy come from posters and intros that have nothing to do with each other?"""
    D = distance_matrix(*material.run.vectors)
    return Permutation(**permutation_test(D, material.held_out, permutations=PERMUTATIONS, seed=material.seed))


def curve(material: Material) -> Curve:
    """Held-out top-p accuracy at every p of `evaluation.curve.PARTS` with its interval, and the band of chance.

    Chance at p is the share of hits of as many queries whose partner is at a random place: binomial.
    """
    from scipy.stats import binom

    n, queries = len(material.catalogue), len(material.held_out)
    ks = np.array([top_k(part, n) for part in PARTS])
    samples, seed = material.samples, material.seed
    bands: dict[str, Band] = {}
    areas: dict[str, Estimate] = {}
    for direction in DIRECTIONS:
        ranks = material.ranks[direction][material.held_out]
        hits = (ranks[:, None] <= ks).astype(np.float64)  # (Q, P)
        bands[direction] = _band(hits.mean(axis=0), *bootstrap_interval(hits, samples=samples, seed=seed).T)
        areas[direction] = estimate(1 - ranks / n, samples=samples, seed=seed)
    chance = _band(ks / n, *(binom.ppf(level, queries, ks / n) / queries for level in (0.025, 0.975)))
    return Curve(p=list(PARTS), **bands, chance=chance, area=Area(**areas, chance=(n - 1) / (2 * n)))


def _band(value: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]) -> Band:
    return Band(value=value.tolist(), low=low.tolist(), high=high.tolist())


def raw_cca(material: Material) -> list[Canonical]:
    """Canonical correlations of every pair of raw views that are numbers: fitted on train movies, read on held-out ones."""

    def measure(name: str, other: str, x: NDArray[np.float32], y: NDArray[np.float32]) -> Canonical:
        train, held_out = ((x[rows], y[rows]) for rows in (material.train, material.held_out))
        kept = [_both_seen(*pair) for pair in (train, held_out)]
        found = canonical_correlations(kept[0], kept[1], permutations=CCA_PERMUTATIONS, seed=material.seed)
        return Canonical(
            poster=name,
            intro=other,
            train_movies=len(kept[0][0]),
            movies=len(kept[1][0]),
            components=len(found.train),
            dimensions=found.dimensions,
            train=found.train.tolist(),
            held_out=found.held_out.tolist(),
            null_high=found.null_high.tolist(),
            mean_train=float(found.train.mean()),
            mean_held_out=float(found.held_out.mean()),
            mean_null=float(found.null_means.mean()),
            mean_null_high=float(np.quantile(found.null_means, 0.95)),
            permutations=CCA_PERMUTATIONS,
            p=found.p,
        )

    return _each_pair(material, measure)


def raw_cka(material: Material) -> list[Kernel]:
    """Kernel alignment of every pair of raw views that are numbers, on held-out movies."""

    def measure(name: str, other: str, x: NDArray[np.float32], y: NDArray[np.float32]) -> Kernel:
        first, second = _both_seen(x[material.held_out], y[material.held_out])
        found = kernel_alignment(first, second, permutations=CKA_PERMUTATIONS, seed=material.seed)
        return Kernel(
            poster=name,
            intro=other,
            movies=len(first),
            cka=found.cka,
            debiased=found.debiased,
            null_mean=float(found.null.mean()),
            null_high=float(np.quantile(found.null, 0.95)),
            permutations=CKA_PERMUTATIONS,
            p=found.p,
        )

    return _each_pair(material, measure)


def _each_pair(
    material: Material, measure: Callable[[str, str, NDArray[np.float32], NDArray[np.float32]], T]
) -> list[T]:
    views = material.raw_views
    narrow = {
        side: {name: rows for name, rows in views[side].items() if rows.shape[1] <= MOST_FEATURES} for side in views
    }
    pairs = [(name, other) for name in narrow["poster"] for other in narrow["intro"]]
    if not pairs:
        raise SkippedError(f"this recipe has no view of numbers with at most {MOST_FEATURES} features on both sides")
    return [measure(name, other, narrow["poster"][name], narrow["intro"][other]) for name, other in pairs]


def _both_seen(x: NDArray[np.float32], y: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The movies on which both views see something: a poster without a word has no lettering to correlate."""
    rows = seen(x) & seen(y)
    return x[rows], y[rows]


def _slices(material: Material) -> list[MeanSlice]:
    reader = material.lettering
    texts = None if reader is None else reader.texts(material.catalogue.posters, material.store)
    attributes = catalogue_slices(material.catalogue, texts)
    for side, named in titles_named(material).items():
        if named is not None:
            attributes[f"title word in {side}"] = by_label(["yes" if yes else "no" for yes in named])
    entries = score_slices(material.ranks, attributes, rows=material.held_out)
    return [
        MeanSlice(**vars(e), mean=float(np.mean([e[direction].accuracy for direction in DIRECTIONS]))) for e in entries
    ]


def _extremes(entries: list[MeanSlice]) -> tuple[list[str], list[str]]:
    """The slices that are related most, and least."""
    large = [entry for entry in entries if not entry.small and entry.attribute != "all"]
    order = sorted(large, key=lambda entry: -entry.mean)
    names = [f"{entry.attribute}: {entry.slice}" for entry in order]
    shown = min(SHOWN_SLICES, len(names) // 2)
    return names[:shown], names[::-1][:shown]


def _best_and_worst(material: Material) -> tuple[list[Ranked], list[Ranked]]:
    ranks = np.stack([material.ranks[direction][material.held_out] for direction in DIRECTIONS])  # (2, Q)
    order = np.argsort(ranks.mean(axis=0), kind="stable")

    def shown(at: int) -> Ranked:
        found = dict(zip(DIRECTIONS, ranks[:, at].tolist(), strict=True))
        return material.movie_as(Ranked, int(material.held_out[at]), **found)

    return [shown(at) for at in order[:SHOWN_MOVIES]], [shown(at) for at in order[::-1][:SHOWN_MOVIES]]


def _title_shares(material: Material) -> Titles:
    intros, posters = (titles_named(material)[side] for side in ("intro", "poster"))
    assert intros is not None, "intros are always read"
    return Titles(
        intros_with_title_word=float(intros[material.held_out].mean()),
        posters_with_title_word=None if posters is None else float(posters[material.held_out].mean()),
    )


def _or_skipped(measure: Callable[[Material], T], material: Material) -> T | Skipped:
    try:
        return measure(material)
    except SkippedError as reason:
        return Skipped(skipped=str(reason))
