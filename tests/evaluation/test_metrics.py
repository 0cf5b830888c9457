import json

import numpy as np
import pytest

from cinealign import get_acc
from cinealign.distance.distances import distance_matrix
from cinealign.errors import ConfigError, DataError
from cinealign.evaluation.metrics import evaluate_distances, evaluate_vectors, score
from tests.cli.show.printed import metrics_text

RANKS_P2I = np.array([1, 1, 2, 40, 3, 10, 11, 2, 20, 5] * 4)
RANKS_I2P = np.array([2, 9, 1, 1, 40, 6, 12, 3, 3, 21] * 4)


def example(**options):
    return score(RANKS_P2I, RANKS_I2P, train_rows=range(30), n=40, **{"samples": 200, **options})


def vectors(n=60, seed=0):
    generator = np.random.default_rng(seed)
    poster = generator.normal(size=(n, 8))
    intro = 0.4 * poster + generator.normal(size=(n, 8))
    return tuple((v / np.linalg.norm(v, axis=1, keepdims=True)).astype(np.float32) for v in (poster, intro))


def test_keys_and_values_known_by_hand():
    metrics = example()
    assert (metrics["n"], metrics["k"], metrics["ratio"], metrics["chance"]) == (40, 2, 0.05, 0.05)
    assert metrics["poster_to_intro"] == {"all": 0.4, "train": 0.4, "held_out": 0.4}
    assert metrics["intro_to_poster"]["all"] == pytest.approx(0.3)
    assert metrics["acc_sum"] == pytest.approx(0.7)
    assert metrics["course_score"] == pytest.approx(7.0)
    half = metrics["ratio_0.5"]
    assert (half["k"], half["ratio"], half["poster_to_intro"]["all"]) == (20, 0.5, 0.9)
    assert half["intro_to_poster"]["all"] == pytest.approx(0.8)
    assert half["course_score"] == 15
    measures = metrics["ranks"]["poster_to_intro"]["all"]
    assert measures["queries"] == 40
    assert [measures[f"recall@{k}"] for k in (1, 5, 10)] == [0.2, 0.6, 0.7]
    assert measures["median"] == 4.0
    assert measures["mrr"] == pytest.approx(np.mean(1 / RANKS_P2I))
    low, high = metrics["intervals"]["poster_to_intro"]["held_out"]
    assert low < 0.4 < high
    assert high - low > np.subtract(*metrics["intervals"]["poster_to_intro"]["all"][::-1])  # fewer movies, wider
    assert metrics["intervals"]["ranks"]["poster_to_intro"]["all"]["median"][0] <= 4


def test_is_json_of_plain_numbers_and_comes_back():
    metrics = example()
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics


def test_splits_choose_queries_and_the_gallery_stays_whole():
    ranks = np.array([1] * 10 + [20] * 10)
    metrics = score(ranks, ranks[::-1].copy(), train_rows=[*range(9, -1, -1)], n=20, samples=50)
    assert metrics["poster_to_intro"] == {"all": 0.5, "train": 1.0, "held_out": 0.0}
    assert metrics["intro_to_poster"] == {"all": 0.5, "train": 0.0, "held_out": 1.0}
    assert metrics["chance"] == 1 / 20
    # Each movie succeeds in exactly one direction, so drawing the same movies for both leaves the sum without spread.
    assert metrics["intervals"]["acc_sum"] == [1.0, 1.0]


def test_held_out_movies_among_themselves_are_ranked_in_their_own_gallery():
    poster, intro = vectors()
    D = distance_matrix(poster, intro)
    for metrics in (
        evaluate_vectors(poster, intro, range(60), range(35), samples=50),
        evaluate_distances(D, None, range(35), samples=50),
    ):
        among = metrics["held_out_gallery"]
        assert (among["n"], among["k"], among["chance"]) == (25, 1, 1 / 25)  # int(0.05 * 25)
        for dim, direction in ((1, "poster_to_intro"), (0, "intro_to_poster")):
            assert among[direction] == pytest.approx(get_acc(D[35:, 35:], dim=dim))
            assert among["ranks"][direction]["queries"] == 25
            low, high = among["intervals"][direction]
            assert low <= among[direction] <= high
        assert among["acc_sum"] == pytest.approx(among["poster_to_intro"] + among["intro_to_poster"])
    assert "held-out among held-out only (N = 25, k = 1, chance 0.040): poster to intro" in metrics_text(metrics)
    assert "held_out_gallery" not in evaluate_vectors(poster, intro, range(60), range(60), samples=50)


def test_the_curve_has_the_headlines_on_it():
    metrics = example()
    curve = metrics["curve"]
    for direction in ("poster_to_intro", "intro_to_poster"):
        for split in ("all", "train", "held_out"):
            points = dict(zip(curve["p"], curve[direction][split], strict=True))
            assert points[0.05] == pytest.approx(metrics[direction][split])
            assert points[0.5] == pytest.approx(metrics["ratio_0.5"][direction][split])
    assert curve["area"]["poster_to_intro"]["all"] == pytest.approx(1 - RANKS_P2I.mean() / 40)
    assert curve["area_chance"] == 39 / 80
    assert "area below the top-p curve, all: 0.762 poster to intro" in metrics_text(metrics)


def test_the_same_seed_gives_the_same_numbers():
    assert example() == example()
    assert example(seed=1)["intervals"] != example()["intervals"]


def test_a_split_without_movies_has_none():
    metrics = score([1, 2], [2, 1], train_rows=[], n=2, ratio=0.5, samples=10)
    assert metrics["poster_to_intro"] == {"all": 0.5, "train": None, "held_out": 0.5}
    assert metrics["ranks"]["poster_to_intro"]["train"]["median"] is None
    assert metrics["intervals"]["poster_to_intro"]["train"] is None
    json.dumps(metrics, allow_nan=False)
    row = next(line for line in metrics_text(metrics).splitlines() if "train" in line)
    assert row.split() == ["train", "0", "-", "-", "-", "-", "-", "-", "-"]


def test_one_movie_and_k_of_zero():
    metrics = score([1], [1], train_rows=[0], n=1, samples=10)
    assert (metrics["k"], metrics["acc_sum"], metrics["course_score"]) == (0, 0.0, 0.0)
    assert metrics["ranks"]["poster_to_intro"]["all"]["recall@1"] == 1.0


def test_vectors_and_their_distances_agree_with_each_other_and_with_get_acc():
    poster, intro = vectors()
    D = distance_matrix(poster, intro)
    from_vectors = evaluate_vectors(poster, intro, np.arange(100, 160), range(36), samples=100, chunk_size=7)
    assert evaluate_distances(D, None, range(36), samples=100) == from_vectors
    assert evaluate_distances(D, np.arange(60), range(36), samples=100) == from_vectors
    assert from_vectors["poster_to_intro"]["all"] == get_acc(D, dim=1)
    assert from_vectors["intro_to_poster"]["all"] == get_acc(D, dim=0)
    assert from_vectors["ratio_0.5"]["intro_to_poster"]["all"] == get_acc(D, 0.5, dim=0)
    assert from_vectors["poster_to_intro"] != from_vectors["intro_to_poster"]
    swapped = evaluate_vectors(intro, poster, np.arange(60), range(36), samples=100)
    assert swapped["poster_to_intro"] == from_vectors["intro_to_poster"]
    turned = evaluate_distances(D.T, None, range(36), samples=100)
    assert turned["poster_to_intro"] == from_vectors["intro_to_poster"]


def test_relabelling_the_movies_changes_nothing():
    poster, intro = vectors()
    order = np.random.default_rng(1).permutation(60)
    rows_of_train = np.flatnonzero(order < 36)
    metrics = evaluate_vectors(poster, intro, np.arange(60), range(36), samples=10)
    shuffled = evaluate_vectors(poster[order], intro[order], order, rows_of_train, samples=10)
    for key in ("poster_to_intro", "intro_to_poster", "acc_sum"):
        assert shuffled[key] == pytest.approx(metrics[key])
    assert shuffled["ranks"]["poster_to_intro"]["train"] == pytest.approx(metrics["ranks"]["poster_to_intro"]["train"])


def test_collapsed_vectors_score_worst():
    same = np.full((40, 3), 3**-0.5, dtype=np.float32)
    metrics = evaluate_vectors(same, same, np.arange(40), range(20), samples=10)
    assert metrics["acc_sum"] == metrics["ratio_0.5"]["acc_sum"] == 0
    assert metrics["ranks"]["intro_to_poster"]["all"]["median"] == 40


def test_refusals():
    with pytest.raises(DataError, match="names row 40 but there are 40 items"):
        score(RANKS_P2I, RANKS_I2P, train_rows=[40], n=40)
    with pytest.raises(DataError, match="names row 3 twice"):
        score(RANKS_P2I, RANKS_I2P, train_rows=[3, 1, 3], n=40)
    with pytest.raises(DataError, match="must be a list of row numbers"):
        score(RANKS_P2I, RANKS_I2P, train_rows=[0.5], n=40)
    with pytest.raises(DataError, match=r"ranks must be 39 integers in \[1, 39\]"):
        score(RANKS_P2I, RANKS_I2P, train_rows=[], n=39)
    with pytest.raises(DataError, match="ranks must be 40 integers"):
        score(RANKS_P2I - 1, RANKS_I2P, train_rows=[], n=40)
    with pytest.raises(ConfigError, match="ratio must be in"):
        score(RANKS_P2I, RANKS_I2P, train_rows=[], n=40, ratio=5)
    with pytest.raises(DataError, match="one shape"):
        evaluate_vectors(np.ones((3, 2)), np.ones((2, 2)), range(3), [])
