"""Partners that were put where they stand: exact ties on the diagonal, and ranks that pile up where a score needs them.

Whoever pulls pairs to a rank inside k takes an entry of the same row or column as the new distance, or something just
beside it. Taken as it is, the partner ties exactly, far more often than entries beside the diagonal do. Either way ranks
pile up: an honest model thins out from rank to rank and knows nothing of k.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtrc

from cinealign.audit.findings import Finding, failed, noted, passed
from cinealign.evaluation.accuracy import top_k
from cinealign.evaluation.metrics import TASK_RATIO
from cinealign.evaluation.ranks import Ranks

CHANCE = 1e-7
"""Probability below which a count is no accident; some hundred counts are looked at."""
CONTROLS = 4
"""Diagonals beside the main one whose ties are counted for comparison."""
FIRST_RANKS = 10
"""Ranks in which equal items can pile up honestly: each of five equal posters has rank 5 at best."""
STEEPEST = 0.7
"""Largest honest part of ranks just inside k, of those just inside and just beyond it."""
SMALLEST_K = 20
"""Below it ranks near k are too few to look at."""


def check_ties(D: NDArray[Any]) -> Finding:
    """Partners at exactly the distance of another item, against entries beside the diagonal."""
    matrix = np.asarray(D)
    n = len(matrix)
    tied = _tied(matrix, 0)
    said = f"{int(tied.sum())} of {n} items have another one at exactly their own distance"
    shifts = np.unique(np.linspace(1, n - 1, CONTROLS + 2).astype(int)[1:-1]) if n > CONTROLS + 2 else np.array([], int)
    usual = float(np.mean([_tied(matrix, int(shift)).mean() for shift in shifts])) if len(shifts) else 1.0
    # Where distances end (0 of a clipped or saturated form, the largest of a sparse one) partners may gather.
    own = matrix.diagonal()
    inner = int(np.count_nonzero(tied & (own > matrix.min()) & (own < matrix.max())))
    allowed = min(1.0, 2 * usual + 0.01)
    details = {"movies": int(tied.sum()), "usual": usual}
    if inner >= 10 and float(bdtrc(inner - 1, n, allowed)) < CHANCE:
        return failed("ties", f"{said}, where {100 * usual:.1f} % of other entries do: they were put there", **details)
    if tied.mean() > 0.5:
        return noted("ties", f"{said}; D is coarse, and ties count against it", **details)
    return passed("ties", said, **details)


def check_pile_ups(ranks: dict[str, Ranks], splits: dict[str, NDArray[np.int64]]) -> Finding:
    """Ranks of partners thin out gradually: no stretch holds far more of them than the one before, and k is no edge."""
    name = "pile-ups"
    n = len(next(iter(ranks.values())))
    k = top_k(TASK_RATIO, n)
    if k < SMALLEST_K:
        return noted(name, f"k = {k} is too small to look at ranks near it")
    for direction, found in ranks.items():
        for split, rows in splits.items():
            counts = np.bincount(found[rows], minlength=n + 1)[: n + 1]  # (N + 1,) how many have each rank
            if stretch := _pile(counts, 2 * k):
                start, stop, here, before = stretch
                return failed(
                    name,
                    f"{here} {split} partners ({direction.replace('_', ' ')}) stand at ranks {start} to {stop - 1} and only "
                    f"{before} at as many ranks before them (k = {k}): they were put there",
                    direction=direction,
                    split=split,
                    start=start,
                    stop=stop,
                )
            if edge := _edge(counts, k):
                inside, beyond, width = edge
                return failed(
                    name,
                    f"{inside} {split} partners ({direction.replace('_', ' ')}) stand at the last {width} ranks inside k = {k} "
                    f"and {beyond} at the first {width} beyond it: an honest model does not know k",
                    direction=direction,
                    split=split,
                )
    return passed(name, f"ranks thin out gradually, around k = {k} too")


def _tied(matrix: NDArray[Any], shift: int) -> NDArray[np.bool_]:
    """(N,) whether entry (i, i + shift) occurs again in its row or column."""
    places = np.arange(len(matrix))
    columns = (places + shift) % len(matrix)
    own = matrix[places, columns]
    tied: NDArray[np.bool_] = np.count_nonzero(matrix == own[:, None], axis=1) > 1
    in_column = np.empty(len(matrix), dtype=own.dtype)
    in_column[columns] = own
    tied[places] |= (np.count_nonzero(matrix == in_column, axis=0) > 1)[columns]
    return tied


def _pile(counts: NDArray[np.int64], last: int) -> tuple[int, int, int, int] | None:
    """The first stretch of ranks that holds far more than the one before: its start, end, count, and the count before."""
    total = np.concatenate([[0], np.cumsum(counts)])  # partners below a rank
    for width in (1, 2, 4, 8, 16, 32):
        for start in range(FIRST_RANKS + 1 + width, min(last, len(counts) - width)):
            here, before = total[start + width] - total[start], total[start] - total[start - width]
            if here >= 10 and here > 2 * before and float(bdtrc(here - 1, here + before, 0.5)) < CHANCE:
                return start, start + width, int(here), int(before)
    return None


def _edge(counts: NDArray[np.int64], k: int) -> tuple[int, int, int] | None:
    """Where far more partners stand just inside k than just beyond: both counts, and how many ranks they cover."""
    for width in (k // 8, k // 4):
        inside, beyond = int(counts[k + 1 - width : k + 1].sum()), int(counts[k + 1 : k + 1 + width].sum())
        if inside >= 10 and float(bdtrc(inside - 1, inside + beyond, STEEPEST)) < CHANCE:
            return inside, beyond, width
    return None
