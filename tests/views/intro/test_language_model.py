from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cinealign.errors import ConfigError, ModelError
from cinealign.views.intro import language_model
from cinealign.views.intro.language_model import LanguageModelView
from cinealign.views.registry import VIEWS
from cinealign.views.store import FeatureStore
from tests.views.tiny_models import save_bert, save_vision

TEXTS = [
    "A shark terrorises a seaside town in summer.",
    "People at the beach are attacked by a great white shark.",
    "Two lawyers fall in love during a trial about a bank.",
    "x",
    "An old toy is jealous of a new space ranger, and both get lost far from the boy who owns them. " * 3,
]


def view(**options: Any) -> LanguageModelView:
    built = VIEWS.build("language_model", options)
    assert isinstance(built, LanguageModelView)
    return built


def test_near_meaning_is_near(tmp_path: Path) -> None:
    features = view().extract(TEXTS, FeatureStore(tmp_path))
    assert features.shape == (5, 384) and features.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1, atol=1e-6)
    cosine = features @ features.T
    assert cosine[0, 1] > 0.5 > 0.3 > max(cosine[0, 2], cosine[1, 2])


def test_order_and_batch_do_not_matter(tmp_path: Path) -> None:
    built = view()
    together = built.extract(TEXTS, FeatureStore(tmp_path / "a"))
    alone = np.concatenate([built.extract([text], FeatureStore(tmp_path / "b")) for text in TEXTS])
    np.testing.assert_allclose(together, alone, atol=5e-3)
    assert (together * alone).sum(axis=1).min() > 0.9995
    again = built.extract(TEXTS[::-1], FeatureStore(tmp_path / "c"))[::-1]
    np.testing.assert_array_equal(together, again)


def test_stored_texts_need_no_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = view().extract(TEXTS, FeatureStore(tmp_path))
    monkeypatch.setattr(language_model, "_compiled", lambda *model: pytest.fail("loaded"))
    np.testing.assert_array_equal(view().extract(TEXTS[::-1], FeatureStore(tmp_path))[::-1], first)
    loose = view(normalize=False).extract(TEXTS, FeatureStore(tmp_path))
    np.testing.assert_allclose(language_model.normalised(loose), first, atol=1e-6)
    assert np.linalg.norm(loose, axis=1).max() > 1.5


def test_bfloat16_is_near_float32(tmp_path: Path) -> None:
    full, half = (view(precision=p).extract(TEXTS, FeatureStore(tmp_path)) for p in ("float32", "bfloat16"))
    assert (full * half).sum(axis=1).min() > 0.999


def test_long_texts_are_counted_every_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    long = "shark " * 300
    for _ in range(2):  # computed, then from the store
        cut = view().extract([long, "shark", long + "and beach"], FeatureStore(tmp_path))
        assert "2 of 3 texts are longer than 256 tokens" in capsys.readouterr().err
    np.testing.assert_allclose(cut[0], cut[2], atol=1e-3)
    view().extract(["shark " * 254], FeatureStore(tmp_path))
    assert "longer" not in capsys.readouterr().err


def test_no_texts(tmp_path: Path) -> None:
    assert view().extract([], FeatureStore(tmp_path)).shape == (0, 384)


def test_loading_leaves_the_random_state() -> None:
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    language_model.load_encoder(language_model.MODELS["minilm"])
    assert torch.rand(1) == expected


def test_other_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    other = replace(language_model.MODELS["minilm"], files={"model.safetensors": "0" * 64})
    with pytest.raises(ModelError, match=r"model\.safetensors has sha256 53aa51172d14\.\.\., expected 000000000000"):
        language_model.load_encoder(other)


def test_a_prompt_is_the_wording_in_which_the_model_gets_a_text(tmp_path: Path) -> None:
    prompted = view(prompt="A movie about this: {}").extract(TEXTS[:2], FeatureStore(tmp_path / "a"))
    plain = view().extract([f"A movie about this: {text}" for text in TEXTS[:2]], FeatureStore(tmp_path / "b"))
    np.testing.assert_array_equal(prompted, plain)


def test_a_prompt_without_a_place_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"prompt: needs \{\} where the text goes, got 'A movie'"):
        view(prompt="A movie")


def test_a_model_without_all_its_weights_is_refused(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = save_bert(tmp_path / "bert")
    weights = load_file(folder / "model.safetensors")
    weights.pop(next(name for name in weights if "query.weight" in name))
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"has no weights for .*query\.weight; give all of them"):
        view(model=str(folder)).extract(["a shark"], FeatureStore(tmp_path / "store"))


def test_a_damaged_model_ends_in_one_line(tmp_path: Path) -> None:
    folder = save_bert(tmp_path / "bert")
    (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:300])
    with pytest.raises(ModelError, match=r"bert' cannot be loaded .*give a folder with all files"):
        view(model=str(folder)).extract(["a shark"], FeatureStore(tmp_path / "store"))


def test_a_model_of_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="vit is no model of texts, or lacks the files of its tokenizer"):
        view(model=str(save_vision(tmp_path / "vit", "vit"))).extract(["a shark"], FeatureStore(tmp_path / "store"))
