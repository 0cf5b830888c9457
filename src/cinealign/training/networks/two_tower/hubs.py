"""Hubs: items that are near everything are moved away from everything."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Hubs(nn.Module):
    """A bias an item: strength times the mean of its k highest products with a bank of train items of the other side.

    The bank holds train pairs as copies of the network see them that were trained without them; so a train item meets its
    partner there as a new query would. An item needs nothing but itself and the bank: inductive.

    Source: Chowdhury et al. 2024, nearest neighbor normalization (arXiv 2410.24114), equation 2.
    """

    posters: Tensor
    intros: Tensor
    strength: Tensor

    def __init__(self, pairs: int, width: int, k: int) -> None:
        super().__init__()
        self.k = k
        self.register_buffer("posters", torch.zeros(pairs, width))
        self.register_buffer("intros", torch.zeros(pairs, width))
        self.register_buffer("strength", torch.zeros(1))

    def of_posters(self, posters: Tensor) -> Tensor:
        """(N, 1) from (N, width)."""
        return self.strength * nearest_mean(posters, self.intros, self.k)[:, None]

    def of_intros(self, intros: Tensor) -> Tensor:
        """(N, 1) from (N, width)."""
        return self.strength * nearest_mean(intros, self.posters, self.k)[:, None]


def nearest_mean(items: Tensor, bank: Tensor, k: int) -> Tensor:
    """(N,) mean of the k highest products of each of `items` (N, D) with the `bank` (T, D); 0 without a bank."""
    if not len(bank):
        return items.new_zeros(len(items))
    return (items @ bank.T).topk(min(k, len(bank)), dim=1).values.mean(dim=1)
