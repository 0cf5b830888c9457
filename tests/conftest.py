"""What every test may use: the drawn sample catalogue, made once a session, and a run on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cinealign.data.catalogue import Catalogue
from cinealign.data.sample import draw_sample
from cinealign.pipeline import align
from cinealign.recipe import Recipe
from cinealign.run import Run
from cinealign.views.store import FeatureStore

CHEAP: dict[str, Any] = {
    "name": "cheap",
    "seed": 3,
    "views": {
        "appearance": {"view": "appearance", "width": 96, "height": 128},
        "words": {"view": "tfidf"},
    },
    "align": [
        {"expert": "cca", "poster": "appearance", "intro": "words", "dimensions": 32, "ridge": 3},
        {
            "expert": "contrastive",
            "poster": "appearance",
            "intro": "words",
            "dimensions": 32,
            "training": {"epochs": 6, "batch_size": 64},
        },
        {"expert": "memory", "poster": "appearance", "intro": "words"},
    ],
    "fusion": {"folds": 3, "steps": 50},
    "evaluation": {"bootstrap": 100},
}


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


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> FeatureStore:
    """A feature store of the session: what one test has computed the next one finds."""
    return FeatureStore(tmp_path_factory.mktemp("features"))


@pytest.fixture(scope="session")
def cheap() -> Recipe:
    """A recipe of every kind of part that costs seconds on the sample: no lettering is read."""
    return Recipe.parse(CHEAP)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, sample: Catalogue, cheap: Recipe, store: FeatureStore) -> Run:
    """A finished run of `cheap` on the sample; tests read it and leave it as it is."""
    return align(sample, cheap, tmp_path_factory.mktemp("runs") / "cheap", store=store)
