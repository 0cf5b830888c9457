from __future__ import annotations

import numpy as np
import pytest

from cinealign.experts.base import TrainingSet, normalised
from cinealign.experts.cca import CcaExpert, CcaOptions
from tests import reference
from tests.experts.pairs import found, linked


def fitted(training: TrainingSet, **options: float) -> CcaExpert:
    return CcaExpert(CcaOptions(poster=["look"], intro=["text"], **options)).fit(training, seed=0)


@pytest.mark.parametrize("widths", [(7, 5), (5, 9), (40, 6)])  # the last has more features than movies
@pytest.mark.parametrize("ridge", [0.1, 5.0])
def test_equals_the_textbook(widths: tuple[int, int], ridge: float) -> None:
    training = linked(31, widths)
    others = linked(9, widths, seed=1)
    expert = fitted(training, ridge=ridge, dimensions=4)
    x, y = (np.asarray(side, dtype=np.float64) for side in (training.poster["look"], training.intro["text"]))
    map_x, map_y = reference.ridge_cca(x, y, ridge, 4)
    poster = normalised((others.poster["look"] - x.mean(axis=0)) @ map_x)
    intro = normalised((others.intro["text"] - y.mean(axis=0)) @ map_y)
    ours = expert.encode_poster(others.poster) @ expert.encode_intro(others.intro).T
    np.testing.assert_allclose(ours, poster @ intro.T, atol=2e-4)


def test_finds_partners_it_has_not_seen() -> None:
    expert = fitted(linked(200, (12, 9)), ridge=0.1, dimensions=4)
    others = linked(50, (12, 9), seed=1)
    assert found(expert.encode_poster(others.poster), expert.encode_intro(others.intro)) > 0.8


def test_no_more_dimensions_than_the_data_have() -> None:
    expert = fitted(linked(20, (3, 8)), dimensions=64)
    assert expert.encode_poster(linked(5, (3, 8)).poster).shape == (5, 3)


def test_one_side_without_any_difference_judges_nothing() -> None:
    training = linked(12, (4, 5))
    same = TrainingSet({"look": np.ones((12, 4), np.float32)}, training.intro, 12)
    expert = fitted(same)
    similarities = expert.encode_poster(same.poster) @ expert.encode_intro(same.intro).T
    assert similarities.shape == (12, 12) and not similarities.any()


def test_several_views_count_equally_whatever_their_scale() -> None:
    training, more = linked(40, (6, 5)), linked(40, (3, 2), seed=2)
    options = CcaOptions(poster=["look", "other"], intro=["text"], dimensions=3)

    def similarities(scale: float) -> np.ndarray:
        side = {"look": training.poster["look"], "other": np.asarray(more.poster["look"]) * np.float32(scale)}
        both = TrainingSet(side, training.intro, 40)
        expert = CcaExpert(options).fit(both, seed=0)
        return expert.encode_poster(both.poster) @ expert.encode_intro(both.intro).T

    np.testing.assert_allclose(similarities(1.0), similarities(1000.0), atol=1e-4)
