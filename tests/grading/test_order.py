"""Rows and columns in another order than the data: mended where a known order explains it, else left and said."""

import numpy as np
import pytest

from cinealign.distance.distances import distance_matrix
from cinealign.grading.judging import judge
from cinealign.grading.order import known_orders, mended
from cinealign.grading.unpacking import Limits

DATA, TEXT, TITLES, TRAIN = (
    "of the data",
    "of their ids sorted as text",
    "of their titles",
    "of the data, train items first",
)


@pytest.fixture(scope="module")
def D(finished):  # noqa: N802
    return distance_matrix(*finished.vectors)


def test_known_orders_name_every_item_once(sample):
    orders = known_orders(sample)
    assert {DATA, TEXT, TITLES} <= set(orders)
    for order in orders.values():
        assert sorted(order.tolist()) == list(range(len(sample)))


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("down", "across"), [(TEXT, DATA), (DATA, TITLES), (TITLES, TEXT), (TEXT, TEXT), (TITLES, TITLES)]
)
def test_known_orders_are_put_right(D, sample, down, across, sign):
    orders = known_orders(sample)
    stood = sign * D[np.ix_(orders[down], orders[across])]
    put, told = mended(stood, sample)
    assert np.array_equal(put, sign * D)
    assert down in told and across in told
    put, told = mended(stood.T, sample)  # on its side as well: the order is put right, the side is another's task
    assert np.array_equal(put, sign * D.T)


def test_the_order_of_the_data_and_orders_that_nobody_knows_are_left(D, sample):
    random = np.random.default_rng(0)
    noise = random.normal(size=D.shape)
    mixed, both = random.permutation(len(D)), random.permutation(len(D))
    for stood in (D, -D, D.T, noise, D[mixed], D[np.ix_(both, both)]):
        put, told = mended(stood, sample)
        assert put is stood and told == ""


def test_a_submission_in_another_order_is_scored_in_that_of_the_data(D, sample, finished, tmp_path):
    orders = known_orders(sample)
    np.save(tmp_path / "D.npy", D[np.ix_(orders[TEXT], orders[DATA])])
    row = judge(tmp_path / "D.npy", tmp_path / "x", sample, Limits())
    assert row.metrics["acc_sum"] == finished.metrics["acc_sum"]
    assert any("rows stood in the order of their ids sorted as text" in line for line in row.remarks)
    np.save(tmp_path / "M.npy", D[np.random.default_rng(0).permutation(len(D))])
    row = judge(tmp_path / "M.npy", tmp_path / "x", sample, Limits())
    assert any("ask for D with the ids of rows and columns" in line for line in row.remarks)
