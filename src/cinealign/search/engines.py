"""What an index asks of whatever keeps and searches the vectors of one side: seven things, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from cinealign.errors import ConfigError

Keys = NDArray[np.int64]
"""Numbers of items; never used twice in an index."""
Rows = NDArray[np.float32]
"""(N, W) float32 rows of unit length."""
NOBODY = -1
"""Key in the places of an answer for which there is no item."""


class Found(NamedTuple):
    """Answers to Q queries: the nearest first; of equal scores the lower key first."""

    keys: Keys
    """(Q, k), `NOBODY` where fewer than k items could be found."""
    scores: NDArray[np.float64]
    """(Q, k) inner products, -inf there."""


class Engine(Protocol):
    """The vectors of one side, in one generation.

    A change gives the state of the next generation and leaves this object as it is: who reads goes on with what they have.
    Nothing that a change writes may be needed before the index has committed the state.
    """

    @property
    def state(self) -> Mapping[str, Any]:
        """What `open` needs to open the same generation again, as JSON values."""

    @property
    def files(self) -> tuple[str, ...]:
        """The immutable files of this generation, named from the engine's folder, for sums and sweeping."""

    def count(self) -> int:
        """How many vectors there are."""

    def add(self, name: str, keys: Keys, rows: Rows) -> Engine:
        """The next generation, with more vectors.

        Args:
            name: of the generation; new files carry it.
            keys: (N,) new keys, each higher than those that are there, rising.
            rows: (N, W) unit rows.
        """

    def remove(self, name: str, keys: Keys) -> Engine:
        """The next generation, without the vectors of `keys`; a key that is not there is passed over."""

    def compact(self, name: str) -> Engine:
        """The next generation with the same vectors in as few files as may be, removed ones gone."""

    def harder(self) -> Engine | None:
        """The same vectors searched with more effort; None where nothing more can be found."""

    def take(self, keys: Keys) -> Rows:
        """(N, W) the vectors of `keys`; a row of zeros for a key that has none."""

    def keys(self) -> Keys:
        """All keys, rising."""

    def search(self, queries: Rows, k: int, among: Keys | None = None) -> Found:
        """The k nearest items of each query by inner product.

        Args:
            queries: (Q, W) rows of any length.
            k: how many, at least 1.
            among: rising keys to which the answer is restricted; None for all.
        """


class EngineKind(Protocol):
    """How engines are opened and begun."""

    def open(self, folder: Path, state: Mapping[str, Any]) -> Engine:
        """The vectors in `folder` in the generation that `state` describes."""

    def new(self, folder: Path, width: int, options: Mapping[str, Any]) -> Engine:
        """An engine without vectors; `options` are the kind's own."""


def ranked(query: NDArray[np.float32], keys: Keys, vectors: NDArray[Any], k: int) -> Found:
    """The k best of some candidates of one query, by float64 products; what they agree in to twelve digits is equal.

    Args:
        query: (W,).
        keys, vectors: (C,) and (C, W) of the candidates, in any order.
        k: how many at most.
    Returns:
        One row of at most k answers.
    """
    scores = np.round(vectors.astype(np.float64) @ query.astype(np.float64), 12)
    order = np.lexsort((keys, -scores))[:k]
    return Found(keys[order][None], scores[order][None])


def joined(answers: Sequence[Found], k: int, queries: int = 0) -> Found:
    """Answers below each other, filled up with `NOBODY` to k places; `queries` empty rows where there are none."""
    count = sum(len(answer.keys) for answer in answers) or queries
    found = Found(np.full((count, k), NOBODY, dtype=np.int64), np.full((count, k), -np.inf, dtype=np.float64))
    row = 0
    for answer in answers:
        rows, width = slice(row, row + len(answer.keys)), answer.keys.shape[1]
        found.keys[rows, :width], found.scores[rows, :width] = answer
        row = rows.stop
    return found


KINDS = ("exact", "lance")
"""The engines, the default first."""


def engine_kind(name: str) -> EngineKind:
    """The engine of that name.

    Raises:
        ConfigError: unknown, or its package is not installed.
    """
    if name == "exact":
        from cinealign.search.exact import ExactKind

        return ExactKind()
    if name == "lance":
        from cinealign.search.lance import LanceKind

        return LanceKind()
    raise ConfigError(f"unknown engine {name!r}; choose one of: {', '.join(KINDS)}")
