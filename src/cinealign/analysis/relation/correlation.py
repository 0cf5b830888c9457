"""Are two sets of features of the same movies related? Canonical correlations and kernel alignment, each against chance.

Both are read on movies that nothing was fitted on, and both are set against a null in which the movies of one side are
shuffled: with hundreds of features and a thousand movies, features that have nothing to do with each other look related.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cinealign.errors import DataError

Rows = NDArray[np.floating]
"""(N, F) features, row i is movie i."""


@dataclass(frozen=True)
class CanonicalCorrelations:
    """What `canonical_correlations` finds, the strongest component (on train movies) first.

    Attributes:
        dimensions: principal components kept of each side.
        train: (C,) correlations on the movies that the directions were fitted on, in [0, 1].
        held_out: (C,) correlations of the same directions on other movies, in [-1, 1].
        null_high: (C,) the 95th percentile of `held_out` when the partners are shuffled.
        null_means: (P,) mean over the components for each shuffle.
        p: share of shuffles whose mean over the components is as high, the true pairing counted among them.
    """

    dimensions: int
    train: NDArray[np.float64]
    held_out: NDArray[np.float64]
    null_high: NDArray[np.float64]
    null_means: NDArray[np.float64]
    p: float


def canonical_correlations(
    train: tuple[Rows, Rows],
    held_out: tuple[Rows, Rows],
    *,
    dimensions: int = 64,
    components: int = 10,
    permutations: int = 999,
    seed: int = 0,
) -> CanonicalCorrelations:
    """CCA in the principal components of each side, fitted on train movies and read on held-out ones.

    Args:
        train: (T, F1) and (T, F2) features of the train movies.
        held_out: (Q, F1) and (Q, F2) of the others.
        dimensions: principal components kept of each side, fewer where a side has fewer; at most a fifth of T, as with
            more the train correlations are near 1 whatever the features.
        components: C, canonical directions reported; fewer where there are fewer.
        permutations: shuffles of the held-out partners; the directions stay as they are.
        seed: of the shuffles.
    Raises:
        DataError: other numbers of movies on the two sides, fewer than 10 train or 3 held-out ones, or a side that is the
            same for every train movie.
    Source:
        Raghu et al., "SVCCA" (arXiv 1706.05806), section 2; the held-out reading and its null are ours.
    """
    (x, y), (x_new, y_new) = train, held_out
    if len(x) != len(y) or len(x_new) != len(y_new) or len(x) < 10 or len(x_new) < 3:
        raise DataError(
            f"CCA needs pairs of 10 train and 3 held-out items, got {len(x)}, {len(y)} and {len(x_new)}, {len(y_new)}"
        )
    kept = max(1, min(dimensions, len(x) // 5))
    first, map_first, mean_first = _whitened(x, kept)
    second, map_second, mean_second = _whitened(y, kept)
    if not (first.shape[1] and second.shape[1]):
        raise DataError("CCA needs features that differ between train items; one side is the same for all of them")
    left, correlations, right = np.linalg.svd(first.T @ second / len(x), full_matrices=False)
    shown = min(components, len(correlations))
    a = _standardised((x_new - mean_first) @ map_first @ left[:, :shown])
    b = _standardised((y_new - mean_second) @ map_second @ right[:shown].T)
    generator = np.random.default_rng(seed)
    null = np.stack([(a * b[generator.permutation(len(b))]).mean(axis=0) for _ in range(permutations)])  # (P, C)
    found = (a * b).mean(axis=0)
    means = null.mean(axis=1)
    return CanonicalCorrelations(
        dimensions=min(first.shape[1], second.shape[1]),
        train=np.clip(correlations[:shown], 0.0, 1.0),
        held_out=found,
        null_high=np.quantile(null, 0.95, axis=0),
        null_means=means,
        p=(1 + int(np.count_nonzero(means >= found.mean()))) / (1 + permutations),
    )


@dataclass(frozen=True)
class KernelAlignment:
    """What `kernel_alignment` finds.

    Attributes:
        cka: linear CKA, in [0, 1]; above 0 even for unrelated features, the more so the more features there are.
        debiased: the same without that bias: 0 on average for unrelated features, may be below 0.
        null: (P,) `debiased` when the movies of one side are shuffled.
        p: share of shuffles with as high a value, the true pairing counted among them.
    """

    cka: float
    debiased: float
    null: NDArray[np.float64]
    p: float


def kernel_alignment(x: Rows, y: Rows, *, permutations: int = 199, seed: int = 0) -> KernelAlignment:
    """Linear CKA of two sets of features of the same movies, with and without its bias, against shuffled movies.

    Holds a few N x N matrices of float32.

    Args:
        x, y: (N, F1) and (N, F2), row i is movie i, N at least 4.
        permutations: shuffles.
        seed: of the shuffles.
    Raises:
        DataError: other numbers of movies on the two sides, or fewer than 4.
    Source:
        Kornblith et al. (arXiv 1905.00414), section 3; without bias: Song et al., "Feature selection via dependence
        maximization" (JMLR 2012), equation 4, as used by Nguyen et al. (arXiv 2010.15327).
    """
    if len(x) != len(y) or len(x) < 4:
        raise DataError(f"CKA needs both sides of 4 items at least, got {len(x)} and {len(y)}")
    grams = [_gram(rows) for rows in (x, y)]
    biased = _aligned(*(_centred(gram) for gram in grams))
    first, second = (_u_centred(gram) for gram in grams)
    scale = float(np.sqrt(max(_product(first, first), 0.0) * max(_product(second, second), 0.0)))
    if scale == 0:
        return KernelAlignment(biased, 0.0, np.zeros(permutations), 1.0)
    debiased = _product(first, second) / scale
    generator = np.random.default_rng(seed)
    null = np.empty(permutations)
    for at in range(permutations):
        order = generator.permutation(len(y))
        null[at] = _product(first, second[np.ix_(order, order)]) / scale
    p = (1 + int(np.count_nonzero(null >= debiased))) / (1 + permutations)
    return KernelAlignment(biased, debiased, null, p)


def _whitened(rows: Rows, kept: int) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """(T, R) uncorrelated components of unit variance, the (F, R) map that leads there, and the (F,) mean."""
    exact = rows.astype(np.float64)
    mean = exact.mean(axis=0)
    _, lengths, axes = np.linalg.svd(exact - mean, full_matrices=False)
    real = min(kept, int(np.count_nonzero(lengths > 1e-9 * max(float(lengths.max(initial=0.0)), 1e-30))))
    leads = axes[:real].T / lengths[:real] * np.sqrt(len(rows))
    return (exact - mean) @ leads, leads, mean


def _standardised(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    centred = columns - columns.mean(axis=0)
    spread = centred.std(axis=0)
    scaled: NDArray[np.float64] = np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 0)
    return scaled


def _gram(rows: Rows) -> NDArray[np.float32]:
    centred = rows.astype(np.float64) - rows.mean(axis=0, dtype=np.float64)
    length = np.linalg.norm(centred) or 1.0  # CKA does not depend on it, and float32 likes numbers near 1
    scaled = (centred / length * np.sqrt(len(rows))).astype(np.float32)
    gram: NDArray[np.float32] = scaled @ scaled.T
    return gram


def _centred(gram: NDArray[np.float32]) -> NDArray[np.float32]:
    means = gram.mean(axis=0)
    centred: NDArray[np.float32] = gram - means[:, None] - means + means.mean()
    return centred


def _u_centred(gram: NDArray[np.float32]) -> NDArray[np.float32]:
    """The Gram matrix without its diagonal, centred so that products with another one are unbiased."""
    n = len(gram)
    hollow = gram.copy()
    np.fill_diagonal(hollow, 0)
    sums = hollow.sum(axis=0, dtype=np.float64)
    means = (sums - sums.sum() / (2 * (n - 1))) / (n - 2)
    centred: NDArray[np.float32] = (hollow - means[:, None] - means).astype(np.float32)
    np.fill_diagonal(centred, 0)
    return centred


def _product(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    return float(np.einsum("ij,ij->", first, second, dtype=np.float64, optimize=False))


def _aligned(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    scale = float(np.sqrt(_product(first, first) * _product(second, second)))
    return _product(first, second) / scale if scale > 0 else 0.0
