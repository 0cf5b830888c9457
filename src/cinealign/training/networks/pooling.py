"""How the vectors of an intro's words become one."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from cinealign.training.networks.options import WordPooling


def attention(width: int) -> nn.Sequential:
    """(B, L, width) -> (B, L, 1): how much a word counts before the softmax over its text.

    Source: Yang et al., NAACL 2016, equations 5 and 6.
    """
    return nn.Sequential(nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1, bias=False))


def pooled(vectors: Tensor, inside: Tensor, pooling: WordPooling, weigh: nn.Module | None = None) -> Tensor:
    """(B, L, width) vectors of words -> (B, width); what lies outside a text plays no part, and an empty one gives zeros.

    Args:
        vectors: one a word.
        inside: (B, L, 1) bool.
        pooling: of the three ways.
        weigh: `attention` of that width, for pooling "attention".
    """
    if pooling == "mean":
        return (vectors * inside).sum(dim=1) / inside.sum(dim=1).clamp(min=1)
    if pooling == "max":
        return vectors.masked_fill(~inside, -torch.inf).amax(dim=1).masked_fill(~inside.any(dim=1), 0.0)
    assert weigh is not None
    scores = cast(Tensor, weigh(vectors)).float()  # bfloat16 under autocast
    scores = scores.masked_fill(~inside, torch.finfo(scores.dtype).min)
    return (vectors * inside * scores.softmax(dim=1)).sum(dim=1)
