from __future__ import annotations

import numpy as np

from cinealign.experts.base import TrainingSet
from cinealign.experts.registry import EXPERTS
from tests.experts.pairs import found, linked

SPEC = {"poster": "look", "intro": "text"}


def test_recalls_train_pairs_however_unrelated_the_sides_are() -> None:
    dice = np.random.default_rng(0)
    look, text = (dice.standard_normal((60, 30)).astype(np.float32) for _ in range(2))
    training = TrainingSet({"look": look}, {"text": text}, 60)
    expert = EXPERTS.build("memory", SPEC).fit(training, seed=0)
    poster, intro = expert.encode_poster(training.poster), expert.encode_intro(training.intro)
    assert found(poster, intro) == found(intro, poster) == 1
    np.testing.assert_allclose((poster * intro).sum(axis=1), 1, atol=0.05)


def test_says_nothing_about_what_is_new() -> None:
    training, others = linked(40, (30, 30), shared=30), linked(25, (30, 30), shared=30, seed=9)
    expert = EXPERTS.build("memory", SPEC).fit(training, seed=0)
    for vectors in (expert.encode_poster(others.poster), expert.encode_intro(others.intro)):
        assert np.linalg.norm(vectors, axis=1).max() < 1e-3


def test_vectors_are_never_longer_than_one() -> None:
    training = linked(30, (6, 6))
    twice = TrainingSet(*({name: np.repeat(rows, 2, axis=0) for name, rows in side.items()}
                          for side in (training.poster, training.intro)), 60)  # fmt: skip
    expert = EXPERTS.build("memory", SPEC).fit(twice, seed=0)
    lengths = np.linalg.norm(expert.encode_poster(training.poster), axis=1)
    assert lengths.max() <= 1 + 1e-6 and lengths.min() > 0.9


def test_a_poster_that_shows_nothing_is_not_remembered() -> None:
    training = linked(10, (5, 5))
    look = np.asarray(training.poster["look"]).copy()
    look[3] = 0
    expert = EXPERTS.build("memory", SPEC).fit(TrainingSet({"look": look}, training.intro, 10), seed=0)
    assert np.linalg.norm(expert.encode_poster({"look": look})[3]) < 1e-6
