"""Out-of-fold vectors of the train pairs, brought into the space of the final model.

What is fitted on top of the vectors (a bank of queries, a learned distance) must not see pairs that the experts have
memorised, so it wants out-of-fold vectors. But experts fitted on different folds have different spaces: turned, mirrored
or mixed. Both a fold's expert and the final one have encoded the rows inside the fold; the turn that brings the one's
vectors nearest to the other's (orthogonal Procrustes, one turn for both sides) is then applied to the rows left out. A turn
keeps inner products, so within a fold the cosines are exactly the out-of-fold ones; between folds they are as good as the
turn fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cinealign.experts.base import Vectors
from cinealign.experts.fusion import OutOfFold, fuse


@dataclass(frozen=True)
class TrainVectors:
    """Fused out-of-fold vectors of the T train pairs in the space of the final model.

    Attributes:
        poster, intro: (T, D).
        fold: (T,) the fold in which a pair was left out.
    """

    poster: Vectors
    intro: Vectors
    fold: NDArray[np.int64]

    def take(self, chosen: NDArray[np.bool_]) -> TrainVectors:
        """The pairs where `chosen` (T,) is true."""
        return TrainVectors(self.poster[chosen], self.intro[chosen], self.fold[chosen])


def turned(
    out_of_fold: Sequence[OutOfFold],
    final: OutOfFold,
    fold_of: NDArray[np.int64],
    weights: NDArray[np.float64],
) -> TrainVectors:
    """Every train pair as the experts that were fitted without it see it, in the space of the final experts.

    Args:
        out_of_fold: entry f holds the rows left out of fold f and, as `inside`, those that its experts were fitted on.
        final: vectors of all T train rows by the final experts.
        fold_of: (T,) the fold of each row.
        weights: of the experts in the fusion.
    Source:
        Schoenemann 1966 (orthogonal Procrustes).
    """
    sides = [[np.zeros_like(rows) for rows in side] for side in (final.poster, final.intro)]
    for fold, left_out in enumerate(out_of_fold):
        known = left_out.inside
        assert known is not None, "cross_fit was not asked for the rows inside the folds"
        for e in range(len(weights)):
            goal = np.concatenate([final.poster[e][fold_of != fold], final.intro[e][fold_of != fold]])
            turn = _turn(np.concatenate([known.poster[e], known.intro[e]]), goal)
            sides[0][e][fold_of == fold] = left_out.poster[e] @ turn
            sides[1][e][fold_of == fold] = left_out.intro[e] @ turn
    return TrainVectors(fuse(sides[0], weights), fuse(sides[1], weights), fold_of)


def _turn(rows: Vectors, goal: Vectors) -> NDArray[np.float32]:
    """(D1, D2) with orthonormal rows or columns, that brings `rows` nearest to `goal`."""
    left, _, right = np.linalg.svd(rows.T.astype(np.float64) @ goal, full_matrices=False)
    turn: NDArray[np.float32] = (left @ right).astype(np.float32)
    return turn
