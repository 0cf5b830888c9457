"""The table of down-stream tasks: every method of a task on the same movies, and its difference to a baseline."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cinealign.analysis.estimates import difference, from_draws
from cinealign.evaluation.statistics import bootstrap

Kind = Literal["aligned", "raw", "baseline", "reference"]
"""aligned: the run's vectors; raw: its views before any alignment; baseline: what needs no features; reference: what a cold
movie cannot know, as an upper mark."""


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

    _rows: list[dict[str, Any]] = field(default_factory=list)
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
        about = {"task": task, "measure": measure, "method": method, "kind": kind}
        found = from_draws(measured.value, measured.drawn)
        more = {"n": n, "unit": unit, "chance": chance, "lower_is_better": lower_is_better, "against": against}
        self._rows.append({**about, **found, **more})
        self._measured.append(measured)

    def rows(self) -> list[dict[str, Any]]:
        """Rows with `difference` (to the method in `against`, with interval and p); tasks and measures stand together."""
        places = {(row["task"], row["measure"], row["method"]): at for at, row in enumerate(self._rows)}
        found = []
        for row, own in zip(self._rows, self._measured, strict=True):
            other = places.get((row["task"], row["measure"], row["against"]))
            apart = None
            if other is not None:
                base = self._measured[other]
                apart = difference(own.value - base.value, own.drawn - base.drawn)
            found.append({**row, "against": None if other is None else row["against"], "difference": apart})
        first = {key: at for at, key in reversed([(at, _group(row)) for at, row in enumerate(found)])}
        return sorted(found, key=lambda row: first[_group(row)])


def feature_sets(aligned: dict[str, Any], raw: dict[str, Any]) -> list[tuple[str, Kind, Any, str | None]]:
    """(method, kind, rows, method to compare with) of both sides and their combination, raw ones first."""
    sets: list[tuple[str, Kind, Any, str | None]] = [(f"raw {side}", "raw", rows, None) for side, rows in raw.items()]
    for side, rows in aligned.items():
        sets.append((f"aligned {side}", "aligned", rows, f"raw {side}" if side in raw else None))
    return sets


def _group(row: dict[str, Any]) -> tuple[str, str]:
    return row["task"], row["measure"]
