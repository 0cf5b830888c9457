"""The embedding bag: an intro is its words' vectors made one, whatever their order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from torch import Tensor, nn

from cinealign.training.networks.options import BagOptions
from cinealign.training.networks.pooling import attention, pooled
from cinealign.training.networks.word_embedding import WordEmbedding, WordTower
from cinealign.views.intro.tokens import PADDING


class BagTower(WordTower):
    """(B, L) word numbers -> (B, D): the word vectors pooled, then one linear layer.

    Source: Iyyer et al., ACL 2015 (deep averaging network, here with one layer); attention: Yang et al., NAACL 2016.
    """

    Options = BagOptions

    def __init__(self, options: BagOptions, dimensions: int, geometry: Mapping[str, Any]) -> None:
        super().__init__(options, dimensions, geometry)
        self.options = options
        self.embedding = WordEmbedding(options, geometry)
        self.last = nn.Sequential(nn.Dropout(options.dropout), nn.Linear(geometry["width"], dimensions))
        self.attention = attention(geometry["width"]) if options.pooling == "attention" else None

    def forward(self, rows: Tensor) -> Tensor:
        """Not normalised; the expert does that."""
        inside = (rows != PADDING)[:, :, None]  # (B, L, 1)
        bag = pooled(self.embedding(rows), inside, self.options.pooling, self.attention)
        return cast(Tensor, self.last(bag))
