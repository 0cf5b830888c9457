import numpy as np
import pytest

from cinealign.analysis.relation.correlation import canonical_correlations, kernel_alignment
from cinealign.errors import DataError
from cinealign.evaluation.geometry import linear_cka


def pairs(shared: float, n: int = 400, seed: int = 0):
    """Two sides of 6 and 5 features; the first feature of both is one signal, as strong as `shared` says."""
    generator = np.random.default_rng(seed)
    x, y = generator.standard_normal((n, 6)), generator.standard_normal((n, 5))
    signal = generator.standard_normal(n)
    x[:, 0] = shared * signal + np.sqrt(1 - shared**2) * x[:, 0]
    y[:, 0] = shared * signal + np.sqrt(1 - shared**2) * y[:, 0]
    turn = np.linalg.qr(generator.standard_normal((6, 6)))[0]
    return x @ turn, y


def test_one_side_turned_and_scaled_is_the_same_side():
    x, _ = pairs(0)
    y = 7 * x @ np.linalg.qr(np.random.default_rng(1).standard_normal((6, 6)))[0] + 3
    found = canonical_correlations((x[:300], y[:300]), (x[300:], y[300:]), permutations=99)
    assert found.train == pytest.approx(np.ones(6), abs=1e-9)
    assert found.held_out == pytest.approx(np.ones(6), abs=1e-9)
    assert found.p == 0.01
    assert (found.null_high < 0.35).all()


def test_correlations_are_those_of_the_closed_form():
    x, y = pairs(0.8)
    found = canonical_correlations((x[:300], y[:300]), (x[300:], y[300:]), permutations=9)
    a, b = x[:300] - x[:300].mean(0), y[:300] - y[:300].mean(0)
    product = np.linalg.solve(a.T @ a, a.T @ b) @ np.linalg.solve(b.T @ b, b.T @ a)
    squares = np.sort(np.linalg.eigvals(product).real)[::-1][:5]
    assert found.train == pytest.approx(np.sqrt(squares), abs=1e-8)
    assert found.held_out[0] == pytest.approx(0.64, abs=0.15)


def test_unrelated_sides_look_related_on_train_movies_only():
    generator = np.random.default_rng(2)
    x, y = generator.standard_normal((260, 100)), generator.standard_normal((260, 90))
    found = canonical_correlations((x[:160], y[:160]), (x[160:], y[160:]), permutations=199)
    assert found.dimensions == 32
    assert found.train[0] > 0.6
    assert abs(found.held_out.mean()) < 0.1
    assert found.p > 0.05


def test_cca_refuses_what_it_cannot_answer():
    x = np.random.default_rng(0).standard_normal((30, 3))
    with pytest.raises(DataError, match="pairs of 10 train and 3 held-out items, got 5"):
        canonical_correlations((x[:5], x[:5]), (x, x))
    with pytest.raises(DataError, match="one side is the same for all"):
        canonical_correlations((x[:20], np.ones((20, 2))), (x[20:], np.ones((10, 2))))


def slow_debiased(x, y):
    """CKA by the sums of Song et al., equation 4, written out."""

    def hsic(k, q):
        n = len(k)
        k, q = k - np.diag(np.diag(k)), q - np.diag(np.diag(q))
        one = np.ones(n)
        first = np.trace(k @ q) + (one @ k @ one) * (one @ q @ one) / ((n - 1) * (n - 2))
        return (first - 2 / (n - 2) * (one @ k @ q @ one)) / (n * (n - 3))

    k, q = x @ x.T, y @ y.T
    return hsic(k, q) / np.sqrt(hsic(k, k) * hsic(q, q))


def test_cka_equals_the_sums_written_out():
    x, y = pairs(0.7, n=57)
    found = kernel_alignment(x, y, permutations=19)
    assert found.cka == pytest.approx(linear_cka(x, y), abs=1e-5)
    assert found.debiased == pytest.approx(slow_debiased(x - x.mean(0), y - y.mean(0)), abs=1e-5)
    assert found.debiased < found.cka


def test_cka_of_unrelated_sides_is_chance_without_its_bias():
    generator = np.random.default_rng(3)
    found = kernel_alignment(
        generator.standard_normal((80, 200)), generator.standard_normal((80, 150)), permutations=99
    )
    assert found.cka > 0.5
    assert abs(found.debiased) < 0.1
    assert found.p > 0.02
    assert abs(found.null.mean()) < 0.02


def test_cka_of_a_collapsed_side_is_no_relation():
    x, _ = pairs(0, n=20)
    found = kernel_alignment(x, np.ones((20, 4)), permutations=9)
    assert (found.cka, found.debiased, found.p) == (0.0, 0.0, 1.0)
    with pytest.raises(DataError, match="4 items at least, got 3 and 20"):
        kernel_alignment(x[:3], x)
