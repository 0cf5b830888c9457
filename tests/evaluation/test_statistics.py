import statistics as plain

import numpy as np
import pytest

import cinealign.evaluation.statistics as module
from cinealign.errors import ConfigError, DataError
from cinealign.evaluation.statistics import bootstrap, bootstrap_interval, percentiles, wilson_interval
from tests import reference


@pytest.mark.parametrize("queries", [1, 2, 9, 10])
@pytest.mark.parametrize(("statistic", "slow"), [("mean", plain.fmean), ("median", plain.median)])
def test_equal_to_one_sample_at_a_time(queries, statistic, slow):
    values = np.random.default_rng(1).integers(1, 30, size=(queries, 3))
    drawn = bootstrap(values, statistic=statistic, samples=50, seed=8)
    for column in range(3):
        expected = reference.resampled(values[:, column].tolist(), slow, 50, seed=8)
        np.testing.assert_allclose(drawn[:, column], expected)


def test_draws_in_several_parts_are_still_one_draw_for_all_columns(monkeypatch):
    monkeypatch.setattr(module, "DRAWS_AT_ONCE", 100)
    hits = np.random.default_rng(0).random((30, 1)) < 0.4
    both = bootstrap(np.concatenate([hits, ~hits], axis=1), samples=20)
    np.testing.assert_allclose(both.sum(axis=1), 1)  # the same movies in both columns
    np.testing.assert_array_equal(both[:, :1], bootstrap(hits, samples=20))
    assert not np.array_equal(both[:, :1], bootstrap(hits, samples=20, seed=1))


def test_close_to_wilson_for_a_share_of_many():
    hits = np.arange(1000) < 300
    np.testing.assert_allclose(bootstrap_interval(hits)[0], wilson_interval(300, 1000), atol=0.005)


def test_covers_the_truth_about_as_often_as_it_says():
    generator = np.random.default_rng(4)
    covered = 0
    for trial in range(200):
        low, high = bootstrap_interval(generator.random(100) < 0.4, samples=300, seed=trial)[0]
        covered += low <= 0.4 <= high
    assert 0.88 <= covered / 200 <= 0.99


def test_one_value_has_an_interval_without_width():
    assert bootstrap_interval([1, 1, 1, 1]).tolist() == [[1, 1]]
    assert bootstrap_interval([7], statistic="median").tolist() == [[7, 7]]


def test_percentiles_and_wilson_known_by_hand():
    np.testing.assert_allclose(percentiles(np.arange(101), level=0.9), [[5, 95]])
    low, high = wilson_interval(0, 10)
    assert (low, round(high, 4)) == (0.0, 0.2775)
    low, high = wilson_interval(5, 10)
    assert low + high == pytest.approx(1)
    assert (round(low, 4), round(high, 4)) == (0.2366, 0.7634)


def test_refusals():
    with pytest.raises(DataError, match="of one item at least"):
        bootstrap([])
    with pytest.raises(DataError, match="finite numbers"):
        bootstrap([1.0, float("nan")])
    with pytest.raises(ConfigError, match="samples must be >= 1, got 0"):
        bootstrap([1.0], samples=0)
    with pytest.raises(ConfigError, match="statistic must be 'mean' or 'median', got 'mode'"):
        bootstrap([1.0], statistic="mode")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="level must be between 0 and 1"):
        bootstrap_interval([1.0], level=95)
    with pytest.raises(DataError, match=r"hits must be in \[0, queries\]"):
        wilson_interval(3, 2)
