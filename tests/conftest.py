"""What every test may use: the drawn sample catalogue, made once a session."""

from __future__ import annotations

from pathlib import Path

import pytest

from cinealign.data.catalogue import Catalogue
from cinealign.data.sample import draw_sample


@pytest.fixture(scope="session")
def sample_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 240 drawn movies; tests read it and leave it as it is."""
    folder = tmp_path_factory.mktemp("drawn") / "sample"
    draw_sample(folder, movies=240, seed=0)
    return folder


@pytest.fixture(scope="session")
def sample(sample_folder: Path) -> Catalogue:
    """The catalogue of `sample_folder`."""
    return Catalogue.load(sample_folder)
