import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cinealign import get_acc
from cinealign.errors import DataError
from cinealign.evaluation.curve import PARTS, top_p_area, top_p_curve
from cinealign.evaluation.ranks import ranks_from_distances


def test_every_point_is_get_acc():
    D = np.random.default_rng(2).normal(size=(57, 57)) - 1.5 * np.eye(57)
    for dim in (0, 1):
        curve = top_p_curve(ranks_from_distances(D, dim), 57)
        assert curve == pytest.approx([get_acc(D, part, dim) for part in PARTS])
        assert curve[-1] == 1.0


def test_reads_from_a_thousandth_to_all():
    assert (PARTS[0], PARTS[9], PARTS[-1]) == (0.001, 0.01, 1.0)
    assert list(PARTS) == sorted(set(PARTS))
    assert {0.05, 0.5} < set(PARTS)


@given(st.integers(1, 40), st.data())
def test_the_area_is_that_of_a_fine_grid(n, data):
    ranks = data.draw(st.lists(st.integers(1, n), min_size=1, max_size=8))
    steps = [np.mean(np.array(ranks) <= k) for k in range(n)]  # accuracy while p is in [k / n, (k + 1) / n)
    assert top_p_area(ranks, n) == pytest.approx(np.mean(steps))


def test_area_known_by_hand():
    assert top_p_area([1], 1) == 0.0
    assert top_p_area([1, 1], 10) == pytest.approx(0.9)
    assert top_p_area(np.arange(1, 11), 10) == pytest.approx(9 / 20)  # chance
    assert top_p_area([10], 10) == 0.0


def test_refusals():
    for bad in ([], [0], [4], [1.5]):
        with pytest.raises(DataError, match=r"integers in \[1, 3\], of one query at least"):
            top_p_curve(bad, 3)
