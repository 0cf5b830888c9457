"""A catalogue in Chinese, from the import to a scored run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cinealign.data.catalogue import Catalogue
from cinealign.data.drawn.flags import draw_flags
from cinealign.data.importing.plan import ImportOptions, plan_import
from cinealign.data.importing.write import write_catalogue
from cinealign.pipeline import align
from cinealign.recipe import Recipe
from cinealign.views.registry import VIEWS
from cinealign.views.store import FeatureStore
from tests.views.tiny_models import save_bert


@pytest.fixture(scope="module")
def chinese(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    home = tmp_path_factory.mktemp("chinese")
    draw_flags(home / "flags", flags=60, seed=2)
    plan = plan_import(home / "flags" / "flags.csv", ImportOptions(columns={"text": "description_zh"}, noun="flag"))
    report = write_catalogue(plan, home / "mine")
    assert report.scripts == {"Han": 60}
    return Catalogue.load(home / "mine")


def recipe(words: dict[str, Any], expert: dict[str, Any]) -> Recipe:
    return Recipe.parse(
        {
            "name": "chinese",
            "views": {"looks": {"view": "classical"}, "words": words},
            "align": [{"poster": "looks", "intro": "words", **expert}],
            "evaluation": {"bootstrap": 100},
        }
    )


@pytest.mark.parametrize("view", ["tfidf", "bm25"])
def test_words_of_a_chinese_text_tell_its_picture(
    view: str, chinese: Catalogue, store: FeatureStore, tmp_path: Path
) -> None:
    expert = {"expert": "cca", "dimensions": 16, "ridge": 1}
    run = align(chinese, recipe({"view": view}, expert), tmp_path / "run", store=store)
    for direction in ("poster_to_intro", "intro_to_poster"):
        assert run.metrics["curve"]["area"][direction]["held_out"] > 0.7  # chance 0.5
        assert run.metrics[direction]["all"] > 0.4  # chance 0.05


def test_tokens_of_chinese_texts_train_a_network(chinese: Catalogue, store: FeatureStore, tmp_path: Path) -> None:
    expert = {
        "expert": "contrastive",
        "intro_tower": {"tower": "bag", "embeddings": "random", "width": 16},
        "dimensions": 16,
        "training": {"epochs": 20},
    }
    run = align(chinese, recipe({"view": "tokens"}, expert), tmp_path / "run", store=store)
    assert run.metrics["poster_to_intro"]["train"] > 0.2  # chance 0.05


def test_the_packaged_model_says_that_it_reads_english(
    chinese: Catalogue, store: FeatureStore, capsys: pytest.CaptureFixture[str]
) -> None:
    features = VIEWS.build("language_model", {}).extract(chinese.intros[:8], store)
    assert features.shape == (8, 384) and np.isfinite(features).all()
    assert "minilm reads English and 8 of 8 texts are in another script; `model` takes a folder" in (
        capsys.readouterr().err
    )


def test_a_model_of_ones_own_from_a_folder(
    chinese: Catalogue, store: FeatureStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As docs/your-own-data.md tells: --set views.words.model=FOLDER."""
    folder = save_bert(tmp_path / "own-bert")
    given = recipe({"view": "language_model", "model": str(folder)}, {"expert": "cca", "dimensions": 4, "ridge": 1})
    run = align(chinese, given, tmp_path / "run", store=store)
    assert run.recipe.views["words"].model == str(folder)
    assert run.vectors[1].shape[0] == 60
    assert "reads English" not in capsys.readouterr().err


@pytest.mark.slow
def test_the_default_recipe_on_a_chinese_catalogue(chinese: Catalogue, store: FeatureStore, tmp_path: Path) -> None:
    """No lettering is on the pictures and MiniLM knows no Chinese; appearance still tells more than chance."""
    run = align(chinese, Recipe.load("default", []), tmp_path / "run", store=store)
    assert np.isfinite(run.vectors[0]).all() and np.isfinite(run.vectors[1]).all()
    assert run.metrics["curve"]["area"]["poster_to_intro"]["held_out"] > 0.5
