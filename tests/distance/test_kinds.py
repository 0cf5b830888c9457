"""Each distance: its formula on small numbers, one inner product, saved and read back."""

import numpy as np
import pytest
import scipy.stats

from cinealign.distance.distances import DISTANCES, distance_chunks, distance_matrix
from cinealign.distance.hub_correction import NeighbourBias, QbNorm, mean_log_rank
from cinealign.distance.transductive import TRANSDUCTIONS
from cinealign.errors import ConfigError
from cinealign.evaluation.accuracy import get_acc
from cinealign.experts.base import normalised
from cinealign.experts.fusion import OutOfFold
from cinealign.experts.out_of_fold import TrainVectors, nearest_turn, turned

FITTED = ["bilinear", "mahalanobis", "neighbour_bias", "qb_norm"]


def pairs(count=60, width=6, noise=0.8, seed=0):
    generator = np.random.default_rng(seed)
    poster = generator.normal(size=(count, width))
    intro = poster + noise * generator.normal(size=(count, width))
    return TrainVectors(normalised(poster), normalised(intro), np.arange(count) % 3)


def top_accuracy(similarities):
    return (get_acc(-similarities, 0.05, 0) + get_acc(-similarities, 0.05, 1)) / 2


def test_mean_log_rank_known_by_hand():
    S = np.array([[0.9, 0.1], [0.8, 0.3]], dtype=np.float32)  # only poster 1 has its partner second
    assert mean_log_rank(S) == pytest.approx(np.log(2) / 4)
    assert mean_log_rank(np.ones((3, 3), np.float32)) == pytest.approx(np.log(3))  # ties count against the model


def test_euclidean_is_the_length_of_the_difference_and_an_inner_product():
    generator = np.random.default_rng(1)
    poster, intro = (generator.normal(size=(7, 4)).astype(np.float32) for _ in range(2))
    slow = [[np.sqrt(sum((a - b) ** 2 for a, b in zip(p, q, strict=True))) for q in intro] for p in poster]
    np.testing.assert_allclose(distance_matrix(poster, intro, "euclidean"), slow, rtol=1e-5)
    kind = DISTANCES.build("euclidean")
    coordinates = kind.poster(poster), kind.intro(intro)
    np.testing.assert_allclose(1 - coordinates[0] @ coordinates[1].T, 1 + np.square(slow) / 2, rtol=1e-4)
    saved = np.concatenate([block for _, block in distance_chunks(*coordinates, "euclidean", coordinates=True)])
    np.testing.assert_allclose(saved, slow, rtol=1e-3)
    np.testing.assert_allclose(distance_matrix(poster, intro, "dot"), -(poster @ intro.T), rtol=1e-5)


def test_neighbour_bias_equals_its_formula_in_both_directions():
    bank, new = pairs(), pairs(9, seed=1)
    kind = NeighbourBias(NeighbourBias.Options(k=4, strength=0.5)).fit(bank, seed=0)
    products = kind.poster(new.poster) @ kind.intro(new.intro).T
    for i, p in enumerate(new.poster):
        for j, q in enumerate(new.intro):
            crowd_p = np.mean(sorted(p @ b for b in bank.intro)[-4:])
            crowd_q = np.mean(sorted(q @ b for b in bank.poster)[-4:])
            assert products[i, j] == pytest.approx(p @ q - 0.5 * crowd_p - 0.5 * crowd_q, abs=1e-5)


def test_qb_norm_is_the_inverted_softmax():
    bank, new = pairs(), pairs(9, seed=1)
    kind = QbNorm(QbNorm.Options(temperature=0.1, strength=1.0)).fit(bank, seed=0)
    products = kind.poster(new.poster) @ kind.intro(new.intro).T
    kernel = np.exp(new.poster @ new.intro.T / 0.1) / np.exp(bank.poster @ new.intro.T / 0.1).mean(axis=0)
    by_query = np.exp((products - products[:, :1]) / 0.1)  # a query's own bias cancels
    np.testing.assert_allclose(by_query, kernel / kernel[:, :1], rtol=1e-3)


@pytest.mark.parametrize("name", ["neighbour_bias", "qb_norm"])
def test_a_hub_is_moved_away_and_strength_is_chosen_on_the_folds(name):
    clean = pairs(120)
    common = normalised(np.ones((1, 6)))
    lift = np.zeros((120, 1))
    lift[::10] = 1.5  # every tenth intro lies near the middle of all posters
    posters = normalised(clean.poster + 1.0 * common)
    hubs = TrainVectors(posters, normalised(clean.intro + lift * common), clean.fold)
    kind = DISTANCES.build(name).fit(hubs, seed=0)
    assert kind.strength > 0
    before = top_accuracy(hubs.poster @ hubs.intro.T)
    assert top_accuracy(kind.poster(hubs.poster) @ kind.intro(hubs.intro).T) > before


def test_learned_distances_help_where_directions_are_noise():
    generator = np.random.default_rng(0)
    said = generator.normal(size=(240, 6))
    noise = [2.0 * generator.normal(size=(240, 6)) for _ in range(2)]
    sides = [normalised(np.concatenate([said + 0.3 * generator.normal(size=(240, 6)), n], axis=1)) for n in noise]
    fold = np.arange(240) % 4
    every = TrainVectors(sides[0], sides[1], fold)
    known, new = every.take(fold != 0), every.take(fold == 0)
    before = top_accuracy(new.poster @ new.intro.T)
    for name in ("mahalanobis", "bilinear"):
        options = {"ridge": 0.1} if name == "mahalanobis" else {"penalty": 0.001, "steps": 200}
        kind = DISTANCES.build(name, options).fit(known, seed=0)
        assert top_accuracy(kind.poster(new.poster) @ kind.intro(new.intro).T) > before + 0.05


@pytest.mark.parametrize("name", FITTED)
def test_what_was_fitted_comes_back_and_items_do_not_look_at_each_other(name):
    kind, new = DISTANCES.build(name).fit(pairs(), seed=0), pairs(9, seed=1)
    again = DISTANCES.build(name).load_state(kind.state())
    for side, vectors in (("poster", new.poster), ("intro", new.intro)):
        whole = getattr(kind, side)(vectors)
        np.testing.assert_array_equal(getattr(again, side)(vectors), whole)
        alone = np.concatenate([getattr(kind, side)(vectors[i : i + 1]) for i in range(9)])
        np.testing.assert_allclose(alone, whole, atol=1e-5)
    with pytest.raises(ConfigError, match="is learned from train pairs"):
        distance_matrix(new.poster, new.intro, name)


def test_folds_are_turned_into_the_final_space_and_keep_their_cosines():
    generator = np.random.default_rng(0)
    final = pairs(40)
    fold = np.arange(40) % 2
    parts = []
    for number in range(2):
        turn, _ = np.linalg.qr(generator.normal(size=(6, 6)))
        sides = [side @ turn.astype(np.float32) for side in (final.poster, final.intro)]
        inside = OutOfFold(*([side[fold != number]] for side in sides))
        parts.append(OutOfFold(*([side[fold == number]] for side in sides), inside=inside))
    found = turned(parts, OutOfFold([final.poster], [final.intro]), fold, np.array([1.0]), [False])
    np.testing.assert_allclose(found.poster, final.poster, atol=1e-5)
    np.testing.assert_allclose(found.intro, final.intro, atol=1e-5)
    as_they_are = turned(parts, OutOfFold([final.poster], [final.intro]), fold, np.array([1.0]), [True])
    np.testing.assert_array_equal(as_they_are.poster[fold == 1], parts[1].poster[0])


def test_a_turn_is_defined_where_the_rows_leave_it_open():
    generator = np.random.default_rng(3)
    rows, goal = (generator.normal(size=(5, 12)).astype(np.float32) for _ in range(2))
    found = nearest_turn(rows, goal)
    np.testing.assert_allclose(found @ found.T, np.eye(12), atol=1e-5)
    noisy = nearest_turn(rows, (goal * (1 + 1e-6 * generator.normal(size=goal.shape))).astype(np.float32))
    np.testing.assert_allclose(noisy, found, atol=1e-3)
    unseen = np.linalg.svd(rows, full_matrices=True)[2][5:]  # directions in which no row says anything
    other = scipy.stats.ortho_group.rvs(12, random_state=0)
    assert np.trace(unseen @ found @ unseen.T) > np.trace(unseen @ found @ other @ unseen.T)
    np.testing.assert_allclose(nearest_turn(np.zeros((3, 4), np.float32), np.zeros((3, 4), np.float32)), np.eye(4))


def test_csls_and_sinkhorn_known_by_hand():
    S = np.array([[0.9, 0.1], [0.8, 0.3]], dtype=np.float32)
    csls = TRANSDUCTIONS.build("csls", {"k": 1}).distances(S)
    np.testing.assert_allclose(
        csls, [[0.9 + 0.9 - 1.8, 0.9 + 0.3 - 0.2], [0.8 + 0.9 - 1.6, 0.8 + 0.3 - 0.6]], atol=1e-6
    )
    D = TRANSDUCTIONS.build("sinkhorn", {"temperature": 0.5, "iterations": 200}).distances(S)
    np.testing.assert_allclose(np.exp(-D).sum(axis=0), 1, rtol=1e-5)
    np.testing.assert_allclose(np.exp(-D).sum(axis=1), 1, rtol=1e-5)
    # Scalings keep cross ratios of the kernel: D00 + D11 - D01 - D10 = -(S00 + S11 - S01 - S10) / t.
    assert D[0, 0] + D[1, 1] - D[0, 1] - D[1, 0] == pytest.approx(-(0.9 + 0.3 - 0.1 - 0.8) / 0.5, rel=1e-4)
    assert D[1].argmin() == 1  # both posters like intro 0; one of them has to take the other
    with pytest.raises(ConfigError, match="unknown transductive correction 'hubs'; choose one of: csls, sinkhorn"):
        TRANSDUCTIONS.build("hubs")


@pytest.mark.parametrize("kind", ["cosine", "dot", "euclidean", *FITTED])
def test_no_row_is_longer_than_the_longest(kind):
    distance = DISTANCES.build(kind)
    if distance.fitted:
        distance.fit(pairs(), seed=0)
    new = pairs(400, seed=3)
    shrunk = np.linspace(0, 1, 400, dtype=np.float32)[:, None]
    rows = np.concatenate([new.poster, -new.poster, new.poster * shrunk])
    for side in (distance.poster(rows), distance.intro(rows)):
        assert np.linalg.norm(side, axis=1).max() <= distance.longest() + 1e-5
