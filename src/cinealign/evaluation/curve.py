"""The whole curve of top-p accuracy, not only the points 5 % and 50 %, and the area below it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from cinealign.errors import DataError
from cinealign.evaluation.accuracy import top_k

PARTS = (*(i / 1000 for i in range(1, 10)), *(i / 100 for i in range(1, 101)))
"""Where the curve is read: 0.1 % to 1 % by 0.1 %, then to 100 % by 1 %."""


def top_p_curve(ranks: ArrayLike, n: int) -> list[float]:
    """Top-p accuracy at every p of `PARTS`: never falling, 1.0 at the end, equal to `get_acc(D, p)` at each point.

    Args:
        ranks: (Q,) ranks in [1, n], one query at least.
        n: size of the gallery.
    Raises:
        DataError: no ranks, or one that is not in [1, n].
    """
    array = _checked(ranks, n)
    within = np.cumsum(np.bincount(array, minlength=n + 1)) / len(array)  # (n + 1,) share of ranks <= k
    return [float(within[top_k(part, n)]) for part in PARTS]


def top_p_area(ranks: ArrayLike, n: int) -> float:
    """Area below the top-p accuracy for p in [0, 1]: exactly `1 - mean(ranks) / n`.

    A query with rank r succeeds for every p >= r / n, so it adds `1 - r / n`. In [0, 1 - 1 / n]; by chance
    `(n - 1) / 2n`, a little below a half. Unlike the points at 5 % it weighs every place of the gallery alike.

    Args:
        ranks: (Q,) ranks in [1, n], one query at least.
        n: size of the gallery.
    Raises:
        DataError: no ranks, or one that is not in [1, n].
    """
    return float(1 - _checked(ranks, n).mean() / n)


def _checked(ranks: ArrayLike, n: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    array = np.asarray(ranks)
    if array.ndim != 1 or array.size == 0 or array.dtype.kind not in "iu" or array.min() < 1 or array.max() > n:
        raise DataError(
            f"a curve needs ranks, integers in [1, {n}], of one query at least; got {array.dtype} {array.shape}"
        )
    return array.astype(np.int64)
