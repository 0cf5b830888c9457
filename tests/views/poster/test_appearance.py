from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cinealign.data.posters import Poster
from cinealign.errors import ConfigError, ModelError
from cinealign.views.poster import appearance, extraction
from cinealign.views.poster.appearance import AppearanceView
from cinealign.views.registry import VIEWS
from cinealign.views.store import FeatureStore
from tests.views.drawn import draw_pattern

SMALL = {"width": 96, "height": 128}


@pytest.fixture(scope="module")
def posters(tmp_path_factory: pytest.TempPathFactory) -> list[Poster]:
    folder = tmp_path_factory.mktemp("posters")
    return [draw_pattern(folder / f"{seed}.png", seed) for seed in range(7)]


def view(**options: Any) -> AppearanceView:
    built = VIEWS.build("appearance", {**SMALL, **options})
    assert isinstance(built, AppearanceView)
    return built


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def test_any_batch_size_gives_the_same(tmp_path: Path, posters: list[Poster], monkeypatch: pytest.MonkeyPatch) -> None:
    features = []
    for size in (1, 3, 32):
        monkeypatch.setattr(extraction, "BATCH", size)
        features.append(view(precision="float32").extract(posters, FeatureStore(tmp_path / str(size))))
    assert features[0].shape == (7, 1280) and features[0].dtype == np.float32
    assert features[0].min() >= 0 and features[0].max() <= 6 and features[0].std(axis=0).max() > 0
    np.testing.assert_allclose(features[0], features[2], atol=1e-4)
    np.testing.assert_allclose(features[1], features[2], atol=1e-4)


def test_all_outputs_come_from_one_pass_and_hits_load_nothing(
    tmp_path: Path, posters: list[Poster], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FeatureStore(tmp_path)
    pooled = view().extract(posters, store)
    network = appearance.load_network()
    monkeypatch.setattr(appearance, "load_network", lambda: pytest.fail("loaded"))
    np.testing.assert_array_equal(view().extract(posters[::-1], store)[::-1], pooled)
    logits = view(output="logits").extract(posters, store)
    with torch.inference_mode():
        expected = network._fc(torch.from_numpy(pooled)).numpy()  # type: ignore[operator]
    np.testing.assert_allclose(logits, expected, atol=1e-4)
    assert view(output="logits").extract([], store).shape == (0, 1000)
    assert view(output="earlier").extract(posters, store).shape == (7, 208)


def test_earlier_is_the_mean_of_the_maps_before_the_last_block(tmp_path: Path, posters: list[Poster]) -> None:
    earlier = view(output="earlier").extract(posters, FeatureStore(tmp_path))
    maps = VIEWS.build("appearance_map", {"width": 96, "height": 128}).extract(posters, FeatureStore(tmp_path / "maps"))
    np.testing.assert_allclose(
        earlier, np.asarray(maps, dtype=np.float32).mean(axis=(2, 3)), atol=5e-3
    )  # kept in float16


def test_it_gives_what_the_plain_network_gives(tmp_path: Path, posters: list[Poster]) -> None:
    from PIL import Image

    features = view().extract(posters, FeatureStore(tmp_path))
    network = appearance.load_network()
    for poster, found in zip(posters, features, strict=True):
        with Image.open(poster.path) as file:
            pixels = np.asarray(file.convert("RGB").resize((96, 128), Image.Resampling.BICUBIC), dtype=np.float32)
        image = torch.from_numpy((pixels - 127) / 128).permute(2, 0, 1)[None]
        with torch.inference_mode():
            expected = network.extract_features(image).mean(dim=(2, 3))[0].numpy()  # type: ignore[operator]
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_folded_norms_change_nothing() -> None:
    from efficientnet_lite_pytorch import EfficientNet

    from cinealign.views.weights import packaged_file

    plain = EfficientNet.from_name("efficientnet-lite2")
    path = packaged_file(appearance.PACKAGE, appearance.WEIGHTS, appearance.WEIGHTS_SHA256)
    plain.load_state_dict(torch.load(path, weights_only=True))
    image = torch.rand(2, 3, 128, 96, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.inference_mode():
        torch.testing.assert_close(appearance.load_network()(image), plain.eval()(image), atol=1e-3, rtol=1e-3)


def test_bfloat16_is_near_float32(tmp_path: Path, posters: list[Poster]) -> None:
    full, half = (view(precision=p).extract(posters, FeatureStore(tmp_path)) for p in ("float32", "bfloat16"))
    assert np.median(cosines(full, half)) > 0.995 and cosines(full, half).min() > 0.98  # flat drawings, small size
    assert (full != half).any()  # stored apart


def test_loading_leaves_the_random_state() -> None:
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    appearance.load_network()
    assert torch.rand(1) == expected


def test_other_weights_are_refused(tmp_path: Path, posters: list[Poster], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appearance, "WEIGHTS_SHA256", "0" * 64)
    with pytest.raises(ModelError, match=r"9656183e\.pth has sha256 9656183eaeaf"):
        view().extract(posters, FeatureStore(tmp_path))


def test_options_are_checked() -> None:
    with pytest.raises(ConfigError, match="output must be one of 'pooled', 'logits' or 'earlier', got 'maps'"):
        view(output="maps")
