from __future__ import annotations

import numpy as np
import pytest

from cinealign.experts.base import Vectors, normalised
from cinealign.experts.fusion import OutOfFold, fold_numbers, fuse, fusion_weights


def unit(*shape: int, seed: int = 0) -> Vectors:
    return normalised(np.random.default_rng(seed).standard_normal(shape))


@pytest.mark.parametrize(("count", "folds"), [(10, 5), (11, 5), (144, 7), (2, 2)])
def test_fold_sizes(count: int, folds: int) -> None:
    numbers = fold_numbers(count, folds, seed=3)
    sizes = np.bincount(numbers, minlength=folds)
    assert sizes.sum() == count and sizes.max() - sizes.min() <= 1
    assert np.array_equal(numbers, fold_numbers(count, folds, seed=3))


def test_fused_inner_product_is_the_weighted_sum_of_cosines() -> None:
    posters = [unit(6, 4, seed=1), unit(6, 9, seed=2), unit(6, 2, seed=3)]
    intros = [unit(5, 4, seed=4), unit(5, 9, seed=5), unit(5, 2, seed=6)]
    weights = np.array([0.5, 0.3, 0.2])
    expected = sum(w * p @ q.T for w, p, q in zip(weights, posters, intros, strict=True))
    np.testing.assert_allclose(fuse(posters, weights) @ fuse(intros, weights).T, expected, atol=1e-6)
    without = np.array([0.5, 0.0, 0.5])
    assert fuse(posters, without).shape == (6, 6)  # an expert of weight 0 takes no room


def folds(*noises: float, size: int = 40) -> list[OutOfFold]:
    """Two folds as seen by an expert a noise; at noise 0 partners are equal."""
    return [
        OutOfFold(
            [unit(size, 12, seed=fold) for _ in noises],
            [
                normalised(unit(size, 12, seed=fold) + noise * unit(size, 12, seed=100 * fold + at + 50))
                for at, noise in enumerate(noises)
            ],
        )
        for fold in (0, 1)
    ]


def test_a_useless_expert_gets_hardly_any_weight() -> None:
    weights = fusion_weights(folds(0.7, 1000.0), [None, None], temperature=0.02, steps=300)
    assert weights.sum() == pytest.approx(1) and weights[1] < 0.1
    swapped = fusion_weights(folds(1000.0, 0.7), [None, None], temperature=0.02, steps=300)
    assert swapped[0] < 0.1


def test_of_two_that_err_apart_both_count() -> None:
    weights = fusion_weights(folds(1.0, 1.0), [None, None], temperature=0.02, steps=300)
    assert weights.min() > 0.3


def test_fixed_weights_are_relative_to_the_free_ones() -> None:
    weights = fusion_weights(folds(0.7, 1000.0, 0.7), [None, None, 0.25], temperature=0.02, steps=100)
    assert weights[2] == pytest.approx(0.2) and weights[:2].sum() == pytest.approx(0.8)
    assert fusion_weights([], [None, 1.0], temperature=0.02, steps=1).tolist() == [0.5, 0.5]
    assert fusion_weights([], [3.0, 1.0], temperature=0.02, steps=1).tolist() == [0.75, 0.25]
