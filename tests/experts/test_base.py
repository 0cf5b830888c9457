from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cinealign.errors import ConfigError
from cinealign.experts.base import Centring, Inputs, TrainingSet, normalised, seen
from cinealign.experts.registry import EXPERTS
from cinealign.state import State
from tests.experts.pairs import linked

QUICK = {"epochs": 2, "batch_size": 16}
EXPERT_OPTIONS: dict[str, dict[str, Any]] = {
    "cca": {"dimensions": 3},
    "contrastive": {"dimensions": 4, "training": QUICK},
    "memory": {},
    "shared_space": {},
}


@pytest.mark.parametrize("name", sorted(EXPERT_OPTIONS))
def test_state_round_trip_gives_equal_encodings(name: str, tmp_path: Path) -> None:
    training, others = linked(30, (6, 6)), linked(11, (6, 6), seed=1)
    options = {"poster": "look", "intro": "text", **EXPERT_OPTIONS[name]}
    expert = EXPERTS.build(name, options).fit(training, seed=0)
    expert.state().save(tmp_path / "state.safetensors")
    back = EXPERTS.build(name, options).load_state(State.load(tmp_path / "state.safetensors"))
    assert np.array_equal(back.encode_poster(others.poster), expert.encode_poster(others.poster))
    assert np.array_equal(back.encode_intro(others.intro), expert.encode_intro(others.intro))
    assert back.history == expert.history
    assert expert.encode_poster(others.poster).dtype == np.float32


def test_take_keeps_both_sides_paired() -> None:
    training = TrainingSet({"look": np.arange(5)}, {"text": ["a", "b", "c", "d", "e"]}, 5)
    part = training.take(np.array([3, 1]))
    assert part.poster["look"].tolist() == [3, 1]  # type: ignore[union-attr]
    assert part.intro["text"] == ["d", "b"] and part.size == 2


def test_normalised_keeps_zero_rows() -> None:
    rows = np.array([[3, 4], [0, 0]], dtype=np.float32)
    np.testing.assert_allclose(normalised(rows), [[0.6, 0.8], [0, 0]])
    assert seen(rows).tolist() == [True, False]


def test_centring_is_by_the_rows_that_hold_something() -> None:
    rows = np.array([[2, 0], [4, 0], [0, 0]], dtype=np.float32)
    centre = Centring.fit(rows)
    assert centre.mean.tolist() == [3, 0]
    assert centre(rows).tolist() == [[-1, 0], [1, 0], [0, 0]]


def test_inputs_have_equal_variance_and_a_constant_view_counts_nothing() -> None:
    dice = np.random.default_rng(0)
    views = {
        "small": dice.standard_normal((50, 2)).astype(np.float32),
        "large": 100 * dice.standard_normal((50, 7)).astype(np.float32),
        "constant": np.full((50, 3), 5, dtype=np.float32),
    }
    out = Inputs.fit(["small", "large", "constant"], views)(views)
    variances = [float((part**2).sum(axis=1).mean()) for part in np.split(out, [2, 9], axis=1)]
    np.testing.assert_allclose(variances, [1, 1, 0], rtol=1e-4)


@pytest.mark.parametrize("expert", ["cca", "contrastive", "memory", "shared_space", "residual_ridge"])
@pytest.mark.parametrize(
    ("given", "said"),
    [
        (np.zeros((4, 3, 6, 5), dtype=np.uint8), r"\(4, 3, 6, 5\) of uint8"),
        (np.ones((4, 7), dtype=np.int64), r"\(4, 7\) of int64"),  # word numbers are no amounts
        (np.zeros((4, 2, 3), dtype=np.float16), r"\(4, 2, 3\) of float16"),
        (["a shark", "love", "", "war"], "texts"),
        (np.array(["a shark", "love", "", "war"], dtype=object), "texts"),
    ],
    ids=["pixels", "tokens", "states", "texts", "array of texts"],
)
def test_only_features_are_calculated_with(expert: str, given: Any, said: str) -> None:
    features = np.random.default_rng(0).normal(size=(4, 5)).astype("f4")
    built = EXPERTS.build(expert, {"poster": "p", "intro": "i"})
    for poster, intro, name in ((given, features, "p"), (features, given, "i")):
        with pytest.raises(ConfigError, match=rf"view '{name}' gives {said}, no features \(N, F\); give it a tower"):
            built.fit(TrainingSet({"p": poster}, {"i": intro}, 4), seed=0)
