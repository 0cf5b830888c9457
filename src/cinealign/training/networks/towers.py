"""What a tower is: a trainable network for one side, from what one view gives to a vector of the shared space."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from cinealign.training.networks.options import TowerOptions
from cinealign.training.networks.registry import TOWERS
from cinealign.views.base import Origin


class Tower(nn.Module, ABC):
    """(B, ...) rows of one view -> (B, D), not normalised. Subclasses set `Options` and are registered in `TOWERS`."""

    Options: ClassVar[type[TowerOptions]] = TowerOptions

    def __init__(self, options: Any, dimensions: int, geometry: Mapping[str, Any]) -> None:
        """Args:
        options: of the tower.
        dimensions: D.
        geometry: what `geometry` gave for the train rows.
        """
        super().__init__()

    @classmethod
    def geometry(cls, options: Any, rows: Tensor, words: Sequence[str] | None, origin: Origin | None) -> dict[str, Any]:
        """What must be known to build the tower, as JSON values: the size of a vocabulary, say.

        Args:
            options: of the tower.
            rows: (N, ...) train rows of its view.
            words: what the numbers in `rows` stand for, where the view has words.
            origin: the network that `rows` are states of, where the view stops inside one.
        Raises:
            ConfigError: the view does not give what this tower reads.
        """
        return {}

    @classmethod
    def width(cls, options: Any, dimensions: int, geometry: Mapping[str, Any]) -> int:
        """Numbers of a vector: `dimensions` as the recipe says, unless the tower keeps the width of its network."""
        return dimensions

    def begin(self, rows: Tensor, words: Sequence[str] | None) -> None:
        """Before training: take statistics of the train rows, load pretrained parts. Not called for a saved tower."""

    def seen(self, rows: Tensor) -> Tensor:
        """(B,) bool: which rows hold anything to judge by."""
        return torch.ones(len(rows), dtype=torch.bool)

    @abstractmethod
    def forward(self, rows: Tensor) -> Tensor:
        """(B, D); in training mode with whatever is random about the tower."""

    def learned(self) -> dict[str, Tensor]:
        """The weights to save; a tower that takes frozen ones from a model's files leaves these out."""
        return self.state_dict()

    def restore(self, weights: Mapping[str, Tensor]) -> None:
        """Take over what an equal tower's `learned` gave."""
        self.load_state_dict(weights)


def build_tower(options: TowerOptions, dimensions: int, geometry: Mapping[str, Any]) -> Tower:
    """The tower of `options`, with weights drawn from the global generator."""
    return TOWERS.kind(options.tower)(options, dimensions, geometry)


def tower_width(options: TowerOptions, dimensions: int, geometry: Mapping[str, Any]) -> int:
    """Numbers of a vector of the tower of `options`; see `Tower.width`."""
    return TOWERS.kind(options.tower).width(options, dimensions, geometry)


def tower_geometry(
    options: TowerOptions, rows: Tensor, words: Sequence[str] | None, origin: Origin | None = None
) -> dict[str, Any]:
    """What the tower of `options` has to know of its train rows; see `Tower.geometry`."""
    return TOWERS.kind(options.tower).geometry(options, rows, words, origin)
