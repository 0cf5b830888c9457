"""A language model whose last layers are trained on; the layers below are frozen and have run once, in a view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from cinealign.training.networks.last_layers import LastLayersTower, known_origin
from cinealign.training.networks.options import LastLayersOptions
from cinealign.views.base import Origin
from cinealign.views.intro.language_model_states import load_upper_half, present, upper_inputs

TOGETHER = 16
"""Texts that are read together."""


class LanguageModelTower(LastLayersTower):
    """(B, L, H) states of `language_model_states` -> (B, D): the last layers, the model's pooling, a projection.

    It reads intros, and through the view `lettering` the words on posters. Without a projection it starts as the frozen
    model, and with `shared: true` both sides stay in one language.

    Source: Reimers and Gurevych, Sentence-BERT, arXiv 1908.10084 (fine-tuning of a sentence encoder by pairs).
    """

    Options = LastLayersOptions

    def __init__(self, options: LastLayersOptions, dimensions: int, geometry: Mapping[str, Any]) -> None:
        super().__init__(options, dimensions, geometry)
        self.options = options
        self.top, pooling, self.space = load_upper_half(geometry["model"], geometry["hub"], geometry["layers"])
        self.pooling = nn.ModuleList(pooling)
        for weight in self.pooling.parameters():
            weight.requires_grad = False
        self.train_layers(self.top.layers, self.space, dimensions)

    @classmethod
    def geometry(cls, options: Any, rows: Tensor, words: Sequence[str] | None, origin: Origin | None) -> dict[str, Any]:
        """The model, its cut, and the width of its embeddings.

        Raises:
            ConfigError: the rows are no states of a language model.
            ModelError: the weights are missing or other ones.
        """
        known = known_origin("language_model", {"language_model_states": 3}, rows, origin)
        return {**known, "width": load_upper_half(known["model"], known["hub"], known["layers"])[2]}

    def seen(self, rows: Tensor) -> Tensor:
        """Texts that hold a token: not posters without lettering."""
        return present(rows).any(dim=1)

    def forward(self, rows: Tensor) -> Tensor:
        """Not normalised; the expert does that."""
        return cast(Tensor, self.last(self.embeddings(rows)))

    def embeddings(self, rows: Tensor) -> Tensor:
        """(B, width): before training what the view `language_model` gives, up to rounding and length."""
        mask = present(rows)
        mask[:, 0] = True  # a poster without lettering is read as one empty token; attention needs something to look at
        order = mask.sum(dim=1).argsort()
        # Texts of like length together: the longest would make all others as long.
        parts = [self._read(rows[part], mask[part]) for part in torch.split(order, TOGETHER)]
        found = torch.cat([rows.new_zeros(0, self.space, dtype=torch.float32), *parts])
        return found[order.argsort()]

    def _read(self, rows: Tensor, mask: Tensor) -> Tensor:
        longest = int(mask.sum(dim=1).max())
        states, attention = rows[:, :longest].float(), mask[:, :longest].long()
        found = self.top(states, **upper_inputs(states, attention)).last_hidden_state
        features: dict[str, Any] = {"token_embeddings": found, "attention_mask": attention}
        for part in self.pooling:
            features = part(features)
        return cast(Tensor, features["sentence_embedding"])
