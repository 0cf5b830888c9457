import numpy as np
import pytest

from cinealign.analysis.neighbours import traits
from cinealign.data.ratings import Ratings

ROWS = np.array([0, 2])


def test_overlap_and_common_labels_by_hand():
    labels = [("War", "Drama"), ("Drama",), ("Comedy", "Drama", "War"), ()]
    assert traits.overlap(labels, ROWS) == pytest.approx(
        np.array([[1, 1 / 2, 2 / 3, np.nan], [2 / 3, 1 / 3, 1, np.nan]]), nan_ok=True
    )
    assert traits.any_shared(labels, np.array([1])) == pytest.approx(np.array([[1, 1, 1, np.nan]]), nan_ok=True)
    assert traits.any_shared([("a",), ("b",)], np.array([0])).tolist() == [[1, 0]]


def test_decades_by_hand():
    found = traits.same_decade([1989, 1990, 1981, np.nan], ROWS)
    assert found == pytest.approx(np.array([[1, 0, 1, np.nan], [1, 0, 1, np.nan]]), nan_ok=True)


def test_palettes_overlap_by_their_shares():
    histograms = np.zeros((3, 125), dtype=np.float32)
    histograms[0, 0] = histograms[1, 1] = 1
    histograms[2, :2] = 0.5
    found = traits.palette_overlap(histograms, np.array([0, 2]))
    half = np.sqrt(0.5)
    assert found == pytest.approx(np.array([[1, 0, half], [half, half, 1]]), abs=1e-6)


def test_palettes_of_posters_are_shares(sample):
    found = traits.palettes(sample.posters[:5])
    assert found.shape == (5, 125)
    assert found.sum(axis=1) == pytest.approx(np.ones(5), abs=1e-5)


def test_co_rating_equals_the_correlation_over_common_users():
    generator = np.random.default_rng(0)
    table = np.where(generator.random((40, 6)) < 0.7, generator.integers(1, 6, (40, 6)), np.nan)
    user, row = np.nonzero(np.isfinite(table))
    ratings = Ratings(user, row, table[user, row], 40)
    found = traits.co_rating(ratings, 6, np.array([1, 4]), fewest=12)
    above = table - np.nanmean(table, axis=1, keepdims=True)
    for at, first in enumerate((1, 4)):
        for second in range(6):
            both = np.isfinite(above[:, first]) & np.isfinite(above[:, second])
            expected = np.corrcoef(above[both, first], above[both, second])[0, 1] if both.sum() >= 12 else np.nan
            assert found[at, second] == pytest.approx(expected, abs=1e-5, nan_ok=True)
    assert np.isnan(traits.co_rating(ratings, 6, np.array([1]), fewest=41)).all()
