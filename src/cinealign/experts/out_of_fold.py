"""Out-of-fold vectors of the train pairs, brought into the space of the final model.

What is fitted on top of the vectors (a bank of queries, a learned distance) must not see pairs that the experts have
memorised, so it wants out-of-fold vectors. But experts fitted on different folds have different spaces: turned, mirrored
or mixed. Both a fold's expert and the final one have encoded the rows inside the fold; the turn that brings the one's
vectors nearest to the other's (orthogonal Procrustes, one turn for both sides) is then applied to the rows left out. A turn
keeps inner products, so within a fold the cosines are exactly the out-of-fold ones; between folds they are as good as the
turn fits. An expert whose copies share a space as it is needs no turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cinealign.experts.base import Vectors
from cinealign.experts.fusion import OutOfFold, fuse

LEAVE_AS_IS = 1e-6
"""Pull of a turn to the identity, as a share of what the rows say."""


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
    one_space: Sequence[bool],
) -> TrainVectors:
    """Every train pair as the experts that were fitted without it see it, in the space of the final experts.

    Args:
        out_of_fold: entry f holds the rows left out of fold f and, as `inside`, those that its experts were fitted on.
        final: vectors of all T train rows by the final experts.
        fold_of: (T,) the fold of each row.
        weights: of the experts in the fusion.
        one_space: of the experts, `Expert.one_space`.
    Source:
        Schoenemann 1966 (orthogonal Procrustes).
    """
    sides = [[np.zeros_like(rows) for rows in side] for side in (final.poster, final.intro)]
    for fold, left_out in enumerate(out_of_fold):
        known = left_out.inside
        assert known is not None, "cross_fit was not asked for the rows inside the folds"
        for e, same in enumerate(one_space):
            poster, intro = left_out.poster[e], left_out.intro[e]
            if not same:
                goal = np.concatenate([final.poster[e][fold_of != fold], final.intro[e][fold_of != fold]])
                turn = nearest_turn(np.concatenate([known.poster[e], known.intro[e]]), goal)
                poster, intro = poster @ turn, intro @ turn
            sides[0][e][fold_of == fold], sides[1][e][fold_of == fold] = poster, intro
    return TrainVectors(fuse(sides[0], weights), fuse(sides[1], weights), fold_of)


def nearest_turn(rows: Vectors, goal: Vectors) -> NDArray[np.float32]:
    """(D1, D2) with orthonormal rows or columns, that brings `rows` (n, D1) nearest to `goal` (n, D2).

    Where the rows leave it open (fewer rows than dimensions, say) it changes as little as it can; without that its free
    part would be rounding noise, another one on another processor.
    """
    crossed = rows.T.astype(np.float64) @ goal
    pull = LEAVE_AS_IS * np.linalg.norm(crossed) or 1.0  # rows that say nothing at all leave everything as it is
    crossed += pull * np.eye(*crossed.shape)
    left, _, right = np.linalg.svd(crossed, full_matrices=False)
    turn: NDArray[np.float32] = (left @ right).astype(np.float32)
    return turn
