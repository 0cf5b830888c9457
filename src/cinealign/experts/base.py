"""What an expert is: a fitted pair of maps, poster -> vector and intro -> vector, into one shared space."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from cinealign.errors import ConfigError
from cinealign.registry import PartOptions
from cinealign.state import State
from cinealign.views.base import Extracted, Features, Origin, take

Vectors = NDArray[np.float32]
"""(N, D) float32; rows have length 1, or 0 where the expert saw nothing to judge by."""


@dataclass(frozen=True)
class TeacherVectors:
    """Train pairs as another expert sees them; each row was encoded by a copy of it that was fitted without that row."""

    poster: Vectors
    intro: Vectors
    fold: NDArray[np.int64]
    """(N,) which copy encoded the row; copies have spaces of their own."""

    def take(self, rows: NDArray[np.int64]) -> TeacherVectors:
        """Of the movies `rows`, in that order."""
        return TeacherVectors(self.poster[rows], self.intro[rows], self.fold[rows])


@dataclass(frozen=True)
class TrainingSet:
    """The train rows of views, paired: entry i of every view, on both sides, belongs to train movie i.

    The type is the guard against learning from held-out movies: `fit` takes a TrainingSet, and only the pipeline makes one,
    from the train rows. Values are extracted items before the views are fitted and features after.
    """

    poster: Mapping[str, Extracted]
    intro: Mapping[str, Extracted]
    size: int
    words: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The words that the numbers of a view stand for, by the view's name, for fitted views that have a vocabulary."""
    origins: Mapping[str, Origin] = field(default_factory=dict)
    """Where a view's states come from, by the view's name, for views that stop inside a network."""
    labels: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    """Name -> (size, G) zeros and ones: what is known of the train movies besides, such as their genres."""
    teachers: Mapping[int, TeacherVectors] = field(default_factory=dict)
    """Position of an expert in the recipe -> what it says of these pairs, for experts that learn from it."""

    def take(self, rows: NDArray[np.int64]) -> TrainingSet:
        """The movies `rows` (numbers within this set), in that order: the train part of a fold, say."""
        return TrainingSet(
            {name: take(values, rows) for name, values in self.poster.items()},
            {name: take(values, rows) for name, values in self.intro.items()},
            len(rows),
            self.words,
            self.origins,
            {name: values[rows] for name, values in self.labels.items()},
            {position: teacher.take(rows) for position, teacher in self.teachers.items()},
        )


class ExpertOptions(PartOptions):
    """Settings every expert has; unknown keys are refused."""

    expert: str = Field("", description="its kind")
    poster: list[str] = Field(min_length=1, description="poster views it reads")
    intro: list[str] = Field(min_length=1, description="intro views it reads")
    weight: float | None = Field(
        None, ge=0, le=1_000_000, description="fixed weight; learned from out-of-fold scores where absent"
    )

    def teachers(self) -> list[int]:
        """Positions in the recipe's align of the experts that this one learns from; they must be listed earlier."""
        return []

    @field_validator("poster", "intro", mode="before")
    @classmethod
    def _one_name_is_a_list(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value


class OneViewOptions(ExpertOptions):
    """Settings of an expert that compares one view of each side."""

    @field_validator("poster", "intro")
    @classmethod
    def _one_view(cls, names: list[str]) -> list[str]:
        if len(names) != 1:
            raise ValueError(f"this expert compares one view of each side, got {len(names)}; use one expert a pair")
        return names


class Expert(ABC):
    """A pair of maps into one space, fitted on train pairs only; registered in `experts.registry`."""

    Options: ClassVar[type[ExpertOptions]] = ExpertOptions
    one_space: ClassVar[bool] = False
    """Do copies fitted on different train pairs encode into the same space, coordinate by coordinate?"""

    def __init__(self, options: ExpertOptions) -> None:
        self.options = options
        self.history: list[dict[str, Any]] = []
        """One entry an epoch for experts that train in epochs; empty for closed forms."""

    @abstractmethod
    def fit(self, training: TrainingSet, *, seed: int) -> Self:
        """Learn both maps from paired train features.

        Args:
            training: features of the train movies.
            seed: of initial weights, batches and dropout; closed forms ignore it.
        """

    def validate(self, training: TrainingSet, *, seed: int) -> list[dict[str, Any]]:
        """History of a training that leaves an inner fold out and is judged on it, for the curve; the expert stays as it is.

        None where nothing is trained in epochs, or `fit` has such a curve already.
        """
        return []

    @abstractmethod
    def encode_poster(self, features: Mapping[str, Features]) -> Vectors:
        """(N, D) vectors of posters from their views' features; needs `fit` or `load_state` first."""

    @abstractmethod
    def encode_intro(self, features: Mapping[str, Features]) -> Vectors:
        """(N, D) vectors of intros from their views' features; needs `fit` or `load_state` first."""

    @abstractmethod
    def state(self) -> State:
        """What was learned, for saving without pickle."""

    @abstractmethod
    def load_state(self, state: State) -> Self:
        """Take over what an equal expert has learned."""


def feature_rows(features: Mapping[str, Extracted], name: str) -> NDArray[np.float32]:
    """(N, F) features of view `name`, for whoever calculates with them.

    Raises:
        ConfigError: the view gives something else (pixels, maps, states, word numbers, texts), which only a tower or a
            kind of expert made for it can read.
    """
    given = features[name]
    rows = given if isinstance(given, np.ndarray) else np.zeros(0)
    if rows.ndim != 2 or rows.dtype.kind != "f":
        texts = not isinstance(given, np.ndarray) or given.dtype.kind in "OU"
        what = "texts" if texts else f"{rows.shape} of {rows.dtype}"
        raise ConfigError(
            f"view {name!r} gives {what}, no features (N, F); give it a tower that reads it, or another view"
        )
    return rows.astype(np.float32, copy=False)


def normalised(rows: NDArray[Any]) -> Vectors:
    """Rows scaled to length 1 (float32); a row of zeros stays zero, as it says that nothing was seen."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: Vectors = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 1e-12).astype(np.float32)
    return scaled


def seen(rows: NDArray[Any]) -> NDArray[np.bool_]:
    """(N,) which rows hold anything; a view gives a row of zeros for an item on which it saw nothing."""
    present: NDArray[np.bool_] = np.any(rows != 0, axis=1)
    return present


class Centring:
    """Subtracts the train mean of the rows that hold something; rows of zeros stay zero (the average, so no judgement).

    Raw embeddings of one model point roughly the same way, which makes hubs; the mean is that common way.
    """

    def __init__(self, mean: NDArray[np.float32]) -> None:
        self.mean = mean

    @classmethod
    def fit(cls, rows: Features) -> Centring:
        """From train rows (N, F)."""
        present = rows[seen(rows)]
        mean = present.mean(axis=0) if len(present) else np.zeros(rows.shape[1])
        return cls(mean.astype(np.float32))

    def __call__(self, rows: Features) -> NDArray[np.float32]:
        """(N, F) float32."""
        centred = np.where(seen(rows)[:, None], rows - self.mean, 0.0)
        return centred.astype(np.float32)


class Inputs:
    """Several views of one side put side by side: each centred and scaled to equal total variance on the train rows."""

    def __init__(self, names: Sequence[str], centring: list[Centring], scales: list[float]) -> None:
        self.names, self.centring, self.scales = list(names), centring, scales

    @classmethod
    def fit(cls, names: Sequence[str], features: Mapping[str, Extracted]) -> Inputs:
        """From train features of the named views."""
        centring, scales = [], []
        for name in names:
            rows = feature_rows(features, name)
            centre = Centring.fit(rows)
            spread = float(np.sqrt((centre(rows).astype(np.float64) ** 2).sum(axis=1).mean()))
            centring.append(centre)
            scales.append(1.0 / spread if spread > 0 else 0.0)
        return cls(names, centring, scales)

    def __call__(self, features: Mapping[str, Features]) -> NDArray[np.float32]:
        """(N, sum of F) float32."""
        blocks = [
            centre(features[name]) * np.float32(scale)
            for name, centre, scale in zip(self.names, self.centring, self.scales, strict=True)
        ]
        return np.concatenate(blocks, axis=1)

    def state(self, prefix: str) -> State:
        """Means and scales under names that begin with `prefix`."""
        arrays = {f"{prefix}.mean.{i}": centre.mean for i, centre in enumerate(self.centring)}
        return State(arrays, {f"{prefix}.scales": self.scales})

    @classmethod
    def from_state(cls, names: Sequence[str], state: State, prefix: str) -> Inputs:
        """The counterpart of `state`."""
        centring = [Centring(state.arrays[f"{prefix}.mean.{i}"]) for i in range(len(names))]
        return cls(names, centring, list(state.values[f"{prefix}.scales"]))
