from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cinealign.errors import ModelError
from cinealign.views.joint.clip import ClipIntroView, ClipPosterView, chunks
from cinealign.views.registry import VIEWS
from cinealign.views.store import FeatureStore
from cinealign.views.weights import WEIGHTS_VARIABLE
from tests.views.drawn import draw_pattern
from tests.views.tiny_models import save_clip, save_vision

LONG = "A shark eats the town. People run! A bank heist. Love love love love love love love love love love love love."


def views(model: str) -> tuple[ClipPosterView, ClipIntroView]:
    options = {"model": model, "precision": "float32"}
    poster, intro = VIEWS.build("clip_poster", options), VIEWS.build("clip_intro", options)
    assert isinstance(poster, ClipPosterView) and isinstance(intro, ClipIntroView)
    return poster, intro


@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_both_sides_share_a_space(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    save_clip(tmp_path / "weights" / "someone" / "tiny", kind)
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(tmp_path / "weights"))
    poster, intro = views("someone/tiny")
    store = FeatureStore(tmp_path / "store")
    pictures = poster.extract([draw_pattern(tmp_path / f"{i}.png", i) for i in range(3)], store)
    texts = intro.extract(["A shark.", LONG, ""], store)
    assert pictures.shape == texts.shape == (3, 8) and pictures.dtype == texts.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(np.concatenate([pictures, texts]), axis=1), 1, atol=1e-5)
    assert np.abs(pictures[0] - pictures[1]).max() > 1e-4
    alone = views("someone/tiny")[1].extract([LONG], FeatureStore(tmp_path / "other"))
    np.testing.assert_allclose(alone[0], texts[1], atol=1e-5)


def test_long_texts_are_read_to_the_end(tmp_path: Path) -> None:
    _, intro = views(str(save_clip(tmp_path / "tiny")))
    parts = intro._model.chunks(LONG)
    assert parts[0] == "A shark eats the town. People run!" and len(parts) > 2
    assert " ".join(parts) == LONG
    assert all(intro._model._length(part) <= 12 for part in parts)
    store = FeatureStore(tmp_path / "store")
    whole, start = intro.extract([LONG, parts[0]], store)
    separate = intro.extract(parts, store)
    mean = separate.mean(axis=0)
    np.testing.assert_allclose(whole, mean / np.linalg.norm(mean), atol=1e-5)
    assert np.abs(whole - start).max() > 1e-3  # the rest counts


def test_chunks_by_hand() -> None:
    def fits(text: str) -> bool:
        return len(text.split()) <= 3

    assert chunks("a b c", fits) == ["a b c"]
    assert chunks("a b. c. d e f.", fits) == ["a b. c.", "d e f."]
    assert chunks("a b c d. e", fits) == ["a b c", "d. e"]
    assert chunks("导演。演员。", lambda text: len(text) <= 3) == ["导演。", "演员。"]


def test_missing_weights_say_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(WEIGHTS_VARIABLE, raising=False)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    poster, _ = views("openai/no-such-clip")
    with pytest.raises(ModelError, match=r"'openai/no-such-clip' and they are not on this machine; pass --weights DIR"):
        poster.extract([draw_pattern(tmp_path / "0.png", 0)], FeatureStore(tmp_path))


def test_another_model_is_refused(tmp_path: Path) -> None:
    poster, _ = views(str(save_vision(tmp_path / "vit", "vit")))
    with pytest.raises(ModelError, match="is a ViTModel; give a CLIP or SigLIP model"):
        poster.extract([draw_pattern(tmp_path / "0.png", 0)], FeatureStore(tmp_path))
