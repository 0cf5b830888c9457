"""What an index says of itself: how it was made, what its vectors lose, how well it finds and how true its chances are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cinealign.evaluation.metrics import TASK_RATIO
from cinealign.search.calibration import Calibration, Evidence, reliability
from cinealign.search.engines import Engine, Rows
from cinealign.search.folder import SIDES, Side
from cinealign.search.index import DIRECTIONS
from cinealign.search.space import Space

PROBED = 500
"""Queries from the other side by which recall is measured."""
RECALL = 0.95
"""Recall@10 below which an approximate engine is made to try harder."""
AT = (10, 100)
TIE = 1e-6


def held_out_found(
    engines: Mapping[Side, Engine], space: Space, compact: Mapping[Side, Rows], rows: NDArray[np.int64]
) -> dict[str, float]:
    """Direction -> share of the held-out queries whose partner is among the int(0.05 N) nearest that the index gives.

    Args:
        engines, space: of the index, in which item `row` has key `row`.
        compact: side -> (N, W).
        rows: of the held-out items.
    """
    found = {}
    k = int(TASK_RATIO * len(compact["poster"]))
    for target in SIDES:
        query: Side = "intro" if target == "poster" else "poster"
        if k and len(rows):
            keys = engines[target].search(space.as_query(compact[query][rows], target), k).keys
            found[DIRECTIONS[target]] = float((keys == rows[:, None]).any(axis=1).mean())
    return found


def recalls(
    engine: Engine, target: Side, space: Space, queries: Rows, exact: Callable[[Rows, int], NDArray[np.float64]]
) -> dict[str, float]:
    """Recall@10 and @100 of an engine, for queries of the other side.

    Args:
        queries: (Q, W) compact rows of the other side.
        exact: gives the scores (Q, k) of the true nearest, falling. An item that ties with the last of them is as good.
    """
    asked = space.as_query(queries, target)
    measured = {}
    for k in AT:
        k = min(k, engine.count())
        least = exact(asked, k)[:, -1:] - TIE
        measured[f"recall@{k}"] = float((engine.search(asked, k).scores >= least).mean())
    return measured


def tuned(
    engine: Engine, target: Side, space: Space, queries: Rows, exact: Callable[[Rows, int], NDArray[np.float64]]
) -> tuple[Engine, dict[str, Any]]:
    """The engine with as much effort as recall@10 needs, and what was measured at each step."""
    steps = []
    while True:
        measured = recalls(engine, target, space, queries, exact)
        effort = {name: engine.state[name] for name in ("probes", "refine") if name in engine.state}
        steps.append({**effort, **measured})
        enough = measured[f"recall@{min(AT[0], engine.count())}"] >= RECALL
        harder = None if enough else engine.harder()
        if harder is None:
            return engine, {**measured, "enough": enough, "steps": steps, "queries": len(queries)}
        engine = harder


def sampled(rows: Rows) -> Rows:
    """At most `PROBED` of the rows, drawn once and for all."""
    chosen = np.random.default_rng(0).permutation(len(rows))[:PROBED]
    return rows[np.sort(chosen)]


def held_out_reliability(
    calibrations: Mapping[Side, Calibration],
    compact: Mapping[Side, Rows],
    rows: NDArray[np.int64],
    amounts: Mapping[Side, NDArray[np.float64]],
) -> dict[str, Any]:
    """Direction -> how true the chances are for held-out queries among all items; read once, chooses nothing."""
    told = {}
    for target, calibration in calibrations.items():
        query: Side = "intro" if target == "poster" else "poster"
        evidence = Evidence(compact[query][rows] @ compact[target].T, rows, amounts[query][rows], amounts[target])
        told[DIRECTIONS[target]] = reliability(*calibration.top_chances(evidence), calibration.limit)
    return told
