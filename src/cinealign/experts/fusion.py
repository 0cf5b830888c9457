"""Fusion: how much each expert counts, learned from out-of-fold train pairs.

A map that has memorised its pairs looks perfect on them, so experts are judged on pairs they were not fitted on: the train
rows are cut into folds, each fold is encoded by experts fitted on the others, and the weights are those whose weighted sum
of cosines tells partners apart best within the folds. A weighted sum of cosines is one inner product of concatenated
vectors, so the fused model still has one vector a poster and one an intro.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cinealign.experts.base import Vectors

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class OutOfFold:
    """One fold's pairs as seen by experts that were fitted without them: entry e of both lists is expert e's (n, D_e)."""

    poster: list[Vectors]
    intro: list[Vectors]
    inside: OutOfFold | None = None
    """The rows that the experts were fitted on, by the same experts, where they were asked for."""

    def similarities(self) -> NDArray[np.float32]:
        """(E, n, n) cosines of the fold's posters with the fold's intros, an expert a layer."""
        return np.stack([p @ q.T for p, q in zip(self.poster, self.intro, strict=True)])


def fold_numbers(count: int, folds: int, seed: int) -> NDArray[np.int64]:
    """(count,) the fold of each train row, in random order; sizes differ by at most one."""
    numbers: NDArray[np.int64] = np.random.default_rng(seed).permutation(np.arange(count) % folds)
    return numbers


def fusion_weights(
    out_of_fold: Sequence[OutOfFold], fixed: Sequence[float | None], *, temperature: float, steps: int
) -> NDArray[np.float64]:
    """Non-negative weights of the experts, summing to 1.

    Free weights minimise the symmetric InfoNCE of the fused cosines over the folds' pairs (a handful of numbers against
    hundreds of pairs: too few to over-fit). A fixed weight is relative to the free ones, whose sum is 1.

    Args:
        out_of_fold: one entry a fold.
        fixed: one entry an expert; None where the weight is learned.
        temperature: softmax temperature of the fused cosine at the start; it is learned along with the weights.
        steps: optimiser steps.
    """
    free = [e for e, weight in enumerate(fixed) if weight is None]
    weights = np.array([0.0 if weight is None else weight for weight in fixed], dtype=np.float64)
    if len(free) == 1:
        weights[free] = 1.0
    elif free:
        import torch

        layers = [torch.from_numpy(fold.similarities()[free]) for fold in out_of_fold]
        weights[free] = _learned(layers, temperature, steps)
    assert weights.sum() > 0, "a recipe without any positive weight is refused before"
    normed: NDArray[np.float64] = weights / weights.sum()
    return normed


def fuse(vectors: Sequence[Vectors], weights: NDArray[np.float64]) -> Vectors:
    """Concatenate the experts' vectors of one side, each times the root of its weight: (N, sum of D) float32.

    The inner product of two fused rows is the weighted sum of the experts' cosines. Experts of weight 0 are left out.
    """
    blocks = [rows * np.float32(np.sqrt(weight)) for rows, weight in zip(vectors, weights, strict=True) if weight > 0]
    return np.concatenate(blocks, axis=1)


def _learned(layers: list[Tensor], temperature: float, steps: int) -> NDArray[np.float64]:
    import torch
    import torch.nn.functional as F

    raw = torch.zeros(len(layers[0]), requires_grad=True)
    log_scale = torch.tensor(float(np.log(1.0 / temperature)), requires_grad=True)
    optimizer = torch.optim.Adam([raw, log_scale], lr=0.05)
    for _ in range(steps):
        loss = torch.zeros(())
        for layer in layers:
            logits = log_scale.exp() * torch.einsum("e,enm->nm", raw.softmax(0), layer)
            partner = torch.arange(len(logits))
            loss = loss + (F.cross_entropy(logits, partner) + F.cross_entropy(logits.T, partner)) / 2
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    learned: NDArray[np.float64] = raw.detach().softmax(0).double().numpy()
    return learned
