"""Prompts that a sentence-transformers model brings along, and the recipe that uses them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cinealign.errors import ModelError
from cinealign.recipe import Recipe
from cinealign.views.poster.lettering import LetteringView
from cinealign.views.registry import VIEWS
from cinealign.views.store import FeatureStore
from tests.views.tiny_models import save_bert


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of models with a tiny stand-in under the name of EmbeddingGemma."""
    folder = tmp_path / "weights" / "embeddinggemma-300m"
    folder.parent.mkdir()
    save_bert(folder)
    monkeypatch.setenv("CINEALIGN_WEIGHTS", str(folder.parent))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    return folder


def test_best_gemma_asks_with_the_prompts_of_the_model(weights: Path, tmp_path: Path) -> None:
    prompts = {"query": "love the bank | ", "document": "people run . "}
    (weights / "config_sentence_transformers.json").write_text(json.dumps({"prompts": prompts}))
    views, store = Recipe.load("best-gemma").views, FeatureStore(tmp_path / "store")
    plain = VIEWS.make(views["intro_gemma"].model_copy(update={"prompt": "{}"}))
    asked = VIEWS.make(views["intro_gemma"])
    texts = ["a shark eats the town", "bank heist"]
    expected = plain.extract([f"people run . {text}" for text in texts], store)
    np.testing.assert_array_equal(asked.extract(texts, store), expected)
    assert not np.allclose(asked.extract(texts, store), plain.extract(texts, store), atol=1e-3)
    lettering = VIEWS.make(views["lettering_gemma"])
    assert isinstance(lettering, LetteringView)
    seen = [item.seen for item in lettering.extract_texts(["a movie about shark."], store)]
    np.testing.assert_array_equal(seen, plain.extract(["love the bank | a movie about shark."], store))


def test_a_prompt_that_the_model_lacks_is_refused(weights: Path, tmp_path: Path) -> None:
    view = VIEWS.build("language_model", {"model": "google/embeddinggemma-300m", "prompt": "document"})
    with pytest.raises(ModelError, match=r"config_sentence_transformers.json holds no prompt 'document'; give one"):
        view.extract(["a shark"], FeatureStore(tmp_path / "store"))
