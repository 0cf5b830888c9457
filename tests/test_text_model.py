"""Texts through the intro side of a network alone: the vectors of the whole model, without what that needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cinealign.encoder import Encoder
from cinealign.errors import ModelError
from cinealign.model import AlignmentModel, build_views
from cinealign.recipe import Recipe
from cinealign.text_model import TextModel
from cinealign.views.memory_store import MemoryStore
from tests.training.experts.two_towers import SYLLABLES, drawn, fitted, options

TEXTS = [
    "one day kalo meets shane and wins",
    "",
    "  Lo the\tMI ",
    "unknown letters only",
    "爱 lo 红鲨鱼",
    "ka " * 40,
    "x",
]


def saved(folder: Path, **changed: Any) -> AlignmentModel:
    """A model of a small network whose language is a file of word vectors."""
    dice, file = np.random.default_rng(3), folder.parent / "words.txt"
    words = [*SYLLABLES, "one", "day", "meets", "and", "wins", "the"]
    lines = [" ".join([word, *map(str, dice.standard_normal(16).round(4))]) for word in words]
    file.write_text("\n".join(lines), encoding="utf-8")
    language: dict[str, Any] = {
        "view": "word_vectors",
        "vectors": str(file),
        "weighting": "mean",
        "remove_common": False,
    }
    reading = {"view": "lettering", "encoder": language}
    views: dict[str, Any] = {
        "lettering": reading,
        "title": reading,
        "words": {"view": "lettering", "encoder": {"view": "text"}},
    }
    views |= {"look": {"view": "appearance"}, "intro": language, "plot": {"view": "text"}}
    network = {**options(**changed).model_dump(mode="json"), "expert": "network"}
    recipe = Recipe.model_validate({"name": "drawn", "description": "", "views": views, "align": [network]})
    model = AlignmentModel(recipe, build_views(recipe), [fitted(drawn(60), **changed)], np.array([1.0]))
    model.save(folder)
    return model


@pytest.mark.parametrize(
    "changed",
    [{}, {"memory": 0}, {"letters": None}, {"kernel_width": 0.5}],
    ids=["whole", "no memory", "no letters", "kernels"],
)
def test_texts_get_the_vectors_of_the_whole_model(tmp_path: Path, changed: dict[str, Any]) -> None:
    model, store = saved(tmp_path / "model", **changed), MemoryStore(2**20)
    alone = TextModel.load(tmp_path / "model")
    assert alone is not None
    found, expected = alone.encode_intros(TEXTS, store), model.encode_intros(TEXTS, store)
    np.testing.assert_allclose(found, expected, atol=2e-6)
    assert found.dtype == np.float32
    assert np.abs(expected - expected[:1]).max(axis=1)[1:].min() > 1e-3, "all texts alike would prove nothing"
    encoder = Encoder(tmp_path / "model")
    np.testing.assert_array_equal(encoder.encode_intros(TEXTS[0]), alone.encode_intros(TEXTS[:1], store))


def test_a_model_that_is_more_than_a_network_is_left_to_the_whole_one(tmp_path: Path) -> None:
    model = saved(tmp_path / "model")
    model.weights = np.array([0.5])
    model.save(tmp_path / "half")
    assert TextModel.load(tmp_path / "half") is None
    np.testing.assert_allclose(
        Encoder(tmp_path / "half").encode_intros("lo"), model.encode_intros(["lo"], MemoryStore(99))
    )


def test_a_damaged_one_is_refused(tmp_path: Path) -> None:
    saved(tmp_path / "model")
    (tmp_path / "model" / "expert-0.safetensors").write_bytes(b"no tensors")
    with pytest.raises(ModelError, match=r"expert-0\.safetensors cannot be read"):
        TextModel.load(tmp_path / "model")
    (tmp_path / "model" / "fusion.json").unlink()
    with pytest.raises(ModelError, match="does not hold a saved model"):
        TextModel.load(tmp_path / "model")


def test_a_text_query_waits_for_no_heavy_library() -> None:
    code = (
        "import sys, cinealign.encoder, cinealign.search.index, cinealign.search.run_index, cinealign.text_model\n"
        "import cinealign.views.intro.language_model, cinealign.views.intro.text\n"
        "print(*sorted({'torch', 'transformers', 'sklearn', 'scipy', 'pandas', 'matplotlib'} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == ""
