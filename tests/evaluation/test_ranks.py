import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import cinealign.evaluation.ranks as module
from cinealign.errors import ConfigError, DataError
from cinealign.evaluation.ranks import ranks_from_distances, retrieval_ranks
from tests import reference


def unit_rows(rows, columns, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(rows, columns))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_known_by_hand_and_the_directions_differ():
    poster = np.array([[1, 0], [0, 1], [0.6, 0.8]], dtype=np.float32)
    intro = np.array([[0.6, -0.8], [0, 1], [0.8, 0.6]], dtype=np.float32)
    ids = [7, 5, 9]
    assert retrieval_ranks(poster, intro, ids, ids).tolist() == [2, 1, 1]
    assert retrieval_ranks(intro, poster, ids, ids).tolist() == [1, 1, 1]
    assert retrieval_ranks(poster, intro[[2, 0, 1]], ids, [9, 7, 5]).tolist() == [2, 1, 1]


def test_collapsed_model_ranks_last():
    same, ids = torch.full((6, 4), 0.5), torch.arange(6)  # unit rows, exact in float32
    assert retrieval_ranks(same, same, ids, ids).tolist() == [6] * 6


@pytest.mark.parametrize("columns", [3, 1000])
@pytest.mark.parametrize("tie_tolerance", [0.0, 1e-6])
def test_collapsed_model_ranks_last_where_sums_round(columns, tie_tolerance):
    same = np.full((50, columns), columns**-0.5, dtype=np.float32)
    ranks = retrieval_ranks(same, same, range(50), range(50), chunk_size=7, tie_tolerance=tie_tolerance)
    assert ranks.tolist() == [50] * 50


def test_zero_vectors_rank_last():
    query, gallery = unit_rows(9, 5), unit_rows(9, 5, seed=1)
    query[4] = 0
    assert retrieval_ranks(query, gallery, range(9), range(9))[4] == 9
    assert ranks_from_distances(np.zeros((9, 9))).tolist() == [9] * 9


@given(st.integers(1, 9), st.integers(1, 5), st.integers(0, 10**6), st.sampled_from([0.0, 1e-6, 0.3]))
def test_equal_to_one_pair_at_a_time(rows, columns, seed, tie_tolerance):
    generator = np.random.default_rng(seed)
    query, gallery = (generator.integers(-2, 3, size=(n, columns)) / 3 for n in (rows, rows + 3))  # many ties
    query, gallery = query.astype(np.float32), gallery.astype(np.float32)
    gallery_ids = np.concatenate([np.arange(rows), generator.integers(0, rows + 1, 3)])
    query_ids = generator.permutation(rows)
    expected = reference.retrieval_ranks(query, gallery, query_ids, gallery_ids, max(tie_tolerance, 1e-12))
    found = retrieval_ranks(query, gallery, query_ids, gallery_ids, chunk_size=4, tie_tolerance=tie_tolerance)
    assert found.tolist() == expected


@pytest.mark.parametrize("dense", [0.0, 1.0], ids=["matrix", "pairs"])
@pytest.mark.parametrize("chunk_size", [1, 7, 64, 211])
def test_the_same_for_any_chunk_size_and_order(chunk_size, dense, monkeypatch):
    monkeypatch.setattr(module, "DENSE", dense)
    monkeypatch.setattr(module, "GALLERY_TILE", 50)
    query = unit_rows(211, 64)
    gallery = query.copy()
    gallery[::2] = gallery[1]  # half of the gallery ties
    gallery += 1e-7 * unit_rows(211, 64, seed=2)  # and differs in the last bits
    ids = np.arange(211) // 2 * 3  # two positives each
    whole = np.array(reference.retrieval_ranks(query[:20], gallery, ids[:20], ids))
    ranks = retrieval_ranks(query, gallery, ids, ids, chunk_size=chunk_size)
    assert ranks[:20].tolist() == whole.tolist()
    shuffled = np.random.default_rng(chunk_size).permutation(211)
    again = retrieval_ranks(query[shuffled], gallery, ids[shuffled], ids, chunk_size=chunk_size)
    assert again.tolist() == ranks[shuffled].tolist()
    again = retrieval_ranks(query, gallery[shuffled], ids, ids[shuffled], chunk_size=chunk_size)
    assert again.tolist() == ranks.tolist()


def test_products_that_float32_rounds_wrongly_are_decided_in_float64():
    # In float32 1 + 2**-25 rounds to 1, so the two gallery items cannot be told apart there.
    query = np.ones((1, 2), dtype=np.float32)
    gallery = np.array([[1, 2.0**-25], [1, 0]], dtype=np.float32)
    for own, rank in ((0, 1), (1, 2)):
        assert retrieval_ranks(query, gallery, [own], [0, 1], tie_tolerance=0.0).tolist() == [rank]
        assert retrieval_ranks(query, gallery, [own], [0, 1]).tolist() == [2]


def test_a_low_matmul_precision_neither_matters_nor_changes():
    query, ids = unit_rows(40, 96), np.arange(40)
    gallery = (query + unit_rows(40, 96, seed=1)) / 2
    expected = retrieval_ranks(query, gallery, ids, ids)
    torch.set_float32_matmul_precision("medium")
    try:
        assert retrieval_ranks(query, gallery, ids, ids).tolist() == expected.tolist()
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision("highest")


def test_several_positives_take_the_best_placed_and_are_no_rivals():
    query = np.array([[1.0, 0]], dtype=np.float32)
    gallery = np.array([[0.2, 0], [0.9, 0], [0.9, 0], [0.5, 0]], dtype=np.float32)
    assert retrieval_ranks(query, gallery, [1], [1, 1, 2, 1]).tolist() == [2]
    assert retrieval_ranks(query, gallery, [1], [1, 1, 1, 2]).tolist() == [1]
    assert retrieval_ranks(query, gallery, ["b"], ["a", "b", "b", "c"]).tolist() == [1]


def test_one_pair_and_progress_when_long(monkeypatch, capsys):
    assert retrieval_ranks([[1.0]], [[-1.0]], [3], [3]).tolist() == [1]
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(module, "SHOWN_PRODUCTS", 0)
    retrieval_ranks([[1.0]], [[-1.0]], [3], [3])
    assert "ranks 1 of 1" in capsys.readouterr().err


def test_refusals():
    good, ids = unit_rows(3, 2), [1, 2, 3]
    for bad in (np.nan, np.inf):
        broken = good.copy()
        broken[2, 1] = bad
        with pytest.raises(DataError, match="query vectors row 2 has NaN or infinite"):
            retrieval_ranks(broken, good, ids, ids)
        with pytest.raises(DataError, match="gallery vectors row 2 has NaN or infinite"):
            retrieval_ranks(good, broken, ids, ids)
    with pytest.raises(DataError, match=r"query row 1 \(id 4\) has no positive"):
        retrieval_ranks(good, good, [1, 4, 3], ids)
    with pytest.raises(DataError, match="gallery_ids must be 3 integers or strings"):
        retrieval_ranks(good, good, ids, [1, 2])
    with pytest.raises(DataError, match="query_ids must be 3 integers or strings, one a row; got float64"):
        retrieval_ranks(good, good, [1.0, 2.0, 3.0], ids)
    with pytest.raises(DataError, match="query vectors have 2 columns, the gallery's have 4"):
        retrieval_ranks(good, unit_rows(3, 4), ids, ids)
    with pytest.raises(ConfigError, match="chunk_size must be >= 1, got 0"):
        retrieval_ranks(good, good, ids, ids, chunk_size=0)
    with pytest.raises(ConfigError, match="tie_tolerance must be >= 0"):
        retrieval_ranks(good, good, ids, ids, tie_tolerance=-1.0)


@given(
    st.integers(1, 9), st.integers(0, 10**6), st.sampled_from([0, 1]), st.booleans(), st.sampled_from([0.0, 0.4, 1.0])
)
def test_distances_equal_to_one_pair_at_a_time(n, seed, dim, shared_ids, tie_tolerance):
    generator = np.random.default_rng(seed)
    D = generator.integers(0, 4, size=(n, n)) / 2
    ids = generator.integers(0, 3, size=n) if shared_ids else None
    expected = reference.ranks_from_distances(D, dim, ids, tie_tolerance)
    for chunk_size in (1, 4, 64):
        found = ranks_from_distances(D, dim, ids=ids, chunk_size=chunk_size, tie_tolerance=tie_tolerance)
        assert found.tolist() == expected


@pytest.mark.parametrize("dim", [0, 1])
def test_chosen_rows_are_ranked_among_themselves(dim):
    D = np.random.default_rng(6).integers(0, 9, size=(30, 30))
    rows, ids = [28, 3, 4, 11, 19], np.arange(30) // 4
    for chunk_size in (2, 64):
        found = ranks_from_distances(D, dim, ids=ids, rows=rows, chunk_size=chunk_size)
        assert found.tolist() == reference.ranks_from_distances(D[np.ix_(rows, rows)], dim, ids[rows])
    with pytest.raises(DataError, match="rows must be row numbers below 30, one at least"):
        ranks_from_distances(D, dim, rows=[30])


def test_distances_keep_their_type_and_may_be_infinite():
    D = np.array([[0, 255], [255, 0]], dtype=np.uint8)
    assert ranks_from_distances(D).tolist() == [1, 1]
    assert ranks_from_distances([[np.inf, 1.0], [np.inf, -np.inf]], dim=1).tolist() == [2, 1]
    assert ranks_from_distances([[np.inf, 1.0], [np.inf, -np.inf]], dim=0).tolist() == [2, 1]
