"""The two-tower network as an expert: started at closed forms, trained with them out of fold, one vector a side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Self

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from cinealign.errors import ConfigError
from cinealign.experts.base import Expert, Inputs, TrainingSet, Vectors, feature_rows
from cinealign.experts.fusion import fold_numbers
from cinealign.experts.ngram_options import NgramOptions, texts_of
from cinealign.state import State
from cinealign.training.experts.network_members import Fold, inner_score, train_members
from cinealign.training.experts.network_options import NetworkOptions
from cinealign.training.experts.network_start import (
    Ridges,
    gate_weights,
    set_directions,
    set_expectation,
    set_start,
    set_table,
)
from cinealign.training.losses.base import Known
from cinealign.training.networks.two_tower.hubs import nearest_mean
from cinealign.training.networks.two_tower.ngrams import NgramWeights
from cinealign.training.networks.two_tower.plan import Intros, Language, Plan, Posters
from cinealign.training.networks.two_tower.poster_tower import PosterStart
from cinealign.training.networks.two_tower.two_towers import TwoTowers
from cinealign.views.base import Features

ENCODE_BATCH = 512
"""Items that are encoded at a time."""
STRENGTHS = tuple(step / 8 for step in range(9))
"""Strengths of the hub bias that are tried."""


class NetworkExpert(Expert):
    """Both towers in one module, `training.networks.two_tower`; the vectors are all that fusion and distance need."""

    Options = NetworkOptions
    options: NetworkOptions
    one_space = True
    towers: TwoTowers

    def fit(self, training: TrainingSet, *, seed: int) -> Self:
        """Closed forms on all pairs and without each inner fold, members trained on the latter, hubs, memory.

        Raises:
            ConfigError: under two train pairs an inner fold, or a view that does not give what its part needs.
        """
        o = self.options
        if training.size < 2 * o.folds:
            raise ConfigError(
                f"network: folds is {o.folds} and there are {training.size} train pairs; an inner fold needs 2 at least"
            )
        sides = [{name: np.asarray(rows) for name, rows in side.items()} for side in (training.poster, training.intro)]
        self._pictures = Inputs.fit(o.pictures, training.poster)
        texts = [] if o.letters is None else texts_of("network", training.intro, o.letters.intro)
        ngrams = o.letters or NgramOptions()  # without letters there are no texts, and so no n-gram
        self._weights = NgramWeights.fit(texts, ngrams.lengths, ngrams.min_df)
        posters, intros = self._posters(sides[0]), self._intros(sides[1])
        with torch.random.fork_rng(devices=[]):  # the global generator feeds initial weights
            torch.manual_seed(seed)
            self.towers = TwoTowers(self._plan(posters, intros, training.size)).eval()
        set_directions(self.towers, posters, intros)
        set_table(self.towers.table, posters.letters, intros.letters, seed)
        with torch.no_grad():
            meaning = self.towers.intro_tower(intros, self.towers.table)[:, : self.towers.plan.meaning]
        folds = self._folds(posters, intros, meaning, seed)
        self.towers.poster_tower.gates.start(
            gate_weights(self.towers, [f.posters for f in folds], [self._core(f.intros) for f in folds])
        )
        if o.kernel_width:
            set_expectation(self.towers, posters, meaning, o.kernel_ridge)
            self.towers.intro_tower.expectation.fill_(o.expectation)
        set_start(self.towers.poster_tower.start, posters, meaning, self._ridges())
        self.towers.measure(self._posters_core(folds), self._core(intros))
        labels = {name: torch.from_numpy(values) for name, values in training.labels.items()}
        known = Known(training.size, self.towers.plan.core, F.normalize(meaning, dim=1), labels)
        self.history, *left_out = train_members(self.towers, folds, [o.loss], known, o.training, seed)
        self._set_hubs(folds, *left_out)
        with torch.no_grad():
            cores = self.towers.poster_tower(posters, self.towers.table), self._core(intros)
        self.towers.measure(*cores)
        if o.memory:
            self.towers.memory.remember(*cores, torch.Generator().manual_seed(seed))
        return self

    def encode_poster(self, features: Mapping[str, Features]) -> Vectors:
        """(N, width) unit rows."""
        posters = self._posters(features)
        return self._encoded(lambda rows: self.towers.poster(posters.take(rows)), len(posters.pictures))

    def encode_intro(self, features: Mapping[str, Features]) -> Vectors:
        """(N, width) unit rows."""
        intros = self._intros(features)
        return self._encoded(lambda rows: self.towers.intro(intros.take(rows)), len(intros.languages[0]))

    def vector_parts(self) -> list[tuple[str, int]]:
        """Name and width of the parts of a vector, in order: products of vectors are sums of the products of the parts."""
        plan = self.towers.plan
        letters = [("letters", plan.core - plan.meaning)] if plan.core > plan.meaning else []
        memory = [("memory of train pairs", plan.memory)] if plan.memory else []
        return [("meaning", plan.meaning), *letters, ("hub correction", 2), *memory, ("length", 2)]

    def state(self) -> State:
        """The module's weights, the plan, the scales of the pictures, the n-grams and their weights."""
        weights = {f"towers.{name}": value.numpy() for name, value in self.towers.state_dict().items()}
        pictures = self._pictures.state("pictures")
        values = {"plan": self.towers.plan.as_json(), "vocabulary": self._weights.vocabulary, "history": self.history}
        return State({**weights, **pictures.arrays, "idf": self._weights.idf}, {**pictures.values, **values})

    def load_state(self, state: State) -> Self:
        """Take over what an equal network has learned."""
        o = self.options
        self._pictures = Inputs.from_state(o.pictures, state, "pictures")
        lengths = (o.letters or NgramOptions()).lengths
        self._weights = NgramWeights(state.values["vocabulary"], state.arrays["idf"], lengths)
        self.towers = TwoTowers(Plan.from_json(state.values["plan"])).eval()
        named = {name: array for name, array in state.arrays.items() if name.startswith("towers.")}
        self.towers.load_state_dict(
            {name.removeprefix("towers."): torch.from_numpy(array.copy()) for name, array in named.items()}
        )
        self.history = state.values["history"]
        return self

    def _plan(self, posters: Posters, intros: Intros, pairs: int) -> Plan:
        o = self.options
        widths = [rows.shape[1] for rows in intros.languages]
        languages = tuple(
            Language(one.intro, tuple(one.poster), width, min(one.dimensions, width))
            for one, width in zip(o.languages, widths, strict=True)
        )
        plan = Plan(
            languages=languages,
            pictures=posters.pictures.shape[1],
            looks=o.looks,
            ngrams=len(self._weights.vocabulary),
            letters=o.letters.dimensions if o.letters is not None else 0,
            letters_dropout=o.letters.dropout if o.letters is not None else 0.0,
            rank=o.rank,
            dropout=o.dropout,
            pairs=pairs,
            neighbours=o.neighbours,
            memory=o.memory,
            bandwidth=o.bandwidth,
            memory_share=o.memory_share,
            kernels=o.kernel_width,
        )
        for (name, language), rows in zip(plan.readings, posters.readings, strict=True):
            if rows.shape[1] != language.width:
                raise ConfigError(
                    f"network: view {name!r} has {rows.shape[1]} features and view {language.intro!r} has "
                    f"{language.width}; both must come from one language model"
                )
        return plan

    def _ridges(self) -> Ridges:
        o = self.options
        letters = o.letters.ridge if o.letters is not None else 1.0
        return Ridges(o.reading_ridge, o.picture_ridge, letters, o.kernel_ridge)

    def _folds(self, posters: Posters, intros: Intros, meaning: Tensor, seed: int) -> list[Fold]:
        """Every inner fold as closed forms see it that were fitted without it."""
        number = fold_numbers(len(meaning), self.options.folds, seed)
        folds = []
        for fold in range(self.options.folds):
            rows, others = np.flatnonzero(number == fold), torch.from_numpy(np.flatnonzero(number != fold))
            inside = torch.from_numpy(rows)
            start = PosterStart(self.towers.plan).eval()
            start.load_state_dict(self.towers.poster_tower.start.state_dict())
            set_start(start, posters.take(others), meaning[others], self._ridges())
            its = intros.take(inside)
            if self.options.kernel_width:
                set_expectation(self.towers, posters.take(others), meaning[others], self.options.kernel_ridge)
                with torch.no_grad():
                    its = replace(its, expected=self.towers.intro_tower.expected(meaning[inside]))
            with torch.no_grad():
                folds.append(Fold(rows, start(posters.take(inside)), its))
        return folds

    def _set_hubs(self, folds: list[Fold], posters: Tensor, intros: Tensor) -> None:
        """The bank of left-out cores, and the strength at which they rank best with the other folds as their bank."""
        hubs = self.towers.hubs
        hubs.posters.copy_(posters)
        hubs.intros.copy_(intros)
        totals = np.zeros((len(STRENGTHS), 2))
        for fold in folds:
            rows = torch.from_numpy(fold.rows)
            others = torch.from_numpy(np.setdiff1d(np.arange(len(posters)), fold.rows))
            of_poster = nearest_mean(posters[rows], intros[others], hubs.k)
            of_intro = nearest_mean(intros[rows], posters[others], hubs.k)
            products = posters[rows] @ intros[rows].T
            for s, strength in enumerate(STRENGTHS):
                scores = inner_score(products - strength * (of_poster[:, None] + of_intro))
                totals[s] += np.array(scores) * len(rows) / len(posters)
        best = int(totals[:, 1].argmin())
        hubs.strength.fill_(STRENGTHS[best])
        chosen = next(entry for entry in self.history if entry.get("chosen"))
        chosen |= {"hub_strength": STRENGTHS[best], "inner_accuracy_with_hubs": float(totals[best, 0])}

    def _posters_core(self, folds: list[Fold]) -> Tensor:
        with torch.no_grad():
            return torch.cat([self.towers.poster_tower.trained(f.posters, self.towers.table) for f in folds])

    def _core(self, intros: Intros) -> Tensor:
        with torch.no_grad():
            core: Tensor = self.towers.intro_tower(intros, self.towers.table)
        return core

    def _posters(self, features: Mapping[str, Features]) -> Posters:
        o = self.options
        readings = [torch.from_numpy(feature_rows(features, name)) for one in o.languages for name in one.poster]
        count = len(readings[0])
        pictures = self._pictures(features) if o.pictures else np.zeros((count, 0), dtype=np.float32)
        texts = [""] * count if o.letters is None else texts_of("network", features, o.letters.poster)
        return Posters(readings, torch.from_numpy(pictures), self._weights.bags(texts))

    def _intros(self, features: Mapping[str, Features]) -> Intros:
        o = self.options
        languages = [torch.from_numpy(feature_rows(features, one.intro)) for one in o.languages]
        texts = [""] * len(languages[0]) if o.letters is None else texts_of("network", features, o.letters.intro)
        return Intros(languages, self._weights.bags(texts))

    @staticmethod
    def _encoded(encode: Callable[[Tensor], Tensor], count: int) -> Vectors:
        with torch.inference_mode():
            parts = [encode(rows) for rows in torch.split(torch.arange(count), ENCODE_BATCH)]
            vectors: Vectors = torch.cat(parts).numpy()
        return vectors
