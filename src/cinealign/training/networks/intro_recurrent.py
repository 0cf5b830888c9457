"""Recurrent towers: an RNN, GRU or LSTM reads an intro word by word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from cinealign.training.networks.options import RecurrentOptions
from cinealign.training.networks.pooling import attention, pooled
from cinealign.training.networks.word_embedding import WordEmbedding, WordTower
from cinealign.views.intro.tokens import PADDING

CELLS: dict[str, type[nn.RNNBase]] = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}


class RecurrentTower(WordTower):
    """(B, L) word numbers -> (B, D). Sequences are packed: padding is never read, so it cannot change a vector.

    Source: Hochreiter and Schmidhuber 1997 (LSTM); Cho et al., arXiv 1406.1078 (GRU); Yang et al., NAACL 2016 (attention).
    """

    Options = RecurrentOptions

    def __init__(self, options: RecurrentOptions, dimensions: int, geometry: Mapping[str, Any]) -> None:
        super().__init__(options, dimensions, geometry)
        self.options = options
        self.embedding = WordEmbedding(options, geometry)
        self.dropout = nn.Dropout(options.dropout)
        between = options.dropout if options.layers > 1 else 0.0
        self.cell = CELLS[options.cell](
            geometry["width"],
            options.hidden,
            options.layers,
            batch_first=True,
            dropout=between,
            bidirectional=options.bidirectional,
        )
        width = options.hidden * (2 if options.bidirectional else 1)
        self.attention = attention(width) if options.pooling == "attention" else None
        self.last = nn.Linear(width, dimensions)

    def forward(self, rows: Tensor) -> Tensor:
        """Not normalised; the expert does that."""
        lengths = (rows != PADDING).sum(dim=1).clamp(min=1)  # an empty text is read as one padding, and not `seen`
        rows = rows[:, : int(lengths.max())]
        vectors = self.dropout(self.embedding(rows))
        packed = pack_padded_sequence(vectors, lengths, batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(self.cell(packed)[0], batch_first=True)  # (B, L, width)
        inside = (torch.arange(states.shape[1]) < lengths[:, None])[:, :, None]  # (B, L, 1)
        return cast(Tensor, self.last(self.dropout(pooled(states, inside, self.options.pooling, self.attention))))
