"""Word numbers -> word vectors: random or pretrained, learned or frozen, with word dropout that teaches <unk>."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from cinealign.errors import ConfigError
from cinealign.training.networks.options import EmbeddingOptions
from cinealign.training.networks.towers import Tower
from cinealign.views.base import Origin
from cinealign.views.intro.tokens import PADDING, UNKNOWN
from cinealign.views.intro.word_files import vector_width, word_vectors


class WordEmbedding(nn.Module):
    """(B, L) int64 -> (B, L, E); padding is zero."""

    def __init__(self, options: EmbeddingOptions, geometry: Mapping[str, Any]) -> None:
        super().__init__()
        self.options = options
        self.table = nn.Embedding(geometry["words"], geometry["width"], padding_idx=PADDING)
        nn.init.normal_(self.table.weight, std=geometry["width"] ** -0.5)
        with torch.no_grad():
            self.table.weight[PADDING] = 0
        self.table.weight.requires_grad = not options.frozen

    def load_pretrained(self, words: Sequence[str]) -> None:
        """Put in the vectors of the words that the source knows, scaled to a mean length of 1; the others stay random."""
        if self.options.embeddings == "random":
            return
        found = word_vectors(self.options.embeddings, words[UNKNOWN + 1 :])
        vectors = torch.from_numpy(found.matrix)[torch.from_numpy(found.known)]
        rows = UNKNOWN + 1 + torch.from_numpy(found.known).nonzero()[:, 0]
        if len(vectors):
            with torch.no_grad():
                self.table.weight[rows] = vectors / vectors.norm(dim=1).mean()

    def forward(self, numbers: Tensor) -> Tensor:
        """In training mode some words become <unk>."""
        if self.training and self.options.word_dropout > 0:
            lost = (torch.rand(numbers.shape) < self.options.word_dropout) & (numbers != PADDING)
            numbers = numbers.masked_fill(lost, UNKNOWN)
        return cast(Tensor, self.table(numbers))


def embedding_geometry(options: EmbeddingOptions, rows: Tensor, words: Sequence[str] | None) -> dict[str, Any]:
    """Number of words and width of their vectors.

    Raises:
        ConfigError: the view does not give word numbers, or random vectors are to be frozen.
        ModelError: the source of pretrained vectors cannot be read.
    """
    if words is None or rows.ndim != 2 or rows.dtype != torch.int64:
        raise ConfigError("a tower that reads words needs their numbers; use the view 'tokens' for it")
    if options.embeddings == "random":
        if options.frozen:
            raise ConfigError(
                "frozen: true with embeddings: random learns nothing about words; give wordllama or a file"
            )
        return {"words": len(words), "width": options.width}
    return {"words": len(words), "width": vector_width(options.embeddings)}


class WordTower(Tower):
    """What towers share that read words: an `embedding`, made by the subclass, and how it is prepared."""

    embedding: WordEmbedding

    @classmethod
    def geometry(cls, options: Any, rows: Tensor, words: Sequence[str] | None, origin: Origin | None) -> dict[str, Any]:
        """See `embedding_geometry`."""
        return embedding_geometry(options, rows, words)

    def begin(self, rows: Tensor, words: Sequence[str] | None) -> None:
        """Load pretrained word vectors."""
        assert words is not None
        self.embedding.load_pretrained(words)

    def seen(self, rows: Tensor) -> Tensor:
        """Texts with a word."""
        return (rows != PADDING).any(dim=1)
