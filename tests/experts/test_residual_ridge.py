from __future__ import annotations

import numpy as np
import pytest

from cinealign.errors import ConfigError
from cinealign.experts.base import TrainingSet
from cinealign.experts.registry import EXPERTS
from tests.experts.pairs import found, linked

SPEC = {"poster": "look", "intro": "text"}


def turned(size: int, seed: int = 0) -> TrainingSet:
    """Intros are the posters' vectors, turned by a quarter in one plane, with noise."""
    dice = np.random.default_rng(seed)
    look = dice.standard_normal((size, 6))
    turn = np.eye(6)
    turn[:2, :2] = [[0, 1], [-1, 0]]
    text = look @ turn + 0.1 * dice.standard_normal((size, 6))
    return TrainingSet({"look": look.astype(np.float32)}, {"text": text.astype(np.float32)}, size)


def test_a_turn_is_learned_and_carries_over() -> None:
    expert = EXPERTS.build("residual_ridge", {**SPEC, "ridge": 1}).fit(turned(200), seed=0)
    new = turned(80, seed=1)
    plain = EXPERTS.build("shared_space", SPEC).fit(turned(200), seed=0)
    poster, intro = expert.encode_poster(new.poster), expert.encode_intro(new.intro)
    assert found(poster, intro) > 0.9 > 0.7 > found(plain.encode_poster(new.poster), plain.encode_intro(new.intro))
    np.testing.assert_allclose(np.linalg.norm(poster, axis=1), 1, rtol=1e-5)


def test_a_strong_pull_leaves_the_shared_space() -> None:
    training = turned(50)
    expert = EXPERTS.build("residual_ridge", {**SPEC, "ridge": 1e6}).fit(training, seed=0)
    plain = EXPERTS.build("shared_space", SPEC).fit(training, seed=0)
    np.testing.assert_allclose(expert.encode_poster(training.poster), plain.encode_poster(training.poster), atol=1e-4)


def test_known_by_hand() -> None:
    # Two pairs in one dimension after centring: p = -1, 1 and q = -1, 1; A = B = (2 + ridge) / (2 + ridge) = 1.
    training = TrainingSet(
        {"look": np.array([[1.0], [3]], np.float32)}, {"text": np.array([[3.0], [5]], np.float32)}, 2
    )
    expert = EXPERTS.build("residual_ridge", SPEC).fit(training, seed=0)
    np.testing.assert_allclose(expert.state().arrays["map"], [[3.0]])


def test_nothing_seen_stays_zero_and_states_come_back() -> None:
    expert = EXPERTS.build("residual_ridge", SPEC).fit(turned(20), seed=0)
    rows = np.array([[0] * 6, [1, 2, 3, 4, 5, 6]], dtype=np.float32)
    again = EXPERTS.build("residual_ridge", SPEC).load_state(expert.state())
    assert not expert.encode_poster({"look": rows})[0].any()
    np.testing.assert_array_equal(again.encode_poster({"look": rows}), expert.encode_poster({"look": rows}))
    np.testing.assert_array_equal(again.encode_intro({"text": rows}), expert.encode_intro({"text": rows}))


def test_two_models_are_refused() -> None:
    with pytest.raises(ConfigError, match="'look' has 4 features and view 'text' has 5; both must come from one model"):
        EXPERTS.build("residual_ridge", SPEC).fit(linked(6, (4, 5)), seed=0)


def test_several_views_are_refused() -> None:
    with pytest.raises(ConfigError, match="compares one view of each side, got 2"):
        EXPERTS.build("residual_ridge", {**SPEC, "intro": ["text", "other"]})


def test_without_centring() -> None:
    # p = 1, 1 and q = 1, 1 as they are; A = B = (2 + ridge) / (2 + ridge) = 1, and a common offset is kept.
    training = TrainingSet(
        {"look": np.array([[1.0], [3]], np.float32)}, {"text": np.array([[3.0], [5]], np.float32)}, 2
    )
    expert = EXPERTS.build("residual_ridge", {**SPEC, "center": False}).fit(training, seed=0)
    np.testing.assert_allclose(expert.state().arrays["map"], [[3.0]])
    np.testing.assert_allclose(expert.encode_poster(training.poster), [[1.0], [1.0]])
