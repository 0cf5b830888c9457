"""All down-stream tasks of a run, and their one table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cinealign.analysis.downstream.clusters import clusters
from cinealign.analysis.downstream.cold_start import cold_start
from cinealign.analysis.downstream.numbers import Downstream
from cinealign.analysis.downstream.probes import probes
from cinealign.analysis.downstream.similar import odd_one_out, series
from cinealign.analysis.downstream.tagging import search, tagging
from cinealign.analysis.downstream.task_table import Table
from cinealign.analysis.material import Material
from cinealign.analysis.skipped import Skipped, SkippedError
from cinealign.progress import progress

Task = Callable[[Material, Table], Any]
TASKS: dict[str, Task] = {
    "tagging": tagging,
    "probes": probes,
    "search": search,
    "cold_start": cold_start,
    "similar": series,
    "odd_one_out": odd_one_out,
    "clusters": clusters,
}
"""Field of `Downstream` -> what adds its rows to the table and gives what else there is to say."""


def downstream(material: Material) -> Downstream:
    """Every task of `TASKS`, and `table`: all rows; a task that the data cannot give says why."""
    table = Table()
    found: dict[str, Any] = {}
    with progress("down-stream tasks", len(TASKS)) as bar:
        for name, task in TASKS.items():
            try:
                found[name] = task(material, table)
            except SkippedError as reason:
                found[name] = Skipped(skipped=str(reason))
            bar.advance()
    return Downstream(table=table.rows(), **found)
