"""A made-up analysis of a run of the sample, and what a report may say of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cinealign.report.sources import Sources
from cinealign.run import Run
from cinealign.studies.curves import plot_run
from cinealign.views.store import FeatureStore
from tests.report.analysed import analysis_of


@pytest.fixture(scope="session")
def made_up(finished: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a made-up analysis of `finished`."""
    return analysis_of(finished, tmp_path_factory.mktemp("analysed") / "analysis")


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
