from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from cinealign.data.posters import Poster
from cinealign.errors import ConfigError
from cinealign.views.poster import classical_blocks as blocks
from cinealign.views.poster.classical import ClassicalView
from cinealign.views.poster.visual_words import FORMS, codebook, roots, word_shares
from cinealign.views.registry import VIEWS
from cinealign.views.store import FeatureStore
from tests.views.drawn import draw_pattern


def view(**options: Any) -> ClassicalView:
    built = VIEWS.build("classical", options)
    assert isinstance(built, ClassicalView)
    return built


@pytest.fixture(scope="module")
def posters(tmp_path_factory: pytest.TempPathFactory) -> list[Poster]:
    folder = tmp_path_factory.mktemp("posters")
    blank = folder / "blank.png"
    Image.new("RGB", (182, 268), "black").save(blank)
    return [*(draw_pattern(folder / f"{i}.png", i) for i in range(8)), Poster.of(blank)]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> FeatureStore:
    return FeatureStore(tmp_path_factory.mktemp("store"))


def test_blocks_are_finite_and_weigh_the_same(posters: list[Poster], store: FeatureStore) -> None:
    built = view(codebook=8)
    extracted = built.extract(posters, store)
    features = built.fit(extracted).transform(extracted)
    assert np.isfinite(features).all() and features.dtype == np.float32
    np.testing.assert_allclose(features.mean(axis=0), 0, atol=1e-5)
    alone = view(codebook=8).load_state(built.state()).transform(extracted[3:4])
    np.testing.assert_allclose(alone[0], features[3], atol=1e-6)


@pytest.mark.parametrize("name", [*blocks.BLOCKS, "visual_words"])
def test_each_block_can_be_switched_off(posters: list[Poster], store: FeatureStore, name: str) -> None:
    extracted = view().extract(posters, store)
    every = view(codebook=8).fit(extracted).transform(extracted).shape[1]
    without = view(codebook=8, **{name: False}).fit(extracted).transform(extracted).shape[1]
    expected = 8 if name == "visual_words" else blocks.places()[name].stop - blocks.places()[name].start
    assert every - without == expected
    with pytest.raises(ConfigError, match="every block is switched off"):
        view(**dict.fromkeys([*blocks.BLOCKS, "visual_words"], False))


def test_the_codebook_is_of_train_posters_only(posters: list[Poster], store: FeatureStore) -> None:
    extracted = view().extract(posters, store)
    few = view(codebook=8).fit(extracted[:4])
    state = few.state().arrays["words"].copy()
    few.transform(extracted)
    np.testing.assert_array_equal(few.state().arrays["words"], state)
    assert not np.array_equal(view(codebook=8).fit(extracted).state().arrays["words"], state)


def test_colours_by_hand() -> None:
    red = np.zeros((192, 128, 3), dtype=np.uint8)
    red[:, :, 0] = 255
    quarter = blocks.colour(red)[:32]
    assert quarter[0] == 1 and quarter[1:16].sum() == 0  # all in the first hue
    grey = np.full((192, 128, 3), 128, dtype=np.uint8)
    assert blocks.colour(grey)[:16].sum() == 0  # no hue
    np.testing.assert_allclose(blocks.dominant(grey)[:4], [53.6, 0, 0, 1], atol=0.1)


def test_visual_words_by_hand() -> None:
    form = FORMS["orb"]
    descriptors = np.repeat(np.array([[0], [255]], dtype=np.uint8), 32, axis=1)
    words = codebook([descriptors, descriptors], 5, form)
    assert len(words) == 2  # no more words than different descriptors
    shares = word_shares(descriptors[[0, 0, 0, 1]], words, form)
    np.testing.assert_allclose(sorted(shares), [0.5, np.sqrt(0.75)], atol=1e-6)
    assert word_shares(descriptors[:0], words, form).tolist() == [0, 0]
    assert codebook([descriptors[:0]], 5, form).shape == (1, 256)


def test_root_sift_by_hand() -> None:
    descriptors = np.zeros((2, 128), dtype=np.uint8)
    descriptors[0, :2] = 9, 16
    found = roots(descriptors)
    np.testing.assert_allclose(found[0, :3], [0.6, 0.8, 0], atol=1e-6)
    assert not found[1].any()  # no gradient at all: no division by 0


def test_visual_words_of_sift(posters: list[Poster], store: FeatureStore) -> None:
    only = {**dict.fromkeys(blocks.BLOCKS, False), "codebook": 8}
    found = {}
    for kind, space in (("orb", 256), ("sift", 128)):
        built = view(**only, descriptors=kind)
        extracted = built.extract(posters, store)
        found[kind] = built.fit(extracted).transform(extracted)
        assert found[kind].shape == (9, 8) and built.state().arrays["words"].shape == (8, space)
        assert not extracted[-1].descriptors.size  # a blank poster has no corner and no blob
        again = view(**only, descriptors=kind).load_state(built.state())
        np.testing.assert_array_equal(again.transform(extracted), found[kind])
    assert np.abs(found["orb"] - found["sift"]).max() > 0.1
    assert extracted[0].descriptors.shape[1] == 128 and 1 <= len(extracted[0].descriptors) <= 200
    with pytest.raises(ConfigError, match="descriptors must be one of 'orb' or 'sift', got 'surf'"):
        view(descriptors="surf")
