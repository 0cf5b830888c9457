"""The embedding bag: an intro is the mean of its words' vectors, whatever their order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, cast

import torch
from pydantic import Field
from torch import Tensor, nn

from cinealign.networks.word_embedding import EmbeddingOptions, WordEmbedding, WordTower
from cinealign.views.intro.tokens import PADDING


class BagOptions(EmbeddingOptions):
    """Options of `BagTower`."""

    pooling: Literal["mean", "max"] = "mean"
    dropout: float = Field(0.3, ge=0, lt=1, description="on the bag's vector")


class BagTower(WordTower):
    """(B, L) word numbers -> (B, D): mean (or greatest value) of the word vectors, then one linear layer.

    Source: Iyyer et al., ACL 2015 (deep averaging network, here with one layer).
    """

    Options = BagOptions

    def __init__(self, options: BagOptions, dimensions: int, geometry: Mapping[str, Any]) -> None:
        super().__init__(options, dimensions, geometry)
        self.options = options
        self.embedding = WordEmbedding(options, geometry)
        self.last = nn.Sequential(nn.Dropout(options.dropout), nn.Linear(geometry["width"], dimensions))

    def forward(self, rows: Tensor) -> Tensor:
        """Not normalised; the expert does that."""
        inside = (rows != PADDING)[:, :, None]  # (B, L, 1)
        vectors = self.embedding(rows)  # (B, L, E)
        if self.options.pooling == "mean":
            bag = (vectors * inside).sum(dim=1) / inside.sum(dim=1).clamp(min=1)
        else:
            bag = vectors.masked_fill(~inside, -torch.inf).amax(dim=1).masked_fill(~inside.any(dim=1), 0.0)
        return cast(Tensor, self.last(bag))
