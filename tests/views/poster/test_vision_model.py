from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cinealign.errors import ModelError
from cinealign.views.poster.vision_model import VisionModelView
from cinealign.views.registry import VIEWS
from cinealign.views.store import FeatureStore
from tests.views.drawn import draw_pattern
from tests.views.tiny_models import save_bert, save_clip, save_vision


def view(folder: Path, **options: str) -> VisionModelView:
    built = VIEWS.build("vision_model", {"model": str(folder), "precision": "float32", **options})
    assert isinstance(built, VisionModelView)
    return built


@pytest.mark.parametrize(("kind", "width"), [("resnet", 12), ("vit", 8), ("dinov2", 8), ("convnext", 12)])
def test_every_family(tmp_path: Path, kind: str, width: int) -> None:
    posters = [draw_pattern(tmp_path / f"{i}.png", i) for i in range(3)]
    folder = save_vision(tmp_path / "model", kind)
    features = view(folder).extract(posters, FeatureStore(tmp_path / "store"))
    assert features.shape == (3, width) and features.dtype == np.float32 and np.isfinite(features).all()
    again = view(folder).extract(posters[::-1], FeatureStore(tmp_path / "other"))[::-1]
    np.testing.assert_allclose(features, again, atol=1e-4)
    assert np.abs(features[0] - features[1]).max() > 1e-4


def test_pooling(tmp_path: Path) -> None:
    posters = [draw_pattern(tmp_path / "0.png", 0)]
    store = FeatureStore(tmp_path / "store")
    vit = save_vision(tmp_path / "vit", "vit")
    auto, cls, mean = (view(vit, pooling=pooling).extract(posters, store) for pooling in ("auto", "cls", "mean"))
    np.testing.assert_array_equal(auto, cls)
    assert np.abs(mean - cls).max() > 1e-4
    assert view(save_clip(tmp_path / "clip")).extract(posters, store).shape == (1, 8)


def test_pickled_weights_are_refused(tmp_path: Path) -> None:
    folder = save_vision(tmp_path / "vit", "vit")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"no \.safetensors file"):
        view(folder).settings()


def test_incomplete_weights_are_refused(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = save_vision(tmp_path / "vit", "vit")
    weights = load_file(folder / "model.safetensors")
    weights.pop(next(name for name in weights if "cls_token" in name))
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"has no weights for .*cls_token"):
        view(folder).extract([draw_pattern(tmp_path / "0.png", 0)], FeatureStore(tmp_path / "store"))


def test_timm_is_an_extra(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    try:
        import timm  # noqa: F401
    except ImportError:
        folder = save_vision(tmp_path / "vit", "vit")
        with pytest.raises(ModelError, match=r"pip install 'cinealign\[timm\]'"):
            view(folder, library="timm").extract([draw_pattern(tmp_path / "0.png", 0)], FeatureStore(tmp_path / "s"))


def test_a_class_token_is_not_made_up(tmp_path: Path) -> None:
    poster = draw_pattern(tmp_path / "0.png", 0)
    with pytest.raises(ModelError, match="has no class token; use pooling: mean"):
        view(save_vision(tmp_path / "resnet", "resnet"), pooling="cls").extract([poster], FeatureStore(tmp_path / "s"))


def test_another_kind_of_model_ends_in_one_line(tmp_path: Path) -> None:
    poster = draw_pattern(tmp_path / "0.png", 0)
    with pytest.raises(ModelError, match=r"bert' cannot be loaded .*give a folder with all files"):
        view(save_bert(tmp_path / "bert")).extract([poster], FeatureStore(tmp_path / "store"))
    folder = save_vision(tmp_path / "vit", "vit")
    (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:300])
    with pytest.raises(ModelError, match=r"vit' cannot be loaded .*SafetensorError"):
        view(folder).extract([poster], FeatureStore(tmp_path / "other"))
