"""An intro's way through a saved two-tower network in NumPy alone: what a text query needs, and no more of the network.

Formulas are those of `TwoTowers.intro`; importing PyTorch and building both towers takes longer than a hundred queries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cinealign.experts.ngram_counts import NgramCounts, Weighted
from cinealign.training.networks.two_tower.plan import Plan

Rows = NDArray[np.float32]
CONSTANT = 0.3
"""The coordinate that the other side's hub bias is multiplied with."""


class IntroSide:
    """The intro side of a fitted network."""

    def __init__(self, plan: Plan, counts: NgramCounts, weights: Mapping[str, NDArray[np.float32]]) -> None:
        """Args:
        plan: of the network.
        counts: its n-grams.
        weights: its weights by their names in `TwoTowers`; those of the poster's side are not looked at.
        """
        self._plan, self._counts = plan, counts
        self._directions = [
            (weights[f"intro_tower.directions.{at}.mean"], weights[f"intro_tower.directions.{at}.basis"])
            for at in range(len(plan.languages))
        ]
        if plan.kernels:
            self._alike, self._says = weights["intro_tower.expects.known"], weights["intro_tower.expects.says"]
            self._expectation = weights["intro_tower.expectation"]
        self._table = weights["table.rows"]
        self._bank, self._strength = weights["hubs.posters"], float(weights["hubs.strength"][0])
        self._known, self._codes = weights["memory.intros"], weights["memory.codes"]
        self._reach = weights["reach"][1]

    def vectors(self, languages: Sequence[Rows], texts: Sequence[str]) -> Rows:
        """(N, width) unit rows.

        Args:
            languages: (N, W) embeddings of the intros, one entry a language of the plan.
            texts: N, for their letters.
        """
        core = self._core(languages, self._counts.weighted(texts) if self._plan.ngrams else None)
        share = np.float32(self._plan.memory_share if self._plan.memory else 0.0)
        told = np.concatenate(
            [core, -self._bias(core) / np.float32(CONSTANT), np.full_like(core[:, :1], CONSTANT)], axis=1
        )
        told /= self._reach
        told /= np.maximum(np.linalg.norm(told, axis=1, keepdims=True), 1.0)
        rows = np.concatenate([np.sqrt(1 - share) * told, np.sqrt(share) * self._recalled(core)], axis=1)
        pad = np.sqrt(np.maximum(1 - np.square(rows).sum(axis=1, keepdims=True), 0.0))
        return _unit(np.concatenate([rows, np.zeros_like(pad), pad], axis=1))

    def _core(self, languages: Sequence[Rows], bags: Weighted | None) -> Rows:
        blocks = []
        for rows, (mean, basis) in zip(languages, self._directions, strict=True):
            there = (rows != 0).any(axis=1, keepdims=True)
            blocks.append(_unit(np.where(there, rows - mean, np.float32(0)) @ basis))
        if self._plan.kernels:
            blocks = [one + more for one, more in zip(blocks, self._expected(blocks), strict=True)]
        if bags is not None:
            letters = np.zeros((len(bags.offsets) - 1, self._table.shape[1]), dtype=np.float32)
            for row, (first, last) in enumerate(zip(bags.offsets[:-1], bags.offsets[1:], strict=True)):
                letters[row] = bags.weights[first:last] @ self._table[bags.ngrams[first:last]]
            blocks.append(letters)
        return np.concatenate(blocks, axis=1)

    def _expected(self, blocks: list[Rows]) -> list[Rows]:
        """What is added to every language, see `IntroTower`."""
        rows = _unit(np.concatenate(blocks, axis=1))
        kernel = np.exp((rows @ self._alike.T - 1) / np.float32(self._plan.kernels)) * rows.any(axis=1, keepdims=True)
        ends = np.cumsum([language.kept for language in self._plan.languages])[:-1]
        return [self._expectation * _unit(said) for said in np.split(kernel @ self._says, ends, axis=1)]

    def _bias(self, core: Rows) -> Rows:
        """(N, 1), see `Hubs`."""
        k = min(self._plan.neighbours, len(self._bank))
        if not k:
            return np.zeros_like(core[:, :1])
        products = core @ self._bank.T
        nearest = np.partition(products, products.shape[1] - k, axis=1)[:, -k:]
        found: Rows = np.float32(self._strength) * nearest.mean(axis=1, keepdims=True)
        return found

    def _recalled(self, core: Rows) -> Rows:
        """(N, memory), see `Memory`."""
        kernel = np.exp((_unit(core) @ self._known.T - 1) / np.float32(self._plan.bandwidth))
        codes = kernel @ self._codes
        found: Rows = codes / np.maximum(np.linalg.norm(codes, axis=1, keepdims=True), 1.0)
        return found


def _unit(rows: Rows) -> Rows:
    found: Rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.float32(1e-6))
    return found
