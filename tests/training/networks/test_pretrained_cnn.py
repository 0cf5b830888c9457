from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from cinealign.errors import ConfigError
from cinealign.experts.base import TrainingSet
from cinealign.experts.registry import EXPERTS
from cinealign.training.networks.pretrained_cnn import PretrainedCnnTower
from cinealign.training.networks.registry import TOWERS
from cinealign.training.networks.towers import build_tower, tower_geometry
from cinealign.views.registry import VIEWS
from cinealign.views.store import FeatureStore
from tests.views.drawn import draw_pattern

SIZE = {"width": 64, "height": 96, "precision": "float32"}


def test_it_begins_as_the_frozen_network_and_learns(tmp_path: Path) -> None:
    posters = [draw_pattern(tmp_path / f"{i}.png", i) for i in range(6)]
    store = FeatureStore(tmp_path / "store")
    maps = np.asarray(VIEWS.build("appearance_map", SIZE).extract(posters, store))
    frozen = np.asarray(VIEWS.build("appearance", SIZE).extract(posters, store))
    assert maps.shape == (6, 208, 3, 2) and maps.dtype == np.float16
    tower = build_tower(TOWERS.parse({"tower": "pretrained_cnn"}), 4, {}).eval()
    assert isinstance(tower, PretrainedCnnTower)
    with torch.inference_mode():
        pooled = tower.pooled(torch.from_numpy(maps).float()).numpy()
    np.testing.assert_allclose(pooled, frozen, atol=2e-2)

    intro = np.random.default_rng(0).standard_normal((6, 8)).astype(np.float32)
    options = {"poster": "m", "intro": "i", "poster_tower": {"tower": "pretrained_cnn"}, "dimensions": 4}
    training = {"epochs": 4, "batch_size": 6, "learning_rate": 1e-3}
    expert = EXPERTS.build("contrastive", {**options, "training": training})
    expert.fit(TrainingSet({"m": maps}, {"i": intro}, 6), seed=0)
    vectors = expert.encode_poster({"m": maps})
    again = EXPERTS.build("contrastive", options).load_state(expert.state())
    np.testing.assert_allclose(again.encode_poster({"m": maps}), vectors, atol=1e-5)
    learned = next(array for key, array in expert.state().arrays.items() if key.endswith("poster.tower.head.weight"))
    assert np.abs(learned - tower.state_dict()["head.weight"].numpy()).max() > 1e-5


def test_it_reads_maps_only() -> None:
    with pytest.raises(ConfigError, match=r"got \(3, 9\); use the view 'appearance_map'"):
        tower_geometry(TOWERS.parse({"tower": "pretrained_cnn"}), torch.rand(3, 9), None)
