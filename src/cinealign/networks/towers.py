"""What a tower is: a trainable network for one side, from what one view gives to a vector of the shared space."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from cinealign.registry import Registry
from cinealign.views.base import Origin


class TowerOptions(BaseModel):
    """Settings of a tower as a recipe gives them; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)


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


TOWERS: Registry[Tower] = Registry(
    "tower",
    {
        "bag": "cinealign.networks.intro_bag:BagTower",
        "clip": "cinealign.networks.clip:ClipTower",
        "cnn": "cinealign.networks.poster_cnn:CnnTower",
        "language_model": "cinealign.networks.language_model:LanguageModelTower",
        "pretrained_cnn": "cinealign.networks.pretrained_cnn:PretrainedCnnTower",
        "recurrent": "cinealign.networks.intro_recurrent:RecurrentTower",
    },
)
"""The towers that a recipe can name: one file a tower, one line here."""


def resolve_tower(spec: Mapping[str, Any]) -> dict[str, Any]:
    """`{"tower": name, option: value ...}` with every default spelled out.

    Raises:
        ConfigError: no name, an unknown one, or options that it does not have.
    """
    return TOWERS.resolve(spec)


def build_tower(spec: Mapping[str, Any], dimensions: int, geometry: Mapping[str, Any]) -> Tower:
    """The tower of `spec`, with weights drawn from the global generator."""
    name, options = TOWERS.parts(spec)
    return TOWERS.kind(name)(options, dimensions, geometry)


def tower_width(spec: Mapping[str, Any], dimensions: int, geometry: Mapping[str, Any]) -> int:
    """Numbers of a vector of the tower of `spec`; see `Tower.width`."""
    name, options = TOWERS.parts(spec)
    return TOWERS.kind(name).width(options, dimensions, geometry)


def tower_geometry(
    spec: Mapping[str, Any], rows: Tensor, words: Sequence[str] | None, origin: Origin | None = None
) -> dict[str, Any]:
    """What the tower of `spec` has to know of its train rows; see `Tower.geometry`."""
    name, options = TOWERS.parts(spec)
    return TOWERS.kind(name).geometry(options, rows, words, origin)
