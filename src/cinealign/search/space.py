"""From a model's vectors to the compact unit vectors of an index, and what is lost on the way.

The vectors of a network are unit length and at most 1,024 wide: they are taken as they are. Those of fused closed forms are
blocks of several experts, thousands of numbers wide; each block is projected onto the directions that matter for products
of posters with intros, and the blocks stay side by side, so that the share of each part in a score remains a product of two
short pieces. Rows that are not of unit length get one more coordinate that makes them so: a product with a query, which has
a zero there, stays what it was up to one factor a side, and any index of unit vectors can search them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cinealign.errors import ModelError
from cinealign.experts.base import Vectors
from cinealign.search.engines import Rows
from cinealign.search.folder import SIDES, Side
from cinealign.state import State

WIDEST = 768
"""Numbers a vector that an index keeps unless told otherwise."""
UNIT = 1e-3
"""Deviation from length 1 up to which rows count as unit rows."""
ROOM = 1.25
"""How much longer than the longest row so far a new one may be before all rows are scaled again."""
MOST_ROWS = 4096
"""Train rows that a projection is fitted on."""


@dataclass(frozen=True)
class Block:
    """One part of the model: its numbers in the model's vectors and in those of the index."""

    name: str
    start: int
    stop: int
    at: int = 0
    to: int = 0


@dataclass(frozen=True)
class Space:
    """The map from the model's vectors to those of an index.

    Attributes:
        blocks: the parts, side by side.
        maps: side -> a map for each block, (D_b, W_b); None for a block that is kept as it is.
        lengths: side -> the length that counts as 1 in stored rows.
        extra: whether stored rows have the coordinate that makes them unit length.
        means: side -> (W,) the mean stored row without the extra coordinate, in the model's scale.
    """

    blocks: tuple[Block, ...]
    maps: dict[Side, list[Vectors | None]]
    lengths: dict[Side, float]
    extra: bool
    means: dict[Side, NDArray[np.float32]]

    @property
    def width(self) -> int:
        """Numbers a vector in the compact space."""
        return self.blocks[-1].to

    @property
    def stored_width(self) -> int:
        """Numbers a stored row."""
        return self.width + self.extra

    @property
    def model_width(self) -> int:
        """Numbers of the model's vectors."""
        return max(block.stop for block in self.blocks)

    def compact(self, side: Side, vectors: Vectors) -> Rows:
        """(N, D) vectors of the model -> (N, W) of the compact space, in the model's scale: what a query is."""
        if vectors.ndim != 2 or vectors.shape[1] < self.model_width:
            raise ModelError(
                f"the model gives vectors {vectors.shape}, the index was made of {self.model_width} numbers"
            )
        rows = np.zeros((len(vectors), self.width), dtype=np.float32)
        for block, along in zip(self.blocks, self.maps[side], strict=True):
            given = vectors[:, block.start : block.stop]
            rows[:, block.at : block.to] = given if along is None else given @ along
        return rows

    def stored(self, side: Side, compact: Rows) -> Rows:
        """(N, W) compact rows -> (N, stored width) unit rows; none may be longer than `lengths`."""
        if not self.extra:
            return compact
        scaled = compact / np.float32(self.lengths[side])
        rest = np.sqrt(np.maximum(0.0, 1.0 - (scaled.astype(np.float64) ** 2).sum(axis=1)))
        return np.concatenate([scaled, rest[:, None].astype(np.float32)], axis=1)

    def unstored(self, side: Side, stored: Rows) -> Rows:
        """The counterpart of `stored`."""
        return stored[:, : self.width] * np.float32(self.lengths[side])

    def as_query(self, compact: Rows, target: Side) -> Rows:
        """(Q, W) -> (Q, stored width): times a stored row of `target` this is the product in the model's scale."""
        scaled = compact * np.float32(self.lengths[target])
        return np.concatenate([scaled, np.zeros((len(scaled), 1), np.float32)], axis=1) if self.extra else scaled

    def shares(self, first: Rows, second: Rows) -> NDArray[np.float32]:
        """(N, parts) what each part adds to the products of compact rows, row by row; a row sums up to the product."""
        parts = [np.einsum("nd,nd->n", first[:, b.at : b.to], second[:, b.at : b.to]) for b in self.blocks]
        return np.stack(parts, axis=1)

    def longer(self, side: Side, length: float) -> Space:
        """The space in which rows of `side` may be `length` long."""
        return replace(self, lengths={**self.lengths, side: length * ROOM}, extra=True)

    def save(self, path: Path) -> None:
        """Write as safetensors."""
        arrays = {f"mean.{side}": self.means[side] for side in SIDES}
        for side in SIDES:
            arrays |= {f"map.{side}.{b}": along for b, along in enumerate(self.maps[side]) if along is not None}
        blocks = [[block.name, block.start, block.stop, block.at, block.to] for block in self.blocks]
        values = {"blocks": blocks, "lengths": self.lengths, "extra": self.extra}
        State(arrays, values).save(path)

    @classmethod
    def load(cls, path: Path) -> Space:
        """Read what `save` wrote. Raises ModelError where it is missing or damaged."""
        state = State.load(path)
        try:
            blocks = tuple(Block(*given) for given in state.values["blocks"])
            maps = {side: [state.arrays.get(f"map.{side}.{b}") for b in range(len(blocks))] for side in SIDES}
            means = {side: state.arrays[f"mean.{side}"] for side in SIDES}
            return cls(blocks, maps, state.values["lengths"], state.values["extra"], means)
        except (KeyError, TypeError) as error:
            raise ModelError(f"{path} is damaged ({error}); make the index again") from None


def fit_space(
    blocks: Sequence[Block], train: dict[Side, Vectors], every: dict[Side, Vectors], *, widest: int = WIDEST
) -> Space:
    """The space of an index.

    Args:
        blocks: the parts of the model's vectors that the index keeps.
        train: side -> (T, D) vectors of the train rows: where a projection is needed it is fitted on them alone.
        every: side -> (N, D) vectors of all rows, for their lengths and means.
        widest: numbers a vector at most; 0 keeps all.
    """
    width = sum(block.stop - block.start for block in blocks)
    placed = _placed(blocks)
    maps: dict[Side, list[Vectors | None]] = {side: [None] * len(blocks) for side in SIDES}
    if widest and width > widest:
        placed, maps = _projected(blocks, train, widest)
    plain = Space(placed, maps, dict.fromkeys(SIDES, 1.0), False, {side: np.zeros(0, np.float32) for side in SIDES})
    compact = {side: plain.compact(side, every[side]) for side in SIDES}
    norms = {side: np.linalg.norm(rows, axis=1) for side, rows in compact.items()}
    unit = all(np.all(np.abs(lengths - 1) < UNIT) for lengths in norms.values())
    means = {side: rows.mean(axis=0).astype(np.float32) for side, rows in compact.items()}
    lengths = {side: 1.0 if unit else float(longest.max(initial=0.0) * ROOM) or 1.0 for side, longest in norms.items()}
    return Space(placed, maps, lengths, not unit, means)


def _placed(blocks: Sequence[Block], widths: Sequence[int] | None = None) -> tuple[Block, ...]:
    placed, at = [], 0
    for number, block in enumerate(blocks):
        to = at + (block.stop - block.start if widths is None else widths[number])
        placed.append(Block(block.name, block.start, block.stop, at, to))
        at = to
    return tuple(placed)


def _projected(
    blocks: Sequence[Block], train: dict[Side, Vectors], widest: int
) -> tuple[tuple[Block, ...], dict[Side, list[Vectors | None]]]:
    """Maps of each block onto the directions whose products vary most between posters and intros.

    The singular vectors of the products of train posters with train intros, P Q' = U S V', give the maps p -> p Q' V S^-1/2
    and q -> q P' U S^-1/2, whose products are the nearest of that rank to p . q (balanced truncation). The singular values of
    all blocks compete for the numbers there are.

    Source: Moore 1981 (balanced truncation), with the moments of both sides in place of Gramians.
    """
    rows = np.linspace(0, len(train["poster"]) - 1, min(MOST_ROWS, len(train["poster"]))).astype(np.int64)
    solved = []
    for block in blocks:
        poster, intro = (train[side][rows, block.start : block.stop].astype(np.float64) for side in SIDES)
        solved.append(_balanced(poster, intro, min(widest, len(rows), block.stop - block.start)))
    strengths = np.sort(np.concatenate([values for _, _, values in solved]))[::-1]
    least = strengths[min(widest, len(strengths)) - 1]
    widths = [max(1, int(np.count_nonzero(values >= least))) for _, _, values in solved]
    while sum(widths) > widest:  # every block keeps one number
        widths[int(np.argmax(widths))] -= 1
    maps: dict[Side, list[Vectors | None]] = {
        "poster": [left[:, :count] for (left, _, _), count in zip(solved, widths, strict=True)],
        "intro": [right[:, :count] for (_, right, _), count in zip(solved, widths, strict=True)],
    }
    return _placed(blocks, widths), maps


def _balanced(
    poster: NDArray[np.float64], intro: NDArray[np.float64], rank: int
) -> tuple[Vectors, Vectors, NDArray[np.float64]]:
    """Maps of both sides, columns by falling strength: poster @ left . intro @ right approximates poster . intro."""
    from sklearn.utils.extmath import randomized_svd

    left, values, right = randomized_svd(poster @ intro.T, rank, n_iter=4, random_state=0)
    values = np.maximum(values, 1e-12)
    half = 1.0 / np.sqrt(values)
    to_left, to_right = intro.T @ (right.T * half), poster.T @ (left * half)
    return to_left.astype(np.float32), to_right.astype(np.float32), values / len(poster)
