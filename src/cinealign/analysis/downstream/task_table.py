"""The table of down-stream tasks: every method of a task on the same movies, and its difference to a baseline."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cinealign.analysis.estimates import Difference, Estimate, difference, from_draws
from cinealign.evaluation.statistics import bootstrap

Kind = Literal["aligned", "raw", "baseline", "reference"]
"""aligned: the run's vectors; raw: its views before any alignment; baseline: what needs no features; reference: what a cold
movie cannot know, as an upper mark."""


@dataclass(frozen=True, kw_only=True)
class TaskRow:
    """One method on one task.

    Attributes:
        task, measure, method, kind: what was measured of what.
        value, low, high: the number and its interval.
        n, unit: on how many of what.
        chance: what no knowledge at all would give; None where that is a row of its own.
        lower_is_better: as for errors.
        against: method of the same task and measure that it is compared with.
        difference: to that method.
    """

    task: str
    measure: str
    method: str
    kind: Kind
    value: float | None
    low: float | None
    high: float | None
    n: int
    unit: str
    chance: float | None
    lower_is_better: bool
    against: str | None
    difference: Difference | None

    @property
    def estimate(self) -> Estimate:
        """The number and its interval."""
        return Estimate(value=self.value, low=self.low, high=self.high)


@dataclass(frozen=True)
class Measured:
    """A number, and the same number for units drawn with replacement: (samples,), equal draws for equal units."""

    value: float
    drawn: NDArray[np.float64]

    @classmethod
    def mean(cls, values: ArrayLike, *, samples: int, seed: int) -> Measured:
        """Of (Q,) values, one a movie (or set, or user)."""
        array = np.asarray(values, dtype=np.float64)
        return cls(float(array.mean()), bootstrap(array, samples=samples, seed=seed)[:, 0])


@dataclass
class Table:
    """Rows in the order in which they are added."""

    _rows: list[TaskRow] = field(default_factory=list)
    _measured: list[Measured] = field(default_factory=list)

    def add(
        self,
        task: str,
        measure: str,
        method: str,
        kind: Kind,
        measured: Measured,
        n: int,
        *,
        chance: float | None,
        against: str | None = None,
        unit: str = "items",
        lower_is_better: bool = False,
    ) -> None:
        """One method on one task.

        Args:
            task, measure, method, kind: what was measured of what.
            measured: the number with its draws.
            n, unit: on how many of what.
            chance: what no knowledge at all would give; None where that is a row of its own.
            against: method of the same task and measure, added before or after, to compare with on the same draws.
            lower_is_better: as for errors.
        """
        found = from_draws(measured.value, measured.drawn)
        row = TaskRow(
            task=task,
            measure=measure,
            method=method,
            kind=kind,
            value=found.value,
            low=found.low,
            high=found.high,
            n=n,
            unit=unit,
            chance=chance,
            lower_is_better=lower_is_better,
            against=against,
            difference=None,
        )
        self._rows.append(row)
        self._measured.append(measured)

    def rows(self) -> list[TaskRow]:
        """Rows with `difference` (to the method in `against`, with interval and p); tasks and measures stand together."""
        places: dict[tuple[str, str, str | None], int] = {
            (row.task, row.measure, row.method): at for at, row in enumerate(self._rows)
        }
        found = []
        for row, own in zip(self._rows, self._measured, strict=True):
            other = places.get((row.task, row.measure, row.against))
            apart = None
            if other is not None:
                base = self._measured[other]
                apart = difference(own.value - base.value, own.drawn - base.drawn)
            found.append(replace(row, against=None if other is None else row.against, difference=apart))
        first = {key: at for at, key in reversed([(at, _group(row)) for at, row in enumerate(found)])}
        return sorted(found, key=lambda row: first[_group(row)])


def feature_sets(aligned: dict[str, Any], raw: dict[str, Any]) -> list[tuple[str, Kind, Any, str | None]]:
    """(method, kind, rows, method to compare with) of both sides and their combination, raw ones first."""
    sets: list[tuple[str, Kind, Any, str | None]] = [(f"raw {side}", "raw", rows, None) for side, rows in raw.items()]
    for side, rows in aligned.items():
        sets.append((f"aligned {side}", "aligned", rows, f"raw {side}" if side in raw else None))
    return sets


def _group(row: TaskRow) -> tuple[str, str]:
    return row.task, row.measure
