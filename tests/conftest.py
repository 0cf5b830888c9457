"""What every test may use: the drawn sample catalogue, made once a session, runs on it and an analysis of one."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.internal.conjecture import providers

if "PYTEST_XDIST_WORKER" in os.environ:  # two workers with two threads each would wait for each other
    os.environ["OMP_NUM_THREADS"] = "1"

os.environ["CINEALIGN_LANG"] = "en"  # whatever the locale is: tests read English

from cinealign import figures, progress
from cinealign.analysis.analyse import Analysis, analyse
from cinealign.analysis.material import Material
from cinealign.analysis.neighbours import figures as gallery_figures
from cinealign.data.catalogue import Catalogue
from cinealign.data.drawn.movies import draw_sample
from cinealign.pipeline import align
from cinealign.recipe import Recipe
from cinealign.run import Run
from cinealign.views.poster import ocr
from cinealign.views.store import FeatureStore
from tests.clock import Clock

settings.register_profile("quick", deadline=None, max_examples=50, derandomize=True)
settings.register_profile("fuzz", deadline=None, max_examples=int(os.environ.get("EXAMPLES", "20000")), print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))
if settings.get_current_profile_name() == "quick":
    # Else constants of whatever modules are loaded by then are among the drawn values, so that the order of the tests and
    # their division among workers would decide what is tried. tests/faults/test_reproducible.py sees that this works.
    _no_constants = providers.Constants()
    providers._get_local_constants = lambda: _no_constants

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

LETTERED: dict[str, Any] = {
    "name": "lettered",
    "seed": 5,
    "views": {
        "appearance": {"view": "appearance", "width": 96, "height": 128},
        "lettering": {"view": "lettering", "encoder": {"view": "tfidf", "min_df": 1}},
        "title": {"view": "lettering", "lines": "tallest", "count": 1, "encoder": {"view": "text"}},
        "words": {"view": "tfidf"},
        "intro_words": {"view": "text"},
    },
    "align": [
        {"expert": "lexical", "poster": "title", "intro": "intro_words"},
        {"expert": "cca", "poster": "lettering", "intro": "words", "dimensions": 16, "ridge": 3},
        {"expert": "cca", "poster": "appearance", "intro": "words", "dimensions": 16, "ridge": 3},
        {"expert": "memory", "poster": ["lettering", "appearance"], "intro": "words"},
    ],
    "fusion": {"folds": 3, "steps": 50},
    "evaluation": {"bootstrap": 100},
}
"""A run that reads lettering; its lines are known and not read by OCR."""


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


def written_lines(title: str) -> list[dict[str, Any]]:
    """What "OCR" reads: the title in one line at the top, and a small line at the foot."""
    head = [[0.1, 0.05], [0.9, 0.05], [0.9, 0.2], [0.1, 0.2]]
    foot = [[0.3, 0.92], [0.7, 0.92], [0.7, 0.96], [0.3, 0.96]]
    return [
        {"text": title.rpartition(" (")[0].upper(), "confidence": 0.95, "box": head, "height": 0.15},
        {"text": "COMING SOON", "confidence": 0.9, "box": foot, "height": 0.04},
    ]


@pytest.fixture(scope="session")
def rated(sample_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    """The sample with ratings: users like one genre and dislike another."""
    folder = tmp_path_factory.mktemp("rated") / "sample"
    shutil.copytree(sample_folder, folder)
    catalogue, dice = Catalogue.load(folder), random.Random(0)
    genres = sorted({genre for movie in catalogue.movies for genre in movie.genres})
    lines = ["user_id,movie_id,rating,timestamp"]
    for user in range(60):
        liked, disliked = dice.sample(genres, 2)
        for movie in dice.sample(catalogue.movies, 60):
            rating = 3 + 2 * (liked in movie.genres) - 2 * (disliked in movie.genres) + dice.choice((-1, 0, 0, 1))
            lines.append(f"{user},{movie.movie_id},{min(5, max(1, rating))},0")
    (folder / "ratings.csv").write_text("\n".join(lines) + "\n")
    return Catalogue.load(folder)


@pytest.fixture(scope="session")
def lettered(rated: Catalogue, store: FeatureStore, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run of `LETTERED`; tests read it and leave it as it is."""
    settings = ocr.lettering_settings()
    lines = [written_lines(movie.title) for movie in rated.movies]
    store.records("lettering", settings, [p.digest for p in rated.posters], lambda rows: [lines[row] for row in rows])
    return align(rated, Recipe.parse(LETTERED), tmp_path_factory.mktemp("runs") / "lettered", store=store)


@pytest.fixture(scope="session")
def material(lettered: Run, rated: Catalogue, store: FeatureStore) -> Material:
    """What the analysis of `lettered` starts from."""
    return Material.of(lettered, rated, store)


@pytest.fixture(scope="session")
def analysed(
    lettered: Run, rated: Catalogue, store: FeatureStore, tmp_path_factory: pytest.TempPathFactory
) -> Analysis:
    """The whole analysis of `lettered`; its pictures are small, and galleries have one case of a kind."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "DPI", 60)
        patch.setattr(gallery_figures, "CASES", 1)
        return analyse(lettered, rated, tmp_path_factory.mktemp("analysed") / "analysis", store=store)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of progress and epochs, in the hands of the test."""
    fake = Clock()
    monkeypatch.setattr(progress, "clock", fake)
    return fake
