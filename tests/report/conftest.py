"""A made-up analysis of a run of the sample, and what a report may say of it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cinealign.analysis.analyse import Analysis
from cinealign.analysis.estimates import Difference, Estimate
from cinealign.analysis.identity import RunIdentity
from cinealign.analysis.relation.numbers import Left, NotTaken
from cinealign.analysis.skipped import Skipped
from cinealign.plain_json import to_json
from cinealign.report.sources import Sources
from cinealign.run import Run
from cinealign.studies.curves import plot_run
from cinealign.views.store import FeatureStore

NO_RATINGS = Skipped(skipped="no ratings.csv")
NOT_TAKEN = NotTaken(name="lettering_blank", says="", skipped="no view reads lettering")
TASKS = (("genre probe", "macro AUC"), ("decade probe", "accuracy"))


@pytest.fixture(scope="session")
def made_up(finished: Run, analysed: Analysis, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a made-up analysis of `finished`: another run's on the same movies, with findings of every kind."""
    folder = tmp_path_factory.mktemp("made_up") / "analysis"
    shutil.copytree(analysed.folder, folder)
    said = replace(analysed.numbers, run=RunIdentity.of(finished))
    figures = {name: replace(figure, zh=None) for name, figure in said.figures.items()}
    left = {entry.name: entry for entry in said.relation.left}
    slices = [f"{one.attribute}: {one.slice}" for one in said.relation.slices if one.attribute in ("genre", "decade")]
    pair = replace(said.relation.cca[0], mean_train=0.8, mean_held_out=0.3, mean_null_high=0.1)
    traits = {**{name: said.neighbours.traits[name] for name in ("genre", "decade")}, "co_rating": NO_RATINGS}
    rows = {(row.task, row.measure, row.method): row for row in said.downstream.table}
    names = [(*TASKS[0], "aligned poster"), (*TASKS[0], "raw poster"), (*TASKS[1], "aligned poster")]
    better, raw, undecided = (rows[name] for name in names)
    numbers = replace(
        said,
        relation=replace(
            said.relation,
            left=[left["full"], much_lost(left["appearance_blank"]), NOT_TAKEN],
            cca=[pair],
            most=[slices[0]],
            least=[slices[-1]],
        ),
        neighbours=replace(said.neighbours, traits=traits),
        downstream=replace(
            said.downstream,
            table=[
                replace(better, difference=difference(0.2, 0.001)),
                raw,
                replace(undecided, difference=difference(0.0, 0.6)),
            ],
            cold_start=NO_RATINGS,
        ),
        figures=figures,
    )
    (folder / "analysis.json").write_text(json.dumps(to_json(numbers)))
    return folder


def difference(value: float, p: float) -> Difference:
    """A difference with a narrow interval."""
    return Difference(value=value, low=value - 0.02, high=value + 0.02, p=p)


def much_lost(entry: Any) -> Left:
    """The same with four fifths of the accuracy above chance lost for certain."""
    share = Estimate(value=0.2, low=0.16, high=0.22)
    return replace(entry, difference=difference(-0.3, 0.0005), share_left=share)


@pytest.fixture(scope="session")
def sources(finished: Run, made_up: Path) -> Sources:
    """All that a report of `finished` may speak of."""
    return Sources.gather(finished, made_up)


@pytest.fixture(scope="session")
def curves(finished: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The picture of `finished`'s curves."""
    return plot_run(finished, tmp_path_factory.mktemp("curves") / "curves.pdf")[0]


@pytest.fixture
def kernel_store(store: FeatureStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels find the session's features."""
    monkeypatch.setenv("CINEALIGN_CACHE", str(store.folder))
