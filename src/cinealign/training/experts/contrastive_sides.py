"""One side of a contrastive expert: what turns the features of its views into unit vectors, and what of that learns.

`HeadSide` puts cached features of frozen views side by side and trains a projection head on them; `TowerSide` trains a
whole network (`training.networks.towers`) on what one view gives: pixels, word numbers, feature maps.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Self, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cinealign.errors import ConfigError
from cinealign.experts.base import Inputs, TrainingSet, Vectors, normalised
from cinealign.state import State
from cinealign.training.networks.heads import build_head
from cinealign.training.networks.options import HeadKind, TowerOptions
from cinealign.training.networks.towers import Tower, build_tower, tower_geometry, tower_width
from cinealign.views.base import Extracted, Features

ENCODE_BATCH = 128
"""Rows that a tower encodes at a time."""


class Side(ABC):
    """Order of use: `learn`, `build`, then training calls `vectors`; or `load`. `network` is what learns by gradient."""

    network: nn.Module
    width: int
    """Of the vectors; known after `learn`."""

    @abstractmethod
    def learn(self, features: Mapping[str, Extracted], training: TrainingSet) -> Tensor:
        """Take statistics of this side's train features, those of `training`; returns their rows for `vectors`."""

    @abstractmethod
    def build(self) -> None:
        """Make `network`, its initial weights drawn from the global generator."""

    @abstractmethod
    def rows(self, features: Mapping[str, Features]) -> Tensor:
        """(N, ...) what `vectors` takes, row i of item i."""

    def vectors(self, rows: Tensor) -> Tensor:
        """(B, ...) rows -> (B, width) of length 1."""
        return F.normalize(self.network(rows), dim=1)

    @abstractmethod
    def seen(self, rows: Tensor) -> Tensor:
        """(N,) bool: which rows hold anything to judge by; needs `build` or `load` first."""

    @abstractmethod
    def encode(self, rows: Tensor) -> Vectors:
        """(N, width) without gradients; zero where the side saw nothing."""

    @abstractmethod
    def state(self, prefix: str) -> State:
        """Everything learned under names that begin with `prefix`."""

    @abstractmethod
    def load(self, state: State, prefix: str) -> Self:
        """The counterpart of `state`."""


class HeadSide(Side):
    """A projection head on the features of some views, centred, scaled and concatenated."""

    def __init__(self, names: list[str], head: HeadKind, dimensions: int, hidden: int, dropout: float) -> None:
        self.names, self.head, self.dimensions, self.hidden, self.dropout = names, head, dimensions, hidden, dropout

    def learn(self, features: Mapping[str, Extracted], training: TrainingSet) -> Tensor:
        """Means and scales of the train features."""
        self._inputs = Inputs.fit(self.names, features)
        rows = self.rows({name: np.asarray(values) for name, values in features.items()})
        self._set_width(rows.shape[1])
        return rows

    def build(self) -> None:
        """A fresh head."""
        self.network = build_head(self.head, self._features, self.dimensions, self.hidden, self.dropout)

    def rows(self, features: Mapping[str, Features]) -> Tensor:
        """(N, sum of F) float32."""
        rows = self._inputs(features)
        # A residual head starts as the zero-shot cosine, which looks at directions; other heads get to see lengths.
        return torch.from_numpy(normalised(rows) if self.head == "residual" else rows)

    def encode(self, rows: Tensor) -> Vectors:
        """(N, width); zero where no view saw anything."""
        with torch.inference_mode():
            vectors: Vectors = self.vectors(rows.to(_device_of(self.network))).cpu().numpy()
        vectors[~self.seen(rows).numpy()] = 0
        return vectors

    def seen(self, rows: Tensor) -> Tensor:
        """Rows with any feature."""
        return (rows != 0).any(dim=1)

    def state(self, prefix: str) -> State:
        """Means, scales and the head's weights."""
        inputs = self._inputs.state(prefix)
        weights = _named(self.network.state_dict(), f"{prefix}.head.")
        return State({**inputs.arrays, **weights}, inputs.values)

    def load(self, state: State, prefix: str) -> Self:
        """Take over means, scales and weights."""
        self._inputs = Inputs.from_state(self.names, state, prefix)
        self._set_width(sum(len(centre.mean) for centre in self._inputs.centring))
        self.build()
        self.network.load_state_dict(_weights(state, f"{prefix}.head."))
        self.network.eval()
        return self

    def _set_width(self, features: int) -> None:
        self._features = features
        self.width = features if self.head == "residual" else self.dimensions


class TowerSide(Side):
    """A tower on what one view gives; with `owner`, the very tower of that other side."""

    def __init__(self, name: str, options: TowerOptions, dimensions: int, owner: TowerSide | None = None) -> None:
        self.name, self.options, self.dimensions, self._owner = name, options, dimensions, owner

    def learn(self, features: Mapping[str, Extracted], training: TrainingSet) -> Tensor:
        """What the tower has to know of its input before it can be built; the rows are kept until `build`."""
        self._train_rows = self.rows({self.name: np.asarray(features[self.name])})
        self._words = training.words.get(self.name)
        origin = training.origins.get(self.name)
        self._set_geometry(tower_geometry(self.options, self._train_rows, self._words, origin))
        if self._owner is not None and (self._owner._geometry, self._owner._words) != (self._geometry, self._words):
            raise ConfigError(
                f"contrastive: shared: true needs views that give the same, and {self.name!r} differs from "
                f"{self._owner.name!r}; take one model for both (tokens have a vocabulary each)"
            )
        return self._train_rows

    def build(self) -> None:
        """A fresh tower, with its pretrained parts and the statistics of its train rows; the owner's where there is one."""
        if self._owner is None:
            tower = build_tower(self.options, self.dimensions, self._geometry)
            tower.begin(self._train_rows, self._words)
            self.network = tower
        else:
            self.network = self._owner.network
        del self._train_rows

    def rows(self, features: Mapping[str, Features]) -> Tensor:
        """The view's array as a tensor, of its own type."""
        return torch.from_numpy(np.ascontiguousarray(features[self.name]))

    def seen(self, rows: Tensor) -> Tensor:
        """What the tower says."""
        return cast(Tower, self.network).seen(rows)

    def encode(self, rows: Tensor) -> Vectors:
        """(N, width) in batches of `ENCODE_BATCH`; zero where the tower says that there is nothing to see."""
        tower = cast(Tower, self.network)
        parts = [np.zeros((0, self.width), dtype=np.float32)]
        here = _device_of(self.network)
        with torch.inference_mode(), here:
            for batch in torch.split(rows.to(here), ENCODE_BATCH) if len(rows) else ():
                parts.append((self.vectors(batch) * tower.seen(batch)[:, None]).cpu().numpy())
        return np.concatenate(parts)

    def state(self, prefix: str) -> State:
        """The tower's geometry and weights; these are with its owner where there is one."""
        weights = {} if self._owner is not None else cast(Tower, self.network).learned()
        return State(_named(weights, f"{prefix}.tower."), {f"{prefix}.geometry": self._geometry})

    def load(self, state: State, prefix: str) -> Self:
        """Take over geometry and weights; the owner, where there is one, has loaded before."""
        self._set_geometry(state.values[f"{prefix}.geometry"])
        if self._owner is not None:
            self.network = self._owner.network
            return self
        tower = build_tower(self.options, self.dimensions, self._geometry)
        tower.restore(_weights(state, f"{prefix}.tower."))
        self.network = tower.eval()
        return self

    def _set_geometry(self, geometry: dict[str, Any]) -> None:
        self._geometry = geometry
        self.width = tower_width(self.options, self.dimensions, geometry)


def _device_of(network: nn.Module) -> torch.device:
    """Where the weights of `network` are: in training on the device of the process, else on the processor."""
    return next((weight.device for weight in network.parameters()), torch.device("cpu"))


def _named(weights: Mapping[str, Tensor], prefix: str) -> dict[str, Any]:
    return {f"{prefix}{name}": weight.numpy() for name, weight in weights.items()}


def _weights(state: State, prefix: str) -> dict[str, Tensor]:
    """The counterpart of `_named`."""
    return {
        name.removeprefix(prefix): torch.from_numpy(array.copy())
        for name, array in state.arrays.items()
        if name.startswith(prefix)
    }
