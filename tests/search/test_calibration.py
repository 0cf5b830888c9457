"""Chances that come true: on drawn scores whose truth is known, and only then."""

from __future__ import annotations

import numpy as np
import pytest

from cinealign.errors import DataError
from cinealign.search.calibration import Calibration, Evidence, expected_rank, mass, reliability


def drawn(queries: int, gallery: int, strength: float, seed: int) -> Evidence:
    """Scores in which the partner stands out by a normal amount that grows with how much the query says."""
    dice = np.random.default_rng(seed)
    scores = 0.05 * dice.standard_normal((queries, gallery))
    own = dice.integers(0, gallery, queries)
    amount = dice.integers(1, 60, queries).astype(np.float64)
    scores[np.arange(queries), own] += 0.05 * strength * (0.3 + amount / 30) * dice.random(queries) * 2
    return Evidence(scores.astype(np.float32), own, amount, dice.integers(1, 60, gallery).astype(np.float64))


@pytest.mark.parametrize("strength", [1.0, 2.5])
def test_chances_come_true_on_other_queries_in_a_larger_gallery(strength: float) -> None:
    calibration = Calibration.fit([drawn(400, 300, strength, seed) for seed in range(3)])
    chances, right = calibration.top_chances(drawn(1500, 500, strength, 9))
    told = reliability(chances, right, calibration.limit)
    assert told["ece"] < 0.06 and told["interval"][0] <= told["ece"] <= told["interval"][1] + 0.02
    assert sum(each["n"] for each in told["bins"]) == told["n"] == 1500
    assert told["no_good_match"]["right"] <= 0.1
    if strength > 2:  # confident where it can be, and there only
        assert right[chances > 0.8].mean() > 0.75 and right[chances < 0.2].mean() < 0.25


def test_a_query_that_says_more_is_trusted_more() -> None:
    calibration = Calibration.fit([drawn(600, 300, 2.0, seed) for seed in range(3)])
    evidence = drawn(1500, 300, 2.0, 9)
    chances, right = calibration.top_chances(evidence)
    much, little = evidence.query_amount > 40, evidence.query_amount < 15
    assert right[much].mean() > right[little].mean() + 0.2  # so it is drawn
    assert chances[much].mean() == pytest.approx(right[much].mean(), abs=0.08)
    assert chances[little].mean() == pytest.approx(right[little].mean(), abs=0.08)


def test_chances_without_any_signal_are_small() -> None:
    calibration = Calibration.fit([drawn(400, 300, 0.0, seed) for seed in range(3)])
    chances, right = calibration.top_chances(drawn(800, 300, 0.0, 9))
    assert chances.max() < 0.2 and right.mean() < 0.02 and chances.mean() < 0.03


def test_it_is_read_back_as_it_was() -> None:
    calibration = Calibration.fit([drawn(100, 80, 2.0, 1)])
    assert Calibration.from_json(calibration.to_json()) == calibration
    with pytest.raises(DataError, match="a calibration needs 40 train pairs, got 20; pass --no-chances"):
        Calibration.fit([drawn(20, 80, 2.0, 1)])


def test_mass_and_rank_against_the_obvious_sums() -> None:
    dice = np.random.default_rng(0)
    scores = np.sort(dice.standard_normal(50))[::-1]
    slope = 2.0
    terms = np.exp(slope * scores)
    others = mass(slope, scores[:7], scores, 50)
    np.testing.assert_allclose(np.exp(others), [terms.sum() - term for term in terms[:7]], rtol=1e-9)
    ranks = (terms * np.arange(1, 51)).sum() / terms.sum()
    assert expected_rank(slope, scores[:7], scores, 50) == pytest.approx(ranks, rel=1e-9)
    assert expected_rank(slope, scores, scores, 50) == pytest.approx(ranks, rel=1e-9)
    # a sample of half the others stands for all of them
    half = np.concatenate([scores[:7], scores[7::2]])
    assert np.exp(mass(slope, scores[:7], half, 50))[0] == pytest.approx(terms[1:].sum(), rel=0.15)
