import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cinealign import course_score, get_acc
from cinealign.errors import ConfigError, DataError
from cinealign.evaluation.accuracy import top_k
from tests import reference

ASYMMETRIC = np.array([[1.0, 2, 5], [0, 5, 6], [7, 8, 4]])


def test_known_by_hand_and_the_directions_differ():
    assert get_acc(ASYMMETRIC, 1 / 3, dim=1) == 2 / 3  # posters 0 and 2 have their partner nearest
    assert get_acc(ASYMMETRIC, 1 / 3, dim=0) == 1 / 3  # only intro 2 has
    assert get_acc(ASYMMETRIC, 2 / 3, dim=0) == 1.0
    assert get_acc(ASYMMETRIC.T, 1 / 3, dim=1) == get_acc(ASYMMETRIC, 1 / 3, dim=0)


@st.composite
def matrices_without_ties(draw):
    n = draw(st.integers(1, 12))
    numbers = draw(st.permutations(range(n * n)))
    scale = draw(st.sampled_from([1.0, 1e-9, -0.25]))
    return (np.array(numbers, dtype=np.float64) * scale).reshape(n, n)


@given(matrices_without_ties(), st.floats(0, 1), st.sampled_from([0, 1]))
def test_equals_the_loop_of_the_assignment(D, ratio, dim):
    assert get_acc(D, ratio, dim) == pytest.approx(reference.get_acc(D, ratio, dim))


@given(st.integers(1, 400))
def test_k_is_that_of_the_assignment(n):
    D = np.arange(n * n, dtype=np.float32).reshape(n, n)  # intro j has its poster at place j + 1
    for ratio in (0.05, 0.1, 0.29, 0.5, 0.57, 1.0):
        assert top_k(ratio, n) == int(ratio * n)
        assert get_acc(D, ratio, dim=0) == pytest.approx(int(ratio * n) / n)


def test_k_on_the_assignments_data_is_146():
    assert (top_k(0.05, 2938), top_k(0.5, 2938)) == (146, 1469)


@given(hnp.arrays(np.int8, (6, 6), elements=st.integers(0, 2)), st.sampled_from([0, 1]))
def test_ties_count_against_the_model(D, dim):
    worst = D.astype(float) + np.eye(6) * 0.5  # the partner after everything that is equal
    assert get_acc(D, 0.5, dim) == pytest.approx(np.mean(np.array(reference.ranks_from_distances(worst, dim)) <= 3))


def test_a_collapsed_matrix_scores_nothing():
    assert get_acc(np.zeros((40, 40)), 0.5) == 0.0
    assert get_acc(np.full((40, 40), np.inf), 0.5) == 0.0


def test_near_ties_are_not_ties():
    D = np.array([[1.0, np.nextafter(1.0, 2)], [1.0, np.nextafter(1.0, 0)]])
    assert get_acc(D, 0.5, dim=1) == 1.0


@pytest.mark.parametrize("kind", [torch.float64, torch.float32, torch.bfloat16, torch.int64])
def test_torch_and_numpy_agree(kind):
    D = torch.tensor(ASYMMETRIC).to(kind)
    assert get_acc(D, 1 / 3) == get_acc(ASYMMETRIC, 1 / 3)
    assert get_acc(torch.tensor(ASYMMETRIC, requires_grad=True), 1 / 3, dim=0) == 1 / 3


def test_edges():
    assert get_acc([[3.0]], 0.05) == 0.0  # k = 0
    assert get_acc([[3.0]], 1.0) == 1.0
    assert get_acc(np.eye(10), 0.05) == 0.0
    assert get_acc(-np.eye(10), 0.0) == 0.0
    assert get_acc(-np.eye(10), 0.1) == 1.0
    assert type(get_acc(np.float32([[1]]))) is float


def test_refusals():
    with pytest.raises(DataError, match="row 1, column 2 is NaN"):
        get_acc(np.where(np.arange(9).reshape(3, 3) == 5, np.nan, 1.0))
    for dim in (0, 1):
        with pytest.raises(DataError, match="row 1, column 1 is NaN"):  # the partner's own distance
            get_acc(np.diag([1.0, np.nan]), dim=dim)
    with pytest.raises(DataError, match="must be square"):
        get_acc(np.zeros((2, 3)))
    with pytest.raises(DataError, match="must be square"):
        get_acc(np.zeros((0, 0)))
    with pytest.raises(DataError, match="real numbers"):
        get_acc(np.array([["a"]]))  # type: ignore[arg-type]
    with pytest.raises(DataError, match="rows of different lengths"):
        get_acc([[1.0, 2.0], [3.0]])
    for ratio in (1.01, 5, -0.1, float("nan")):
        with pytest.raises(ConfigError, match=r"ratio must be in \[0, 1\]"):
            get_acc(np.eye(3), ratio)
    with pytest.raises(ConfigError, match="dim must be 1"):
        get_acc(np.eye(3), dim=2)


def test_course_score_known_by_hand():
    assert course_score(0, 0) == 0
    assert course_score(0.5, 0.25) == 7.5
    assert course_score(0.75, 0.75) == course_score(1, 1) == 15
    for bad in (67.5, -0.1, float("nan")):
        with pytest.raises(DataError, match="not a percentage"):
            course_score(bad, 0.5)
