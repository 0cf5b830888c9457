from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from cinealign.errors import ConfigError
from cinealign.experts.base import TrainingSet
from cinealign.experts.registry import EXPERTS
from cinealign.training.networks.poster_cnn import CnnTower, ResidualBlock, colour_jitter, random_crop, random_erasing
from cinealign.training.networks.registry import TOWERS
from cinealign.training.networks.towers import build_tower, tower_geometry

SPEC = TOWERS.parse({"tower": "cnn", "widths": [8, 16], "precision": "float32"})


def pictures(count: int, height: int = 24, width: int = 16) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, 3, height, width), dtype=torch.uint8, generator=generator)


def test_in_use_it_is_the_same_for_any_batch() -> None:
    rows = pictures(7)
    tower = build_tower(SPEC, 5, tower_geometry(SPEC, rows, None))
    tower.begin(rows, None)
    tower.eval()
    together = tower(rows)
    assert together.shape == (7, 5)
    torch.testing.assert_close(together, torch.cat([tower(rows[:3]), tower(rows[3:])]), atol=1e-5, rtol=1e-4)
    assert isinstance(tower, CnnTower)
    torch.testing.assert_close(tower.pixel_mean[:, 0, 0], rows.float().mean(dim=(0, 2, 3)))
    torch.testing.assert_close(
        tower.pixel_deviation[:, 0, 0], rows.float().std(dim=(0, 2, 3), correction=0), rtol=1e-4, atol=1e-3
    )


def test_in_training_it_is_random() -> None:
    rows = pictures(4)
    tower = build_tower(SPEC, 5, {}).train()
    assert not torch.equal(tower(rows), tower(rows))


@pytest.mark.parametrize("size", [(24, 16), (25, 17), (9, 11)])
def test_odd_sizes(size: tuple[int, int]) -> None:
    maps = torch.rand(2, 4, *size)
    block = ResidualBlock(4, 6, stride=2, skip=0.5).train()
    assert block(maps).shape == (2, 6, (size[0] + 1) // 2, (size[1] + 1) // 2)


def test_a_block_begins_as_its_shortcut() -> None:
    maps = torch.rand(2, 4, 6, 6)
    torch.testing.assert_close(ResidualBlock(4, 4, stride=1, skip=0.0).eval()(maps), maps)


def test_augmentation() -> None:
    torch.manual_seed(0)
    images = torch.randn(6, 3, 48, 32)
    torch.testing.assert_close(random_crop(images, 0.0, 0.0), images, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(random_crop(images, 0.0, 1.0), images.flip(3), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(colour_jitter(images, 0.0), images, atol=1e-5, rtol=1e-5)
    assert torch.equal(random_erasing(images, 0.0), images)
    erased = (random_erasing(images, 1.0) == 0).all(dim=1).float().mean(dim=(1, 2))
    assert (erased > 0).all() and (erased < 0.5).all()


def test_it_reads_pictures_only() -> None:
    with pytest.raises(ConfigError, match=r"got \(4, 9\) of float32; use the view 'pixels'"):
        tower_geometry(SPEC, torch.rand(4, 9), None)
    with pytest.raises(ConfigError, match="unknown tower 'vgg'; choose one of: bag, clip, cnn"):
        TOWERS.parse({"tower": "vgg"})


def test_it_learns_pairs_and_is_saved() -> None:
    colours = np.random.default_rng(0).integers(0, 256, (24, 3, 1, 1))
    pixels = np.broadcast_to(colours, (24, 3, 16, 12)).astype(np.uint8)
    intro = (colours[:, :, 0, 0] / 128 - 1).astype(np.float32)
    options: dict[str, Any] = {"poster": "pixels", "intro": "words", "poster_tower": SPEC, "dimensions": 16}
    training = {"epochs": 12, "batch_size": 8, "learning_rate": 5e-3}
    expert = EXPERTS.build("contrastive", {**options, "training": training})
    expert.fit(TrainingSet({"pixels": pixels}, {"words": intro}, 24), seed=0)
    poster, words = expert.encode_poster({"pixels": pixels}), expert.encode_intro({"words": intro})
    assert expert.history[-1]["loss"] < 0.8 * expert.history[0]["loss"]
    ranks = ((poster @ words.T) >= (poster * words).sum(axis=1, keepdims=True)).sum(axis=1)
    assert np.median(ranks) <= 5
    again = EXPERTS.build("contrastive", options).load_state(expert.state())
    np.testing.assert_allclose(again.encode_poster({"pixels": pixels}), poster, atol=1e-6)
    assert expert.encode_poster({"pixels": pixels[:0]}).shape == (0, 16)


def test_a_tower_reads_one_view() -> None:
    with pytest.raises(ConfigError, match="poster_tower reads one view, got 2 in poster: a, b"):
        EXPERTS.build("contrastive", {"poster": ["a", "b"], "intro": "i", "poster_tower": SPEC})
