"""Auxiliary classification: genres of train movies, predicted from both sides by one linear map."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from cinealign.errors import ConfigError
from cinealign.training.losses.base import Batch, Known, Loss
from cinealign.training.losses.options import GenreOptions


class Genre(Loss):
    """loss = (BCE(P W + b, Y) + BCE(Q W + b, Y)) / 2, mean over movies and genres; W, b are learned and shared.

    Y holds the genres of train movies only, 0 or 1 (in between with mixup); nothing else ever has labels. One classifier
    for both sides pulls posters and intros of a genre to one place. W = b = 0 at the start, where it is log 2.

    Source: multi-task learning, Caruana 1997; binary cross entropy a genre, as a movie has several.
    """

    Options = GenreOptions

    def __init__(self, options: GenreOptions) -> None:
        super().__init__(options)
        self.options = options
        self.classifier: nn.Linear | None = None

    def prepare(self, known: Known) -> None:
        """Make the classifier. Raises ConfigError where the train movies have no such labels."""
        name = self.options.labels
        if name not in known.labels or known.labels[name].shape[1] == 0:
            there = ", ".join(sorted(known.labels)) or "none"
            raise ConfigError(f"genre: the train items have no labels {name!r}; there are: {there}")
        self.classifier = nn.Linear(known.dimensions, known.labels[name].shape[1])
        nn.init.zeros_(self.classifier.weight)
        nn.init.zeros_(self.classifier.bias)

    def forward(self, batch: Batch) -> Tensor:
        """Mean over movies, genres and sides."""
        assert self.classifier is not None, "prepare comes first"
        labels = batch.labels[self.options.labels].to(batch.poster.dtype)
        sides = [
            F.binary_cross_entropy_with_logits(self.classifier(side), labels) for side in (batch.poster, batch.intro)
        ]
        return (sides[0] + sides[1]) / 2
