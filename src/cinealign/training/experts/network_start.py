"""Closed forms that the two-tower network starts with, computed from train pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from torch import Tensor

from cinealign.experts.base import seen
from cinealign.experts.cca import canonical_maps
from cinealign.experts.fusion import OutOfFold, fusion_weights
from cinealign.experts.residual_ridge import residual_map
from cinealign.training.networks.two_tower.ngrams import Bags, NgramTable
from cinealign.training.networks.two_tower.plan import ALIKE, LETTERS, MEANING, PICTURE, Intros, Plan, Posters, Started
from cinealign.training.networks.two_tower.poster_tower import PosterStart
from cinealign.training.networks.two_tower.reading import Directions, unit
from cinealign.training.networks.two_tower.two_towers import TwoTowers

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

TABLE_SWEEPS = 3
"""Power iterations of the randomised decomposition that the table of letters starts at."""
GATE_TEMPERATURE, GATE_STEPS = 0.02, 150
"""As `fusion.temperature` and `fusion.steps` of a recipe."""


@dataclass(frozen=True)
class Ridges:
    """How strongly the closed forms are held, each in the units of its expert; larger is stiffer."""

    reading: float
    picture: float
    letters: float
    kernels: float = 1.0


@torch.no_grad()
def set_directions(towers: TwoTowers, posters: Posters, intros: Intros) -> None:
    """Means of every text view, and the main directions of each language model over its readings and intros; in place."""
    readings = dict(zip([name for name, _ in towers.plan.readings], posters.readings, strict=True))
    of_reading = dict(zip(readings, cast(list[Directions], towers.poster_tower.start.directions), strict=True))
    of_intro = cast(list[Directions], towers.intro_tower.directions)
    for language, rows, goal in zip(towers.plan.languages, intros.languages, of_intro, strict=True):
        views = [(rows, goal), *((readings[name], of_reading[name]) for name in language.readings)]
        centred = []
        for values, directions in views:
            present = values[(values != 0).any(dim=1)].double()
            if len(present):
                directions.mean.copy_(present.mean(dim=0))
            centred.append(unit(present - directions.mean.double()))
        together = torch.cat(centred)
        _, vectors = torch.linalg.eigh(together.T @ together)
        for _, directions in views:
            directions.basis.copy_(vectors.flip(1)[:, : language.kept])  # eigh gives the main directions last


@torch.no_grad()
def set_table(table: NgramTable, posters: Bags, intros: Bags, seed: int) -> None:
    """Rows of n-grams at the main directions of all train bags, so that products of bags are kept as well as K allow."""
    from scipy import sparse
    from sklearn.utils.extmath import randomized_svd

    ngrams, dimensions = table.rows.shape
    bags = sparse.vstack([as_sparse(posters, ngrams), as_sparse(intros, ngrams)])
    found = min(dimensions, *bags.shape)
    if found:
        directions = randomized_svd(bags, found, n_iter=TABLE_SWEEPS, random_state=seed)[2]
        table.rows[:, :found] = torch.from_numpy(directions.T.astype(np.float32).copy())


@torch.no_grad()
def set_start(start: PosterStart, posters: Posters, meaning: Tensor, ridges: Ridges) -> None:
    """What is learned from pairs in closed form: maps of readings, of the picture and of n-grams to the intro; in place.

    Args:
        start: its directions are set already.
        posters: T train posters.
        meaning: (T, meaning) their intros in the directions of the languages, unit rows side by side.
        ridges: how strongly each map is held.
    """
    plan = start.plan
    blocks = by_language(plan, meaning)
    for (_, language), directions, form, rows in zip(
        plan.readings, start.directions, start.maps, posters.readings, strict=True
    ):
        reading, intro = directions(rows).numpy(), blocks[language.intro].numpy()
        both = seen(reading) & seen(intro)
        form.copy_(torch.from_numpy(residual_map(reading[both], intro[both], ridges.reading)))
    if plan.pictures:
        looks, says = canonical_maps(posters.pictures.numpy(), meaning.numpy(), plan.looks, ridges.picture)
        start.picture_looks.zero_()[:, : looks.shape[1]] = torch.from_numpy(looks)
        start.looks_say.zero_()[: says.shape[1]] = torch.from_numpy(says.T.copy())
    if ALIKE in plan.parts:
        start.alike.fit(unit(posters.pictures), meaning, ridges.kernels)
    if plan.ngrams:
        bags = as_sparse(posters.letters, plan.ngrams)
        kernel = (bags @ bags.T).toarray().astype(np.float64)
        held = np.linalg.solve(kernel + ridges.letters * np.eye(len(kernel)), meaning.numpy().astype(np.float64))
        start.ngrams_say.rows.copy_(torch.from_numpy((bags.T @ held).astype(np.float32)))


@torch.no_grad()
def set_expectation(towers: TwoTowers, posters: Posters, meaning: Tensor, ridge: float) -> None:
    """What train intros expect on their posters: the first reading of every language; in place.

    Args:
        towers: their directions are set already.
        posters: T train posters.
        meaning: (T, meaning) their intros in the directions of the languages, unit rows side by side.
        ridge: how strongly the map is held.
    """
    start = towers.poster_tower.start
    rows = {
        name: directions(values)
        for (name, _), directions, values in zip(towers.plan.readings, start.directions, posters.readings, strict=True)
    }
    first = torch.cat([rows[language.readings[0]] for language in towers.plan.languages], dim=1)
    towers.intro_tower.expects.fit(unit(meaning), first, ridge)


def gate_weights(towers: TwoTowers, folds: Sequence[Started], intros: Sequence[Tensor]) -> list[float]:
    """Fusion weights of a poster's parts, learned on pairs that their closed forms were fitted without.

    Args:
        towers: the network at its start.
        folds: the posters of every fold.
        intros: the cores of their intros, a fold each.
    """
    plan = towers.plan
    out_of_fold = []
    for started, core in zip(folds, intros, strict=True):
        blocks = by_language(plan, core)
        readings = [unit(rows) for rows in started.mapped]
        goals = [blocks[language.intro] for _, language in plan.readings]
        others = {
            PICTURE: started.picture,
            ALIKE: started.alike,
            MEANING: started.meaning,
            LETTERS: towers.table(started.letters).detach(),
        }
        for part in plan.parts[len(readings) :]:
            readings.append(others[part])
            goals.append(core[:, plan.meaning :] if part == LETTERS else core[:, : plan.meaning])
        out_of_fold.append(OutOfFold([rows.numpy() for rows in readings], [rows.numpy() for rows in goals]))
    free: list[float | None] = [None] * len(plan.parts)
    return [
        float(weight) for weight in fusion_weights(out_of_fold, free, temperature=GATE_TEMPERATURE, steps=GATE_STEPS)
    ]


def by_language(plan: Plan, core: Tensor) -> dict[str, Tensor]:
    """Name of a language's intro view -> its block (N, kept) of meanings (N, meaning) or cores (N, core)."""
    blocks, start = {}, 0
    for language in plan.languages:
        blocks[language.intro] = core[:, start : start + language.kept]
        start += language.kept
    return blocks


def as_sparse(bags: Bags, ngrams: int) -> csr_matrix:
    """(N, ngrams) the bags as a sparse matrix."""
    from scipy.sparse import csr_matrix

    shape = (len(bags.offsets) - 1, ngrams)
    return csr_matrix((bags.weights.numpy(), bags.ngrams.numpy(), bags.offsets.numpy()), shape=shape)
