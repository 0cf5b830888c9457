from __future__ import annotations

import numpy as np
import pytest

from cinealign.errors import ConfigError
from cinealign.experts.base import TrainingSet
from cinealign.experts.registry import EXPERTS
from tests.experts.pairs import linked

SPEC = {"poster": "look", "intro": "text"}


def test_cosine_after_the_train_mean() -> None:
    look = np.array([[1, 0], [3, 0], [0, 0]], dtype=np.float32)  # the last poster shows nothing: no part of the mean
    text = np.array([[0, 1], [0, 5], [0, 0.0]], dtype=np.float32)
    expert = EXPERTS.build("shared_space", SPEC).fit(TrainingSet({"look": look}, {"text": text}, 3), seed=0)
    posters = expert.encode_poster({"look": np.array([[2, 1], [5, 0], [0, 0]], dtype=np.float32)})
    np.testing.assert_allclose(posters, [[0, 1], [1, 0], [0, 0]])
    np.testing.assert_allclose(expert.encode_intro({"text": np.array([[4, 3]], dtype=np.float32)}), [[1, 0]])


def test_without_centring() -> None:
    training = linked(9, (4, 4))
    expert = EXPERTS.build("shared_space", {**SPEC, "center": False}).fit(training, seed=0)
    rows = np.asarray(training.poster["look"])
    np.testing.assert_allclose(
        expert.encode_poster(training.poster), rows / np.linalg.norm(rows, axis=1, keepdims=True), rtol=1e-6
    )


def test_nothing_seen_by_any_train_poster() -> None:
    empty = TrainingSet({"look": np.zeros((3, 4), np.float32)}, linked(3, (4, 4)).intro, 3)
    expert = EXPERTS.build("shared_space", SPEC).fit(empty, seed=0)
    assert not expert.encode_poster(empty.poster).any() and np.isfinite(expert.encode_intro(empty.intro)).all()


def test_two_models_are_refused() -> None:
    with pytest.raises(ConfigError, match="'look' has 4 features and view 'text' has 5; both must come from one model"):
        EXPERTS.build("shared_space", SPEC).fit(linked(6, (4, 5)), seed=0)


def test_several_views_are_refused() -> None:
    with pytest.raises(ConfigError, match="compares one view of each side, got 2"):
        EXPERTS.build("shared_space", {**SPEC, "poster": ["look", "other"]})
