import numpy as np
import pytest
import torch

from cinealign.distance.distances import DISTANCES, distance_chunks, distance_matrix, similarity_chunks
from cinealign.errors import ConfigError, DataError


def test_cosine_of_vectors_known_by_hand_is_asymmetric():
    poster = np.array([[1, 0], [0, 1], [0.6, 0.8]], dtype=np.float32)
    intro = np.array([[0, 1], [1, 0], [-1, 0]], dtype=np.float32)
    expected = [[1, 0, 2], [0, 1, 1], [0.2, 0.4, 1.6]]
    D = distance_matrix(poster, intro)
    assert D.dtype == np.float32
    np.testing.assert_allclose(D, expected, atol=1e-6)


def test_vectors_are_used_as_they_are():
    poster, intro = np.array([[2.0, 0.5]]), np.array([[3.0, 1.0]])  # the last coordinate may be a bias
    assert distance_matrix(poster, intro).tolist() == [[1 - 6.5]]


@pytest.mark.parametrize("chunk_size", [1, 7, 64, 101, 1000])
def test_chunks_put_together_are_the_whole(chunk_size):
    generator = torch.Generator().manual_seed(3)
    query, gallery = torch.randn(101, 19, generator=generator), torch.randn(37, 19, generator=generator)
    starts, blocks = zip(*similarity_chunks(query, gallery, chunk_size), strict=True)
    assert list(starts) == list(range(0, 101, chunk_size))
    torch.testing.assert_close(torch.cat(blocks), query @ gallery.T)
    pieces = [block for _, block in distance_chunks(query[:37], gallery, chunk_size=chunk_size)]
    np.testing.assert_allclose(np.concatenate(pieces), distance_matrix(query[:37], gallery), atol=1e-5)


def test_torch_and_numpy_and_more_precise_vectors_agree():
    vectors = np.random.default_rng(0).normal(size=(5, 4))
    from_numpy = distance_matrix(vectors, vectors[::-1].copy())
    tensor = torch.tensor(vectors, dtype=torch.float32, requires_grad=True)
    np.testing.assert_array_equal(from_numpy, distance_matrix(tensor, tensor.flip(0)))


def test_large_but_finite_vectors_are_allowed():
    large = np.full((2, 3), 3e38, dtype=np.float32)  # their sum is not finite
    assert distance_matrix(large, np.zeros((2, 3))).tolist() == [[1, 1], [1, 1]]
    opposite = np.array([[np.inf, -np.inf, 0], [0, 0, 0]], dtype=np.float32)
    with pytest.raises(DataError, match="poster vectors row 0 has NaN or infinite"):
        distance_matrix(opposite, large)


def test_refusals_say_what_and_where():
    good = np.ones((3, 2), dtype=np.float32)
    bad = good.copy()
    bad[1, 0] = np.nan
    with pytest.raises(DataError, match="intro vectors row 1 has NaN"):
        distance_matrix(good, bad)
    with pytest.raises(DataError, match="got 3 x 2 and 2 x 2"):
        distance_matrix(good, good[:2])
    with pytest.raises(DataError, match=r"poster vectors must be real numbers \(N, D\)"):
        distance_matrix(good[0], good)
    with pytest.raises(DataError, match="poster vectors must be numbers"):
        distance_matrix(np.array([["a", "b"]]), good)  # type: ignore[arg-type]
    with pytest.raises(
        ConfigError, match=r"unknown distance 'manhattan'; did you mean 'mahalanobis'.* choose one of: bilinear, cosine"
    ):
        distance_matrix(good, good, "manhattan")
    with pytest.raises(ConfigError, match="unknown key 'p' in distance"):
        distance_matrix(good, good, "cosine", p=3)
    with pytest.raises(ConfigError, match="chunk_size must be >= 1"):
        list(similarity_chunks(torch.ones(1, 1), torch.ones(1, 1), 0))
    assert "cosine" in DISTANCES.names()
