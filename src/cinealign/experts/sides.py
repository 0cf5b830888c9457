"""One side of a contrastive expert: what turns the features of its views into unit vectors, and what of that learns.

`HeadSide` puts cached features of frozen views side by side and trains a projection head on them; `TowerSide` trains a
whole network (`networks.towers`) on what one view gives: pixels, word numbers, feature maps.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Self, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cinealign.experts.base import Inputs, Vectors, normalised, seen
from cinealign.networks.heads import HeadKind, build_head
from cinealign.networks.towers import Tower, build_tower, tower_geometry
from cinealign.state import State
from cinealign.views.base import Extracted, Features

ENCODE_BATCH = 128
"""Rows that a tower encodes at a time."""

Words = Mapping[str, Sequence[str]]
"""The words that a view's numbers stand for, by the view's name."""


class Side(ABC):
    """Order of use: `learn`, `build`, then training calls `vectors`; or `load`. `network` is what learns by gradient."""

    network: nn.Module
    width: int
    """Of the vectors; known after `learn`."""

    @abstractmethod
    def learn(self, features: Mapping[str, Extracted], words: Words) -> Tensor:
        """Take statistics of the train features; returns their rows for `vectors`."""

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

    def learn(self, features: Mapping[str, Extracted], words: Words) -> Tensor:
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
            vectors: Vectors = self.vectors(rows).numpy()
        return vectors * seen(rows.numpy())[:, None]

    def state(self, prefix: str) -> State:
        """Means, scales and the head's weights."""
        inputs = self._inputs.state(prefix)
        weights = _weights(self.network, f"{prefix}.head.")
        return State({**inputs.arrays, **weights}, inputs.values)

    def load(self, state: State, prefix: str) -> Self:
        """Take over means, scales and weights."""
        self._inputs = Inputs.from_state(self.names, state, prefix)
        self._set_width(sum(len(centre.mean) for centre in self._inputs.centring))
        self.build()
        _load_weights(self.network, state, f"{prefix}.head.")
        return self

    def _set_width(self, features: int) -> None:
        self._features = features
        self.width = features if self.head == "residual" else self.dimensions


class TowerSide(Side):
    """A tower on what one view gives."""

    def __init__(self, name: str, spec: Mapping[str, Any], dimensions: int) -> None:
        self.name, self.spec, self.width = name, spec, dimensions

    def learn(self, features: Mapping[str, Extracted], words: Words) -> Tensor:
        """What the tower has to know of its input before it can be built; the rows are kept until `build`."""
        self._train_rows = self.rows({self.name: np.asarray(features[self.name])})
        self._words = words.get(self.name)
        self._geometry = tower_geometry(self.spec, self._train_rows, self._words)
        return self._train_rows

    def build(self) -> None:
        """A fresh tower, with its pretrained parts and the statistics of its train rows."""
        tower = build_tower(self.spec, self.width, self._geometry)
        tower.begin(self._train_rows, self._words)
        self.network = tower
        del self._train_rows

    def rows(self, features: Mapping[str, Features]) -> Tensor:
        """The view's array as a tensor, of its own type."""
        return torch.from_numpy(np.ascontiguousarray(features[self.name]))

    def encode(self, rows: Tensor) -> Vectors:
        """(N, width) in batches of `ENCODE_BATCH`; zero where the tower says that there is nothing to see."""
        tower = cast(Tower, self.network)
        parts = [np.zeros((0, self.width), dtype=np.float32)]
        with torch.inference_mode():
            for batch in torch.split(rows, ENCODE_BATCH) if len(rows) else ():
                parts.append((self.vectors(batch) * tower.seen(batch)[:, None]).numpy())
        return np.concatenate(parts)

    def state(self, prefix: str) -> State:
        """The tower's geometry and weights."""
        return State(_weights(self.network, f"{prefix}.tower."), {f"{prefix}.geometry": self._geometry})

    def load(self, state: State, prefix: str) -> Self:
        """Take over geometry and weights."""
        self._geometry = state.values[f"{prefix}.geometry"]
        self.network = build_tower(self.spec, self.width, self._geometry)
        _load_weights(self.network, state, f"{prefix}.tower.")
        return self


def _weights(network: nn.Module, prefix: str) -> dict[str, Any]:
    return {f"{prefix}{name}": weight.numpy() for name, weight in network.state_dict().items()}


def _load_weights(network: nn.Module, state: State, prefix: str) -> None:
    network.load_state_dict(
        {
            name.removeprefix(prefix): torch.from_numpy(array.copy())
            for name, array in state.arrays.items()
            if name.startswith(prefix)
        }
    )
    network.eval()
