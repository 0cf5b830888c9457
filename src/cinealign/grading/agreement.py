"""Does a D follow from the vectors of both sides that were handed in beside it?"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtrc

from cinealign.audit.findings import Finding, failed, noted, passed

FOLLOWS = 0.98
"""Rank correlation of the rows, or of the columns, from which on D is taken for a function of the vectors' distances."""
OUTSIDE = 0.002
"""Share of entries beside the diagonal that move farther than the limit, which one in a thousand does by definition."""
CHANCE = 1e-6
"""Probability under which a count of moved partners is no accident."""


def check_agreement(D: NDArray[Any], of_vectors: NDArray[Any], held_out: NDArray[np.int64]) -> Finding:
    """Compare the order in which D and the vectors list items; held-out partners may move no farther than others.

    Euclidean distances, angles, rounding and whatever else keeps the order within rows, or within columns, change nothing.
    CSLS and Sinkhorn change both: then nothing is said but how much the orders differ.

    Args:
        D, of_vectors: (N, N) finite distances as handed in, and those of the vectors, in one order of items.
        held_out: rows whose partners are judged; those of train pairs may be remembered.
    """
    name, n = "D and vectors", len(D)
    best: tuple[float, NDArray[np.int32]] | None = None
    for given, own in ((D, of_vectors), (np.asarray(D).T, np.asarray(of_vectors).T)):
        moved = _places(given) - _places(own)  # (N, N)
        alike = float(np.median(1 - 6 * np.square(moved, dtype=np.float64).sum(axis=1) / (n**3 - n)))  # Spearman's
        if best is None or alike > best[0]:
            best = alike, moved
    assert best is not None
    alike, moved = best
    if alike < FOLLOWS:
        return noted(
            name,
            f"D is no plain distance of the vectors beside it (rank correlation {alike:.3f} in the median): it was corrected, "
            "as by CSLS, or is of other vectors. Ask how D was made",
            correlation=alike,
        )
    limit = float(np.quantile(np.abs(moved[~np.eye(n, dtype=bool)]), 0.999)) + 1
    own_moves = moved.diagonal()[held_out]
    outside = int(np.count_nonzero(np.abs(own_moves) > limit))
    nearer = int(np.count_nonzero(own_moves < -limit))
    details = {"correlation": alike, "limit": limit, "outside": outside, "nearer": nearer}
    if outside > 2 and float(bdtrc(outside - 1, len(held_out), OUTSIDE)) < CHANCE:
        return failed(
            name,
            f"D follows from the vectors beside it (rank correlation {alike:.3f}), but {outside} of {len(held_out)} held-out "
            f"partners stand more than {limit:.0f} ranks from where the vectors put them, {nearer} of them nearer: they were "
            "changed after D was computed",
            **details,
        )
    return passed(name, f"D follows from the vectors beside it (rank correlation {alike:.3f})", **details)


def _places(D: NDArray[Any]) -> NDArray[np.int32]:
    """(N, N) rank of each entry in its row, from 0."""
    order = np.argsort(D, axis=1, kind="stable")
    places = np.empty(order.shape, dtype=np.int32)
    np.put_along_axis(places, order, np.arange(order.shape[1], dtype=np.int32)[None], axis=1)
    return places
