"""Corrections that look at the other test items: CSLS and Sinkhorn. Results with them are rows of their own, no headline.

They change D as a whole, so they need all of it at once: N x N numbers, and the correction of a pair changes when other
movies come or go.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from cinealign.distance.options import CslsOptions, SinkhornOptions, TransductionOptions
from cinealign.distance.registry import TRANSDUCTIONS as TRANSDUCTIONS


class Transduction(ABC):
    """From the inner products of all posters with all intros to a corrected D; registered in `TRANSDUCTIONS`."""

    Options: ClassVar[type[TransductionOptions]] = TransductionOptions

    def __init__(self, options: Any) -> None:
        self.options = options

    @abstractmethod
    def distances(self, similarities: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, N) similarities, posters down -> (N, N) distances; needs a few times the memory of its input."""


class Csls(Transduction):
    """D[i, j] = r(p_i) + r(q_j) - 2 p_i . q_j, r the mean similarity to the k nearest test items of the other side.

    Source: Conneau et al. 2018 (arXiv 1710.04087), section 2.3.
    """

    Options = CslsOptions
    options: CslsOptions

    def distances(self, similarities: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, N)."""
        k = min(self.options.k, len(similarities))
        posters = np.partition(similarities, -k, axis=1)[:, -k:].mean(axis=1)
        intros = np.partition(similarities, -k, axis=0)[-k:].mean(axis=0)
        D: NDArray[np.float32] = (posters[:, None] + intros - 2 * similarities).astype(np.float32)
        return D


class Sinkhorn(Transduction):
    """D = -log of the kernel exp(S / temperature) after rows and columns were scaled to sum to 1 in turn.

    It assumes that every poster has one intro of this very gallery: the strongest help the test set can give.

    Source: Cuturi 2013 (arXiv 1306.0895); against hubs in retrieval: arXiv 2508.02538.
    """

    Options = SinkhornOptions
    options: SinkhornOptions

    def distances(self, similarities: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, N); in logarithms, so that nothing overflows."""
        from scipy.special import logsumexp

        logits = similarities.astype(np.float64) / self.options.temperature
        for _ in range(self.options.iterations):
            logits -= logsumexp(logits, axis=1, keepdims=True)
            logits -= logsumexp(logits, axis=0, keepdims=True)
        D: NDArray[np.float32] = (-logits).astype(np.float32)
        return D
