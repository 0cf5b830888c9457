"""A pretrained CNN whose last stage is trained on; the stages below are frozen and have run once, in a view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from cinealign.errors import ConfigError
from cinealign.training.networks.options import PretrainedCnnOptions
from cinealign.training.networks.towers import Tower
from cinealign.views.base import Origin
from cinealign.views.poster.appearance import EARLIER, POOLED, load_network


class PretrainedCnnTower(Tower):
    """(B, 208, h, w) maps of `appearance_map` -> (B, D): EfficientNet-lite2's last stage, mean, dropout, linear."""

    Options = PretrainedCnnOptions

    def __init__(self, options: PretrainedCnnOptions, dimensions: int, geometry: Mapping[str, Any]) -> None:
        super().__init__(options, dimensions, geometry)
        self.options = options
        network = cast(Any, load_network())
        self.block, self.head, self.activation = network._blocks[-1], network._conv_head, network._swish
        for weight in (*self.block.parameters(), *self.head.parameters()):
            weight.requires_grad = True
        self.norm = nn.LayerNorm(POOLED)
        self.last = nn.Sequential(nn.Dropout(options.dropout), nn.Linear(POOLED, dimensions))

    @classmethod
    def geometry(cls, options: Any, rows: Tensor, words: Sequence[str] | None, origin: Origin | None) -> dict[str, Any]:
        """Nothing; checks that the view gives maps."""
        if rows.ndim != 4 or rows.shape[1] != EARLIER:
            raise ConfigError(
                f"tower pretrained_cnn reads maps (N, {EARLIER}, height, width), got {tuple(rows.shape)}; "
                "use the view 'appearance_map'"
            )
        return {}

    def forward(self, rows: Tensor) -> Tensor:
        """Not normalised; the expert does that."""
        maps = rows.float()
        if self.training and self.options.flip > 0:
            mirrored = (torch.rand(len(maps)) < self.options.flip)[:, None, None, None]
            maps = torch.where(mirrored, maps.flip(3), maps)
        return cast(Tensor, self.last(self.norm(self.pooled(maps))))

    def pooled(self, maps: Tensor) -> Tensor:
        """(B, 1280): before training what the view `appearance` gives, up to rounding."""
        return cast(Tensor, self.activation(self.head(self.block(maps))).mean(dim=(2, 3)))
