import json
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cinealign.errors import ConfigError, DataError
from cinealign.evaluation.comparison import (
    compare_runs,
    holm,
    mcnemar,
    minimal_detectable_difference,
    paired_bootstrap,
    permutation_test,
)
from cinealign.evaluation.statistics import bootstrap_interval

FIRST = np.array([1, 1, 1, 0, 0, 0, 0, 0, 1, 0])
SECOND = np.array([1, 0, 1, 1, 1, 1, 1, 1, 1, 0])


def test_paired_bootstrap_known_by_hand():
    found = paired_bootstrap(FIRST, SECOND)
    assert (found.movies, found.first, found.second) == (10, 0.4, 0.8)
    assert found.difference == pytest.approx(0.4)
    assert found.low < 0.4 < found.high
    other_way = paired_bootstrap(SECOND, FIRST)
    assert (other_way.low, other_way.high) == pytest.approx((-found.high, -found.low))
    assert other_way.p == found.p


def test_pairing_sees_what_two_single_intervals_hide():
    first = np.arange(1000) % 2
    second = first.copy()
    second[np.flatnonzero(first == 0)[:20]] = 1  # better on 20 movies, worse on none
    found = paired_bootstrap(first, second)
    assert found.low > 0
    assert found.p < 0.01
    assert bootstrap_interval(first)[0, 1] > bootstrap_interval(second)[0, 0]


def test_equal_runs_do_not_differ():
    found = paired_bootstrap(FIRST, FIRST)
    assert (found.difference, found.low, found.high, found.p) == (0, 0, 0, 1)
    assert mcnemar(FIRST, FIRST).p == 1.0


def test_mcnemar_known_by_hand():
    found = mcnemar(FIRST, SECOND)
    assert (found.only_first, found.only_second) == (1, 5)
    assert found.p == pytest.approx(2 * (1 + 6) / 64)  # X <= 1 of 6 fair coins, both sides
    assert mcnemar(SECOND == 1, FIRST == 1).only_first == 5


@given(st.integers(0, 12), st.integers(0, 12))
def test_mcnemar_equals_the_sum_of_binomials(b, c):
    first, second = [1] * b + [0] * c + [1], [0] * b + [1] * c + [1]
    tail = sum(comb(b + c, i) for i in range(min(b, c) + 1)) / 2 ** (b + c)
    assert mcnemar(first, second).p == pytest.approx(min(1.0, 2 * tail))


def test_holm_known_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.6]) == [1.0, 1.0]
    assert holm([0.2]) == [0.2]
    assert holm([]) == []


def runs(n=200):
    generator = np.random.default_rng(3)
    good, poor = generator.integers(1, 21, size=n), generator.integers(1, n + 1, size=n)
    return {
        "poor": {"poster_to_intro": poor, "intro_to_poster": poor[::-1]},
        "good": {"poster_to_intro": good, "intro_to_poster": poor},
        "best": {"poster_to_intro": np.minimum(good, 3), "intro_to_poster": good},
    }


def test_compares_every_pair_in_both_directions():
    pairs = compare_runs(runs(), range(100, 200), samples=200)
    assert [(pair["first"], pair["second"]) for pair in pairs] == [("poor", "good"), ("poor", "best"), ("good", "best")]
    assert all(pair["movies"] == 100 and pair["k"] == 10 for pair in pairs)
    first = pairs[0]
    assert first["poster_to_intro"]["difference"] > 0.2
    assert first["poster_to_intro"]["mcnemar"]["p_holm"] < 0.001
    directions = [first[direction]["difference"] for direction in ("poster_to_intro", "intro_to_poster")]
    assert first["sum"]["difference"] == pytest.approx(sum(directions))
    tests = [pair[d]["mcnemar"] for pair in pairs for d in ("poster_to_intro", "intro_to_poster")]
    assert [test["p_holm"] for test in tests] == holm([test["p"] for test in tests])
    assert [pair["sum"]["p_holm"] for pair in pairs] == holm([pair["sum"]["p"] for pair in pairs])
    json.dumps(pairs, allow_nan=False)


def test_only_the_chosen_rows_count():
    changed = runs()
    changed["good"]["poster_to_intro"][:100] = 200
    assert compare_runs(changed, range(100, 200), samples=20) == compare_runs(runs(), range(100, 200), samples=20)


def test_permutation_test_finds_a_relation_and_does_not_invent_one():
    D = np.random.default_rng(0).normal(size=(80, 80))
    nothing = permutation_test(D, range(40, 80), ratio=0.1, permutations=499)
    assert nothing["p"] > 0.05
    related = permutation_test(D - 2 * np.eye(80), range(40, 80), ratio=0.1, permutations=499)
    assert related["p"] == 1 / 500
    assert (related["movies"], related["k"]) == (40, 8)
    assert related["permuted_high"] < related["acc_sum"]
    assert related["permuted_mean"] == pytest.approx(0.2, abs=0.06)


def test_p_values_of_nothing_are_spread_evenly():
    generator = np.random.default_rng(9)
    found = [
        permutation_test(generator.normal(size=(30, 30)), range(30), ratio=0.2, permutations=99)["p"] for _ in range(60)
    ]
    assert 0 <= np.mean(np.array(found) <= 0.2) <= 0.35
    assert np.mean(found) > 0.4


@pytest.mark.parametrize("ratio", [0.0, 0.3, 1.0])
def test_permutation_test_counts_as_get_acc_does(ratio):
    from cinealign import get_acc

    D = np.random.default_rng(1).integers(0, 6, size=(20, 20)).astype(float)  # with ties
    found = permutation_test(D, range(20), ratio=ratio, permutations=9)
    assert found["acc_sum"] == pytest.approx(get_acc(D, ratio, 1) + get_acc(D, ratio, 0))
    swapped = permutation_test(D.T, range(20), ratio=ratio, permutations=9)
    assert swapped["acc_sum"] == pytest.approx(found["acc_sum"])


def test_permutation_test_equals_exchanging_the_intros_one_by_one():
    D, rows, k = np.random.default_rng(1).normal(size=(14, 14)), [3, 9, 4, 12, 0, 7], 4  # k = int(0.3 * 14)
    found = permutation_test(D, rows, ratio=0.3, permutations=40, seed=2)
    generator, sums = np.random.default_rng(2), []
    for _ in range(40):
        sums.append(0)
        for poster, intro in zip(rows, np.array(rows)[generator.permutation(6)], strict=True):
            sums[-1] += sum(D[poster] <= D[poster, intro]) <= k  # the poster finds its new intro
            sums[-1] += sum(D[:, intro] <= D[poster, intro]) <= k  # and the intro finds the poster
    assert found["permuted_mean"] == pytest.approx(np.mean(sums) / 6)
    assert found["permuted_high"] == pytest.approx(max(sums) / 6)
    assert found["p"] == pytest.approx((1 + sum(s / 6 >= found["acc_sum"] - 1e-9 for s in sums)) / 41)


def test_a_collapsed_matrix_shows_no_relation():
    assert permutation_test(np.zeros((40, 40)), range(40), permutations=99)["p"] == 1.0


def test_minimal_detectable_difference_has_the_power_it_says():
    movies, discordant = 1176, 0.2
    difference = minimal_detectable_difference(movies, discordant)
    assert 0.03 < difference < 0.04
    generator = np.random.default_rng(5)
    shares = [(discordant - difference) / 2, (discordant + difference) / 2, 1 - discordant]
    found = 0
    for only_first, only_second, _ in generator.multinomial(movies, shares, size=1000):
        test = mcnemar([1] * only_first + [0] * only_second + [1], [0] * only_first + [1] * only_second + [1])
        found += test.p < 0.05
    assert found / 1000 == pytest.approx(0.8, abs=0.06)
    assert minimal_detectable_difference(4 * movies, discordant) < difference
    assert minimal_detectable_difference(3, 0.1) == 0.1


def test_refusals():
    with pytest.raises(DataError, match="must answer the same items"):
        paired_bootstrap([1, 0], [1])
    with pytest.raises(DataError, match="needs hits, 0 or 1 an item"):
        mcnemar([1, 2], [1, 0])
    with pytest.raises(DataError, match=r"p-values must be a list of numbers in \[0, 1\]"):
        holm([0.5, 1.5])
    with pytest.raises(DataError, match="two runs at least, got 1"):
        compare_runs({"one": runs()["good"]}, [0])
    with pytest.raises(DataError, match="run 'good' has ranks of another number of items than 100"):
        compare_runs({"poor": runs(100)["poor"], "good": runs(50)["good"]}, [0])
    with pytest.raises(DataError, match="rows must name items of 200"):
        compare_runs(runs(), [200])
    with pytest.raises(DataError, match="rows must name items of 2"):
        permutation_test(np.eye(2), [])
    with pytest.raises(DataError, match="NaN"):
        permutation_test(np.full((2, 2), np.nan), [0, 1])
    with pytest.raises(ConfigError, match="permutations must be >= 1"):
        permutation_test(np.eye(2), [0], permutations=0)
    with pytest.raises(DataError, match="number of items must be >= 1 and discordant"):
        minimal_detectable_difference(0, 0.5)
    with pytest.raises(ConfigError, match=r"power in \[0.5, 1\)"):
        minimal_detectable_difference(10, 0.5, power=80)
