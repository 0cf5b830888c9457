"""Which items of a gallery are nearest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def nearest(similarity: NDArray[np.floating], k: int) -> NDArray[np.int64]:
    """Places of the k highest similarities along the last axis, the highest first; equal ones in order of place.

    Args:
        similarity: (..., G), higher is nearer.
        k: how many; all G where there are fewer.
    Returns:
        (..., min(k, G)).
    """
    found: NDArray[np.int64] = np.argsort(-similarity, axis=-1, kind="stable")[..., :k]
    return found
