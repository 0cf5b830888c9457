"""What a distance is: a map of each side's vectors to coordinates whose inner product orders the pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from cinealign.distance.options import DistanceOptions
from cinealign.state import State

if TYPE_CHECKING:
    from torch import Tensor

    from cinealign.experts.out_of_fold import TrainVectors

Coordinates = NDArray[np.float32]


class Distance:
    """One way to measure how far a poster's vector lies from an intro's; registered in `DISTANCES`.

    Every distance of a recipe is one inner product: `poster` and `intro` give coordinates for which a higher product is a
    nearer pair, a run saves the coordinates, and `from_products` turns products into distances. So any vector index can
    search a run, whatever its distance.
    """

    Options: ClassVar[type[DistanceOptions]] = DistanceOptions
    fitted: ClassVar[bool] = False
    """Whether it learns from out-of-fold train pairs; without `fit` or `load_state` it then cannot be used."""

    def __init__(self, options: Any) -> None:
        self.options = options

    def fit(self, pairs: TrainVectors, *, seed: int) -> Self:
        """Learn from out-of-fold vectors of train pairs, in the space of the final model."""
        return self

    def poster(self, vectors: Coordinates) -> Coordinates:
        """(N, D) vectors -> (N, C) coordinates of posters."""
        return vectors

    def intro(self, vectors: Coordinates) -> Coordinates:
        """(N, D) vectors -> (N, C) coordinates of intros."""
        return vectors

    def longest(self) -> float:
        """A length that no row of coordinates exceeds, of vectors that are at most 1 long as a model's are."""
        return 1.0

    def from_products(self, products: Tensor) -> Tensor:
        """Distances of inner products of coordinates; never rising, and in place where that is possible."""
        return products.neg_().add_(1.0)

    def block(self, poster: Tensor, intro: Tensor) -> Tensor:
        """Distances of (B, D) vectors of posters and (N, D) of intros, float32: a new (B, N) that may be changed."""
        import torch

        first, second = self.poster(poster.numpy()), self.intro(intro.numpy())
        return self.from_products(torch.from_numpy(first) @ torch.from_numpy(second).T)

    def state(self) -> State:
        """What `fit` has learned."""
        return State()

    def load_state(self, state: State) -> Self:
        """Take over what an equal distance has learned."""
        return self


class Cosine(Distance):
    """`1 - poster @ intro.T`: the cosine distance of rows that are L2-normalised.

    Rows are used as they are. For rows that are not of unit length this is one minus the inner product.
    """

    def block(self, poster: Tensor, intro: Tensor) -> Tensor:
        """Distances of (B, D) posters and (N, D) intros: (B, N) float32, in [0, 2] for unit rows."""
        return (poster @ intro.T).neg_().add_(1.0)


class Dot(Distance):
    """`-poster @ intro.T`: the same order as `cosine`, as rows are used as they are, without the one."""

    def from_products(self, products: Tensor) -> Tensor:
        """Minus the product."""
        return products.neg_()


class Euclidean(Distance):
    """Euclidean length of the difference; another order than `cosine` where rows are not of one length.

    As |p - q|^2 / 2 = |p|^2 / 2 + |q|^2 / 2 - p . q, two more coordinates make it an inner product:
    (p, -|p|^2 / 2, 1) . (q, 1, -|q|^2 / 2) = -|p - q|^2 / 2. A run's vectors are these coordinates, and 1 minus their product
    is 1 + |p - q|^2 / 2: the same order. From products of float32 a distance near 0 is only good to about 5e-4.
    """

    def poster(self, vectors: Coordinates) -> Coordinates:
        """(N, D + 2)."""
        half = (vectors.astype(np.float64) ** 2).sum(axis=1, keepdims=True) / 2
        return np.concatenate([vectors, -half, np.ones_like(half)], axis=1).astype(np.float32)

    def intro(self, vectors: Coordinates) -> Coordinates:
        """(N, D + 2)."""
        half = (vectors.astype(np.float64) ** 2).sum(axis=1, keepdims=True) / 2
        return np.concatenate([vectors, np.ones_like(half), -half], axis=1).astype(np.float32)

    def longest(self) -> float:
        """Of (p, -|p|^2 / 2, 1)."""
        return 1.5

    def from_products(self, products: Tensor) -> Tensor:
        """sqrt(-2 product)."""
        return products.mul_(-2).clamp_(min=0).sqrt_()

    def block(self, poster: Tensor, intro: Tensor) -> Tensor:
        """Straight from the differences: exact near 0."""
        import torch

        return torch.cdist(poster, intro, compute_mode="donot_use_mm_for_euclid_dist")
