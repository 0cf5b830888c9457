"""Who resembles whom: matrices that are the same, or one made from the other by scale, noise or another order of items.

Two honest students may use one public model, so a high correlation alone says little: a head trained on top of a frozen
model was seen at 0.95 to the model itself. What then differs between the two has a pattern of rows, columns and few
dimensions. Noise that was added has none, so the singular values of the difference tell a copy from a relative.
Source of the bound on singular values of noise: Marchenko and Pastur 1967.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from cinealign.grading.judging import Judged

BLOCK = (128, 256)
"""Rows and columns of the part of D that is kept; no item is in both, so no entry of it is on the diagonal."""
SAME, ALIKE = 0.99999, 0.98
"""Correlation of ranks of entries from which two matrices are the same, or nearly."""
RELATED = 0.8
"""Correlation from which what differs is looked at."""
WHITE = 1.3
"""Times the largest singular value of noise that one of noise may have."""
SAME_PROFILE, OF_SPREAD = 0.03, 0.05
"""Largest difference of sorted means and spreads of rows and columns of a copy in another order: in standard deviations of
D, and as a part of their own range."""


@dataclass(frozen=True)
class Fingerprint:
    """What is kept of D to find copies.

    Attributes:
        block: `BLOCK` of D, of mean 0 and standard deviation 1; smaller where there are few items.
        ranks: (entries,) its ranks, of mean 0 and length 1: they see a copy through any scale and growing function.
        profile: (4, N) means and spreads of rows and columns in standard deviations of D, each sorted: they see a copy
            through any order of the items.
    """

    block: NDArray[np.float32]
    ranks: NDArray[np.float32]
    profile: NDArray[np.float32]

    @classmethod
    def of(cls, D: NDArray[Any]) -> Fingerprint | None:
        """The fingerprint of (N, N) finite D; None where all entries of the block are equal."""
        n = len(D)
        order = np.random.default_rng(0).permutation(n)
        rows = order[: min(BLOCK[0], n // 3)]
        block = np.asarray(D)[np.ix_(rows, order[len(rows) : len(rows) + BLOCK[1]])].astype(np.float64)
        if not block.size or block.std() == 0:
            return None
        ranks = np.argsort(np.argsort(block.ravel(), kind="stable"), kind="stable").astype(np.float64)
        ranks -= ranks.mean()
        values = np.asarray(D, dtype=np.float64)
        scaled = (values - values.mean()) / values.std()
        profile = np.sort([scaled.mean(axis=0), scaled.mean(axis=1), scaled.std(axis=0), scaled.std(axis=1)], axis=1)
        return cls(
            ((block - block.mean()) / block.std()).astype(np.float32),
            (ranks / np.linalg.norm(ranks)).astype(np.float32),
            profile.astype(np.float32),
        )


def alike(rows: Sequence[Judged]) -> Iterator[tuple[Judged, Judged, str]]:
    """Pairs of submissions whose matrices are the same, or one made from the other; never a verdict.

    Two runs of this program by one recipe are alike by design and are left out.
    """
    for one, other in _pairs(rows):
        if one.recipe and one.recipe.partition(",")[0] == other.recipe.partition(",")[0]:
            continue
        assert one.fingerprint is not None and other.fingerprint is not None
        if told := _told(one.fingerprint, other.fingerprint):
            yield one, other, told


def correlations(rows: Sequence[Judged]) -> NDArray[np.float64]:
    """(R, R) rank correlations of entries beside the diagonal; NaN where there is no D."""
    found = np.full((len(rows), len(rows)), np.nan)
    with_D = [at for at, row in enumerate(rows) if row.fingerprint is not None]
    ranks = np.array([one.ranks for row in rows if (one := row.fingerprint) is not None], dtype=np.float64)
    if with_D:
        found[np.ix_(with_D, with_D)] = ranks @ ranks.T
    return found


def _pairs(rows: Sequence[Judged]) -> Iterator[tuple[Judged, Judged]]:
    scored = [row for row in rows if row.fingerprint is not None]
    for at, one in enumerate(scored):
        for other in scored[at + 1 :]:
            yield one, other


def _told(one: Fingerprint, other: Fingerprint) -> str:
    """How they resemble each other; empty where they do not."""
    correlation = float(one.ranks @ other.ranks)
    if correlation > SAME:
        return "the same matrix, perhaps in another scale"
    if correlation > RELATED and differ_by_noise(one.block, other.block):
        return f"the same matrix but for noise without any pattern (rank correlation {correlation:.4f})"
    if correlation > ALIKE:
        return f"nearly the same matrix (rank correlation {correlation:.4f})"
    if _same_profile(one.profile, other.profile):
        return "the same matrix with items in another order"
    return ""


def differ_by_noise(one: NDArray[np.float32], other: NDArray[np.float32]) -> bool:
    """Whether one block is the other with noise, or both are a third with noise of one size.

    Args:
        one, other: (R, C) blocks of mean 0 and standard deviation 1.
    """
    slope = float(np.mean(one * other))
    for difference in (other - slope * one, one - slope * other, one - other):
        difference = difference - difference.mean()
        size = float(difference.std())
        edge = size * sum(np.sqrt(difference.shape))  # the largest singular value of noise
        if size > 0 and np.linalg.svd(difference, compute_uv=False)[0] < WHITE * edge:
            return True
    return False


def _same_profile(one: NDArray[np.float32], other: NDArray[np.float32]) -> bool:
    if one.shape != other.shape:
        return False
    apart = np.abs(one - other).max(axis=1)
    spread = np.minimum(np.ptp(one, axis=1), np.ptp(other, axis=1))
    telling = spread > SAME_PROFILE  # where all rows were standardised, their means tell nothing
    return bool(telling.any() and (apart[telling] < np.minimum(SAME_PROFILE, OF_SPREAD * spread[telling])).all())
