import json

import numpy as np
import pytest
from scipy.stats import ortho_group, skew

from cinealign.errors import ConfigError, DataError
from cinealign.evaluation.geometry import (
    alignment,
    effective_rank,
    geometry,
    hubness,
    k_occurrence,
    linear_cka,
    modality_gap,
    uniformity,
)


def unit_rows(rows, columns, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(rows, columns))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize("chunk_size", [1, 7, 64])
def test_k_occurrence_equals_a_sort(chunk_size):
    query, gallery = unit_rows(31, 6), unit_rows(20, 6, seed=1)
    nearest = np.argsort(-(query @ gallery.T), axis=1)[:, :3]
    expected = [int((nearest == item).sum()) for item in range(20)]
    assert k_occurrence(query, gallery, 3, chunk_size=chunk_size).tolist() == expected


def test_hubness_known_by_hand():
    gallery = np.eye(4)
    one_hub = np.tile([1.0, 0.1, 0, 0], (8, 1))
    found = hubness(one_hub, gallery, 1)
    assert found["orphans"] == 0.75
    assert found["hubs"][0] == {"row": 0, "count": 8}
    assert found["skewness"] == pytest.approx(skew([8, 0, 0, 0]))
    assert hubness(gallery, gallery, 1)["skewness"] == 0.0
    assert hubness(gallery, gallery, 4)["orphans"] == 0.0


def test_modality_gap_and_alignment_known_by_hand():
    poster, intro = np.array([[1.0, 0], [0, 1]]), np.array([[0, -1.0], [0, 1]])
    assert modality_gap(poster, intro) == pytest.approx(np.hypot(0.5, 0.5))
    assert alignment(poster, intro) == pytest.approx(1.0)  # squared distances 2 and 0
    assert modality_gap(poster, poster) == alignment(poster, poster) == 0


def test_effective_rank_known_by_hand():
    corners = np.concatenate([np.eye(3), -np.eye(3)])
    assert effective_rank(corners) == pytest.approx(3)
    assert effective_rank(corners + np.array([5, 0, 0])) == pytest.approx(3, abs=1e-5)  # an offset is no dimension
    assert effective_rank(np.outer(np.arange(9.0), [1, 2, 3])) == pytest.approx(1, abs=1e-4)
    assert effective_rank(np.full((7, 3), 3**-0.5)) == 0.0
    assert 1 < effective_rank(corners * np.array([3, 1, 1])) < 3


@pytest.mark.parametrize("chunk_size", [1, 7, 64])
def test_uniformity_equals_all_pairs(chunk_size):
    rows = unit_rows(23, 5).astype(np.float32).astype(np.float64)
    pairs = [np.exp(-2 * ((rows[i] - rows[j]) ** 2).sum()) for i in range(23) for j in range(23) if i != j]
    assert uniformity(rows, chunk_size=chunk_size) == pytest.approx(np.log(np.mean(pairs)), rel=1e-6)


def test_uniformity_known_by_hand():
    assert uniformity(np.array([[1.0, 0], [-1, 0]])) == pytest.approx(-8)
    assert uniformity(np.ones((4, 1))) == pytest.approx(0)


def test_cka_known_by_hand_and_invariant():
    rows = unit_rows(40, 5)
    turned = rows @ ortho_group.rvs(5, random_state=0)
    assert linear_cka(rows, turned) == pytest.approx(1)
    assert linear_cka(rows, -3 * rows + 1) == pytest.approx(1)
    assert linear_cka(rows, unit_rows(40, 9, seed=1)) < 0.4
    assert linear_cka([[1.0], [-1], [1], [-1]], [[1.0], [1], [-1], [-1]]) == pytest.approx(0)
    assert linear_cka(rows, np.ones((40, 2))) == 0.0
    first, second = unit_rows(12, 3), unit_rows(12, 4, seed=2)
    kernels = [side @ side.T for side in (first - first.mean(axis=0), second - second.mean(axis=0))]
    norms = np.linalg.norm(kernels[0]) * np.linalg.norm(kernels[1])
    assert linear_cka(first, second) == pytest.approx((kernels[0] * kernels[1]).sum() / norms)


def test_all_together_are_plain_numbers():
    found = geometry(unit_rows(6, 3), unit_rows(6, 3, seed=1))
    assert found["hubness"]["poster_to_intro"]["k"] == 6  # not more than there are
    assert set(found) == {"hubness", "modality_gap", "effective_rank", "uniformity", "alignment", "linear_cka"}
    json.dumps(found, allow_nan=False)


def test_refusals():
    with pytest.raises(ConfigError, match=r"k must be in \[1, 4\], got 5"):
        hubness(np.eye(4), np.eye(4), 5)
    with pytest.raises(DataError, match="query vectors have 2 columns"):
        k_occurrence(np.eye(2), np.eye(3), 1)
    with pytest.raises(DataError, match="two vectors at least"):
        uniformity(np.eye(1))
    with pytest.raises(DataError, match="got 3 posters and 2 intros"):
        linear_cka(np.eye(3), np.eye(2))
    with pytest.raises(DataError, match="poster vectors row 0 has NaN"):
        geometry(np.full((2, 2), np.nan), np.eye(2))
