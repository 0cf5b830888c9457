"""An index of the drawn sample, made once a session from the run `lettered`."""

from __future__ import annotations

from pathlib import Path

import pytest

from cinealign.data.catalogue import Catalogue
from cinealign.run import Run
from cinealign.run_data import RunData
from cinealign.search.build import build_index
from cinealign.search.index import Index
from cinealign.views.store import FeatureStore


@pytest.fixture(scope="session")
def lettered_data(lettered: Run, rated: Catalogue, store: FeatureStore) -> RunData:
    """The run `lettered` with its data."""
    return RunData(lettered, rated, store)


@pytest.fixture(scope="session")
def sample_index(lettered_data: RunData, tmp_path_factory: pytest.TempPathFactory) -> Index:
    """Tests read it and leave it as it is."""
    return build_index(lettered_data, tmp_path_factory.mktemp("indexes") / "sample", widest=0)


@pytest.fixture(scope="session")
def sample_index_folder(sample_index: Index) -> Path:
    """Where it lies."""
    return sample_index.folder
