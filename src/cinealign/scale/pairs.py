"""Vectors of both sides of N items, read by rows from where they lie: a run's file or a table of `scale encode`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cinealign.errors import DataError
from cinealign.experts.base import Vectors
from cinealign.run import Run
from cinealign.scale.places import Place
from cinealign.scale.shards import vectors_of
from cinealign.scale.table import TABLE, open_table


class Pairs(Protocol):
    """N items with a poster and an intro each; it travels to the workers."""

    @property
    def count(self) -> int:
        """N."""

    @property
    def train_rows(self) -> NDArray[np.int64]:
        """(T,) rows of the train items, rising."""

    def read(self, side: str, rows: NDArray[np.int64]) -> Vectors:
        """(R, D) float32 vectors of `rows`."""


@dataclass(frozen=True)
class RunPairs:
    """The vectors of a finished run."""

    path: Path
    count: int
    train_rows: NDArray[np.int64] = field(repr=False)

    @classmethod
    def of(cls, run: Run) -> RunPairs:
        """Raises DataError where the run has no vectors."""
        if not run.has_vectors:
            raise DataError(f"{run.folder} has no vectors.safetensors; `cinealign evaluate` makes them again")
        return cls((run.folder / "vectors.safetensors").absolute(), len(run.ids), np.sort(run.train_rows))

    def read(self, side: str, rows: NDArray[np.int64]) -> Vectors:
        """See `Pairs`; the file stays on the disk but for these rows."""
        from safetensors import safe_open

        with safe_open(self.path, framework="numpy") as file:
            stored = file.get_slice(side)
            if not len(rows):
                return np.zeros((0, stored.get_shape()[1]), dtype=np.float32)
            first = int(rows[0])
            part: Vectors = stored[first : int(rows[-1]) + 1]
        return part if len(part) == len(rows) else part[rows - first]


@dataclass(frozen=True)
class TablePairs:
    """The items of a table that have both sides."""

    place: Place
    version: int
    places: NDArray[np.int64] = field(repr=False)
    """(N,) rows of the table."""
    train_rows: NDArray[np.int64] = field(repr=False)

    @classmethod
    def of(cls, place: Place, train_ids: Iterable[str] = ()) -> TablePairs:
        """The newest version of the table at `place`.

        Args:
            place: of an encoding, or of the table in it.
            train_ids: ids of the items that the model was trained on.
        Raises:
            DataError: there is no table, none of its items has both sides, or a train id is not in it.
        """
        home = Place(place.uri.removesuffix(f"/{TABLE}"))
        table = open_table(home)
        every = table.to_table(columns=["key"])["key"].to_numpy()
        both = table.to_table(columns=["key", "id"], filter="poster_vector IS NOT NULL AND intro_vector IS NOT NULL")
        if not len(both):
            raise DataError(f"{place.uri} has no item with both a picture and a text; there is nothing to evaluate")
        places = np.flatnonzero(np.isin(every, both["key"].to_numpy()))
        wanted = set(train_ids)
        ids = both["id"].to_pylist() if wanted else []
        train = np.array([row for row, item_id in enumerate(ids) if item_id in wanted], dtype=np.int64)
        if missing := sorted(wanted.difference(ids)):
            raise DataError(f"{place.uri} has no item {missing[0]!r} with both sides, which --train-ids names")
        return cls(home, int(table.version), places, train)

    @property
    def count(self) -> int:
        """N."""
        return len(self.places)

    def read(self, side: str, rows: NDArray[np.int64]) -> Vectors:
        """See `Pairs`."""
        column = f"{side}_vector"
        found = self._table.take(self.places[rows], columns=[column])[column]
        vectors: Vectors = vectors_of(found, self._table.schema.field(column).type.list_size)[0]
        return vectors

    @cached_property
    def _table(self) -> Any:
        return open_table(self.place, self.version)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_table"}


def open_pairs(target: str | Path, train_ids: Iterable[str] = ()) -> Pairs:
    """The pairs of a run directory or of an encoding.

    Raises:
        DataError: it is neither, or has no pairs.
    """
    folder = Path(target)
    if "://" not in str(target) and (folder / "metrics.json").is_file():
        return RunPairs.of(Run(folder))
    return TablePairs.of(Place.of(target), train_ids)


def read_ids(path: Path) -> list[str]:
    """Ids in a text file or a JSON list: those of a run's catalogue.json are its train ids.

    Raises:
        DataError: it cannot be read or holds none.
    """
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".json":
            given = json.loads(text)
            found = [str(given["ids"][row]) for row in given["train_rows"]] if isinstance(given, dict) else given
        else:
            found = text.replace(",", " ").split()
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise DataError(f"{path} cannot be read as ids ({error}); give a file with one id per line") from None
    if not found:
        raise DataError(f"{path} holds no ids; give a file with one id per line")
    return [str(each) for each in found]
