"""What train items that an item resembles say of it: kernel ridge regression with a Gaussian kernel."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Likeness(nn.Module):
    """(N, F) unit rows -> (N, D): sum over train items t of exp((x . t - 1) / bandwidth) says_t; a row of zeros says nothing.

    Closed form, and never trained. `says` solves (K + ridge I) says = targets - their mean, with K the train items' kernel.

    Source: kernel ridge regression (Saunders, Gammerman and Vovk 1998).
    """

    def __init__(self, pairs: int, width: int, says: int, bandwidth: float) -> None:
        super().__init__()
        self.bandwidth = bandwidth
        self.known = nn.Parameter(torch.zeros(pairs, width), requires_grad=False)
        self.says = nn.Parameter(torch.zeros(pairs, says), requires_grad=False)

    @torch.no_grad()
    def fit(self, rows: Tensor, targets: Tensor, ridge: float) -> None:
        """Learn to say `targets` (T, D) of the unit `rows` (T, F), T at most `pairs`; in place."""
        kernel, centred = self._kernel(rows, rows).double(), (targets - targets.mean(dim=0)).double()
        held = torch.linalg.solve(kernel + ridge * torch.eye(len(rows), dtype=torch.float64), centred)
        self.known.zero_()[: len(rows)] = rows
        self.says.zero_()[: len(rows)] = held.float()

    def forward(self, rows: Tensor) -> Tensor:
        """(N, D), not normalised."""
        said: Tensor = self._kernel(rows, self.known) @ self.says
        return said

    def _kernel(self, rows: Tensor, known: Tensor) -> Tensor:
        there = (rows != 0).any(dim=1, keepdim=True)
        return there * ((rows @ known.T - 1.0) / self.bandwidth).exp()
