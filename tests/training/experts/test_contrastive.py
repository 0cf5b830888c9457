from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from cinealign.errors import ConfigError
from cinealign.experts.base import Expert, TrainingSet
from cinealign.experts.registry import EXPERTS
from tests.experts.pairs import found, linked

TRAINING = {"epochs": 60, "batch_size": 50, "learning_rate": 0.01}


def build(**options: Any) -> Expert:
    spec = {"poster": "look", "intro": "text", "dimensions": 8, "dropout": 0.0, "training": TRAINING, **options}
    return EXPERTS.build("contrastive", spec)


@pytest.mark.parametrize("head", ["linear", "mlp", "residual"])
def test_learns_an_alignment(head: str) -> None:
    expert = build(head=head, hidden=32, drift_penalty=0.0).fit(linked(201, (8, 8)), seed=0)  # 201: not whole batches
    losses = [entry["loss"] for entry in expert.history]
    assert losses[-1] < losses[0] / 2
    others = linked(40, (8, 8), seed=1)
    assert found(expert.encode_poster(others.poster), expert.encode_intro(others.intro)) > 0.6


def test_the_same_seed_gives_the_same_bits_and_leaves_the_global_one_alone() -> None:
    training = linked(60, (6, 5))
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    one, two = (build(dropout=0.3).fit(training, seed=1).encode_poster(training.poster) for _ in range(2))
    assert torch.equal(torch.rand(1), expected)
    assert np.array_equal(one, two)
    assert not np.array_equal(one, build(dropout=0.3).fit(training, seed=2).encode_poster(training.poster))


def test_what_shows_nothing_has_a_zero_vector() -> None:
    training = linked(30, (6, 5))
    look = np.asarray(training.poster["look"]).copy()
    look[4] = 0
    expert = build().fit(TrainingSet({"look": look}, training.intro, 30), seed=0)
    vectors = expert.encode_poster({"look": look})
    assert not vectors[4].any()
    np.testing.assert_allclose(np.linalg.norm(np.delete(vectors, 4, axis=0), axis=1), 1, rtol=1e-5)


def test_residual_head_starts_at_the_zero_shot_cosine() -> None:
    training = linked(40, (6, 6))
    held = build(head="residual", drift_penalty=1e6, training={**TRAINING, "epochs": 1}).fit(training, seed=0)
    zero_shot = EXPERTS.build("shared_space", {"poster": "look", "intro": "text"}).fit(training, seed=0)
    np.testing.assert_allclose(held.encode_poster(training.poster), zero_shot.encode_poster(training.poster), atol=0.05)


def test_residual_head_needs_one_width() -> None:
    with pytest.raises(ConfigError, match="one width, got 6 numbers a poster and 5 an intro"):
        build(head="residual").fit(linked(20, (6, 5)), seed=0)


def test_one_pair_has_no_negative() -> None:
    with pytest.raises(ConfigError, match="at least 2 train pairs"):
        build().fit(linked(1, (6, 5)), seed=0)


def test_a_validation_curve_leaves_the_expert_as_it_is() -> None:
    training = linked(201, (8, 8))
    expert = build().fit(training, seed=0)
    before, history = expert.encode_poster(training.poster), list(expert.history)
    curve = expert.validate(training, seed=0)
    assert np.array_equal(expert.encode_poster(training.poster), before) and expert.history == history
    assert [entry["epoch"] for entry in curve] == [entry["epoch"] for entry in history]
    assert {entry["phase"] for entry in curve} == {"validation"}
    for key, sign in (("inner_accuracy", 1), ("inner_loss", -1), ("loss", -1)):
        assert sign * curve[-1][key] > sign * curve[0][key], key


def test_the_validation_curve_shows_over_fitting() -> None:
    """Where nothing links the sides, pairs are only remembered: no help with the left-out ones, a batch of 40."""
    dice = np.random.default_rng(3)
    look, text = (dice.standard_normal((200, 60)).astype(np.float32) for _ in range(2))
    training = TrainingSet({"look": look}, {"text": text}, 200)
    curve = build().fit(training, seed=0).validate(training, seed=0)
    assert curve[-1]["loss"] < 1 < np.log(40) < curve[-1]["inner_loss"]
    assert curve[-1]["inner_accuracy"] < 0.25


def test_there_is_one_curve_and_it_can_be_left_out() -> None:
    training = linked(60, (6, 5))
    assert build(validation=False).fit(training, seed=0).validate(training, seed=0) == []
    searching = build(training={**TRAINING, "early_stopping": {"patience": 60}}).fit(training, seed=0)
    assert searching.validate(training, seed=0) == []
    assert all("inner_loss" in entry for entry in searching.history if entry.get("phase") == "search")
    few = linked(10, (6, 5))
    assert build().fit(few, seed=0).validate(few, seed=0) == []


@pytest.mark.parametrize("options", [{"loss": {"loss": "info_nce", "bank": 64}}, {"mixup": 1.0}, {"seeds": 2}])
def test_a_curve_goes_with_every_way_to_train(options: dict[str, Any]) -> None:
    training = linked(60, (6, 5))
    expert = build(training={**TRAINING, "epochs": 3, "batch_size": 16}, **options).fit(training, seed=0)
    curve = expert.validate(training, seed=0)
    assert len(curve) == 3 and all(np.isfinite(entry["inner_loss"]) for entry in curve)
