"""Contrastive losses over a batch of paired, L2-normalised vectors."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MAX_LOGIT_SCALE = 100.0


class InfoNce(nn.Module):
    """Symmetric InfoNCE with a learned logit scale: each poster must find its intro in the batch, and each intro its poster.

    loss = (CE(s P Q', i) + CE(s Q P', i)) / 2, s = exp(log_logit_scale) capped at 100. With equal similarities it is log(B).
    Source: van den Oord et al. 2018 (arXiv 1807.03748); learned, capped scale: Radford et al. 2021 (arXiv 2103.00020).
    """

    def __init__(self, temperature: float = 0.07, learn_temperature: bool = True) -> None:
        """Args:
        temperature: 1 / logit_scale at the start.
        learn_temperature: whether training may change it.
        """
        super().__init__()
        start = torch.tensor(math.log(1.0 / temperature))
        self.log_logit_scale = nn.Parameter(start, requires_grad=learn_temperature)

    @property
    def logit_scale(self) -> Tensor:
        """exp(log_logit_scale), at most 100; the gradient is cut at the cap."""
        return self.log_logit_scale.exp().clamp(max=MAX_LOGIT_SCALE)

    def forward(self, poster: Tensor, intro: Tensor) -> Tensor:
        """Mean loss of a batch.

        Args:
            poster, intro: (B, D), rows L2-normalised; row i of both belongs to one movie.
        Returns:
            A scalar in [0, inf).
        """
        logits = self.logit_scale * poster @ intro.T  # (B, B)
        partner = torch.arange(len(logits), device=logits.device)
        return (F.cross_entropy(logits, partner) + F.cross_entropy(logits.T, partner)) / 2
