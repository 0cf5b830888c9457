"""Memory: codes by which train pairs find each other, in coordinates of their own.

A train movie has a code, a random direction of the block; an item recalls the codes of the train items of its side that it
equals or nearly equals. A train pair so meets in its own code, and a new item recalls next to nothing. What an item lacks
in the block goes into a coordinate that the other side does not use (`two_towers.finished`), so it changes no other product:
new queries order new and train items as if there were no memory.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cinealign.training.networks.two_tower.reading import unit


class Memory(nn.Module):
    """(N, D) vectors of one side -> (N, M) codes of length at most 1, by exp((cosine to a train item - 1) / bandwidth)."""

    posters: Tensor
    intros: Tensor
    codes: Tensor

    def __init__(self, pairs: int, width: int, dimensions: int, bandwidth: float) -> None:
        super().__init__()
        self.bandwidth = bandwidth
        self.register_buffer("posters", torch.zeros(pairs, width))
        self.register_buffer("intros", torch.zeros(pairs, width))
        self.register_buffer("codes", torch.zeros(pairs, dimensions))

    def remember(self, posters: Tensor, intros: Tensor, generator: torch.Generator) -> None:
        """Keep T train pairs (T, D) and draw their codes."""
        self.posters, self.intros = unit(posters), unit(intros)
        self.codes = unit(torch.randn(len(posters), self.codes.shape[1], generator=generator))

    def of_posters(self, posters: Tensor) -> Tensor:
        """(N, M)."""
        return self._recalled(posters, self.posters)

    def of_intros(self, intros: Tensor) -> Tensor:
        """(N, M)."""
        return self._recalled(intros, self.intros)

    def _recalled(self, items: Tensor, known: Tensor) -> Tensor:
        kernel = ((unit(items) @ known.T - 1.0) / self.bandwidth).exp()  # (N, T)
        codes = kernel @ self.codes
        recalled: Tensor = codes / codes.norm(dim=1, keepdim=True).clamp(min=1.0)
        return recalled
