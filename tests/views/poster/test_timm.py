"""timm for real: models of its own classes, made on the spot. `make test-timm` installs it; elsewhere these are skipped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cinealign.errors import ModelError
from cinealign.views.poster.vision_model import VisionModelView
from cinealign.views.registry import VIEWS
from cinealign.views.store import FeatureStore
from cinealign.views.torchvision_import import allow_torchvision
from tests.views.drawn import draw_pattern
from tests.views.intro.test_language_model import view as language_view
from tests.views.tiny_models import save_vision

allow_torchvision()
timm = pytest.importorskip("timm")

SMALL: dict[str, dict[str, Any]] = {
    "vit_tiny_patch16_224": {"img_size": 32, "embed_dim": 12, "depth": 1, "num_heads": 2},
    "resnet10t": {"channels": (4, 4, 8, 8)},
    "swin_tiny_patch4_window7_224": {
        "img_size": 32, "embed_dim": 8, "depths": (1, 1), "num_heads": (1, 2), "window_size": 4,
    },
}  # fmt: skip


def save_timm(folder: Path, name: str) -> Path:
    """A small model of that family in `folder`, as the hub has timm's models."""
    torch.manual_seed(0)
    network = timm.create_model(name, pretrained=False, **SMALL[name])
    timm.models.save_for_hf(network, folder, safe_serialization=True, model_args=SMALL[name])
    return folder


def view(folder: Path, **options: str) -> VisionModelView:
    built = VIEWS.build("vision_model", {"model": str(folder), "library": "timm", "precision": "float32", **options})
    assert isinstance(built, VisionModelView)
    return built


@pytest.mark.parametrize("name", SMALL)
def test_every_family_as_timm_itself_sees_it(tmp_path: Path, name: str) -> None:
    posters = [draw_pattern(tmp_path / f"{i}.png", i) for i in range(3)]
    folder = save_timm(tmp_path / "model", name)
    state = torch.random.get_rng_state()
    features = view(folder).extract(posters, FeatureStore(tmp_path / "store"))
    assert torch.equal(state, torch.random.get_rng_state())
    network = timm.create_model(f"local-dir:{folder}", pretrained=True, num_classes=0).eval()
    prepare = timm.data.create_transform(**timm.data.resolve_model_data_config(network), is_training=False)
    from PIL import Image

    pixels = torch.stack([prepare(Image.open(poster.path).convert("RGB")) for poster in posters])
    with torch.inference_mode():
        np.testing.assert_allclose(features, network(pixels).numpy(), atol=1e-5)
    assert np.abs(features[0] - features[1]).max() > 1e-5


def test_pooling(tmp_path: Path) -> None:
    posters, store = [draw_pattern(tmp_path / "0.png", 0)], FeatureStore(tmp_path / "store")
    vit = save_timm(tmp_path / "vit", "vit_tiny_patch16_224")
    auto, cls, mean = (view(vit, pooling=pooling).extract(posters, store) for pooling in ("auto", "cls", "mean"))
    np.testing.assert_allclose(auto, cls, atol=1e-6)  # this family's own pooling
    assert np.abs(mean - cls).max() > 1e-4
    for name in ("resnet10t", "swin_tiny_patch4_window7_224"):
        folder = save_timm(tmp_path / name, name)
        own = view(folder).extract(posters, store)
        np.testing.assert_allclose(view(folder, pooling="mean").extract(posters, store), own, atol=1e-6)
        with pytest.raises(ModelError, match="has no class token; use pooling: mean"):
            view(folder, pooling="cls").extract(posters, store)


def test_files_that_are_not_timms(tmp_path: Path) -> None:
    posters, store = [draw_pattern(tmp_path / "0.png", 0)], FeatureStore(tmp_path / "store")
    with pytest.raises(ModelError, match=r"cannot be loaded .*give a folder with all files"):
        view(save_vision(tmp_path / "vit", "vit")).extract(posters, store)
    folder = save_timm(tmp_path / "lacking", "resnet10t")
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    weights.pop(next(name for name in weights if name.endswith("conv1.weight")))
    save_file(weights, folder / "model.safetensors")
    with pytest.raises(ModelError, match=r"cannot be loaded .*conv1"):
        view(folder).extract(posters, store)


def test_the_others_work_beside_torchvision(tmp_path: Path) -> None:
    posters, store = [draw_pattern(tmp_path / "0.png", 0)], FeatureStore(tmp_path / "store")
    assert (
        VIEWS.build("vision_model", {"model": str(save_vision(tmp_path / "vit", "vit"))}).extract(posters, store).any()
    )
    assert language_view().extract(["a shark"], store).shape == (1, 384)
