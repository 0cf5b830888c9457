"""The letters of a text: a weighted bag of character n-grams, and the table of their rows that both towers share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cinealign.experts.ngram_counts import NgramCounts


@dataclass(frozen=True)
class Bags:
    """N bags in the form of `torch.nn.EmbeddingBag`; bag i holds entries offsets[i] to offsets[i + 1].

    Attributes:
        ngrams: (M,) int64 row numbers of the table.
        weights: (M,) float32; the squares of a bag's weights add up to 1, or there are none.
        offsets: (N + 1,) int64, from 0 to M.
    """

    ngrams: Tensor
    weights: Tensor
    offsets: Tensor

    def take(self, rows: Tensor) -> Bags:
        """The bags `rows` (B,), in that order."""
        first, lengths = self.offsets[rows], self.offsets[rows + 1] - self.offsets[rows]
        offsets = F.pad(lengths.cumsum(0), (1, 0))
        places = torch.arange(int(offsets[-1])) + torch.repeat_interleave(first - offsets[:-1], lengths)
        return Bags(self.ngrams[places], self.weights[places], offsets)

    def there(self) -> Tensor:
        """(N,) float32, 1 where a bag holds anything."""
        return (self.offsets.diff() > 0).float()


class NgramTable(nn.Module):
    """The sum of a bag's rows by weight: `Bags` of N texts -> (N, K).

    In training n-grams drop out of the bags, as OCR breaks them, so that no row learns to stand for one movie.
    """

    def __init__(self, ngrams: int, dimensions: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.rows = nn.Parameter(torch.zeros(ngrams, dimensions))

    def forward(self, bags: Bags) -> Tensor:
        """(N, K); zero for an empty bag."""
        if not len(self.rows):
            return self.rows.new_zeros(len(bags.offsets) - 1, self.rows.shape[1])
        return F.embedding_bag(
            bags.ngrams,
            self.rows,
            bags.offsets,
            mode="sum",
            per_sample_weights=self.dropout(bags.weights),
            include_last_offset=True,
        )


class NgramWeights(NgramCounts):
    """`NgramCounts` as bags for the table."""

    def bags(self, texts: Sequence[str]) -> Bags:
        """The bags of these texts."""
        ngrams, weights, offsets = self.weighted(texts)
        return Bags(torch.from_numpy(ngrams), torch.from_numpy(weights), torch.from_numpy(offsets))
