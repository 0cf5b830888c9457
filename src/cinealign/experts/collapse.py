"""Whether a space has collapsed: how many dimensions its vectors really use."""

from __future__ import annotations

import torch
from torch import Tensor


def effective_rank(rows: Tensor) -> float:
    """exp of the entropy of the centred rows' normalised singular values; in [1, D], 0.0 where all rows are equal.

    Args:
        rows: (N, D), finite.
    Source:
        Roy and Vetterli, "The effective rank" (EUSIPCO 2007); centring is ours: a common offset is no dimension.
    """
    rows = rows.detach().double()
    size = float(rows.norm())
    values = torch.linalg.svdvals(rows - rows.mean(dim=0))
    values = values[values > 1e-7 * size]  # below it there is only the rounding of float32
    if not len(values):
        return 0.0
    shares = values / values.sum()
    return float(torch.exp(-(shares * shares.log()).sum()))
