from itertools import permutations

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import average_precision_score, roc_auc_score

from cinealign.analysis.downstream.clusters import assign, marking_words
from cinealign.analysis.downstream.cold_start import Part, choose_penalties, ndcg, predict, user_means
from cinealign.analysis.downstream.probes import Probe
from cinealign.analysis.downstream.ranking import macro, weighted_auc, weighted_average_precision, weighted_precision
from cinealign.analysis.downstream.similar import draw_sets, found_near, least_alike
from cinealign.analysis.downstream.task_table import Measured, Table


def scored(seed: int = 0, n: int = 37):
    generator = np.random.default_rng(seed)
    labels = generator.random(n) < 0.4
    scores = np.round(generator.standard_normal(n) + labels, 1)  # rounded, so that there are ties
    return scores, labels, generator.integers(0, 4, (5, n))


@pytest.mark.parametrize(
    ("ours", "theirs"), [(weighted_auc, roc_auc_score), (weighted_average_precision, average_precision_score)]
)
def test_ranking_measures_equal_scikit_learn_with_ties_and_weights(ours, theirs):
    scores, labels, counts = scored()
    found = ours(scores, labels, counts)
    assert found == pytest.approx([theirs(labels, scores, sample_weight=count) for count in counts])


def test_precision_counts_a_movie_as_often_as_it_was_drawn():
    scores, labels = np.array([5.0, 4.0, 3.0, 2.0]), np.array([True, False, True, False])
    counts = np.array([[1, 1, 1, 1], [0, 2, 1, 1], [3, 1, 0, 0]])
    assert weighted_precision(scores, labels, counts, at=2) == pytest.approx([1 / 2, 0, 1])
    assert weighted_precision(scores, labels, counts, at=3) == pytest.approx([2 / 3, 1 / 3, 1])


def test_macro_is_the_mean_over_labels():
    columns = [scored(seed) for seed in range(3)]
    scores, labels = (np.stack([column[at] for column in columns], axis=1) for at in (0, 1))
    found, each = macro("macro AUC", scores, labels, samples=200, seed=0)
    assert each == pytest.approx([roc_auc_score(labels[:, at], scores[:, at]) for at in range(3)])
    assert found.value == pytest.approx(np.mean(each))
    assert np.quantile(found.drawn, 0.05) < found.value < np.quantile(found.drawn, 0.95)


def test_probe_is_a_ridge_regression_with_the_penalty_of_least_leave_one_out_error():
    generator = np.random.default_rng(0)
    x, new = generator.standard_normal((30, 50)), generator.standard_normal((7, 50))
    targets = np.stack([x[:, 0] + 0.1 * generator.standard_normal(30), generator.standard_normal(30)], axis=1)
    alphas = (0.01, 0.1, 1.0, 10.0)
    found = Probe(x.astype(np.float32)).scores(targets, new.astype(np.float32), alphas)
    mean = x.mean(axis=0)
    scale = ((x - mean) ** 2).sum(axis=1).mean()
    for at in range(2):
        errors = []
        for alpha in alphas:  # means and scale of all rows, as documented
            error = 0.0
            for out in range(30):
                kept = np.arange(30) != out
                model = Ridge(alpha * scale, fit_intercept=False)
                model.fit((x - mean)[kept], (targets - targets.mean(axis=0))[kept, at])
                error += (model.predict((x - mean)[[out]])[0] - (targets - targets.mean(axis=0))[out, at]) ** 2
            errors.append(error)
        best = Ridge(alphas[int(np.argmin(errors))] * scale).fit(x, targets[:, at])
        assert found[:, at] == pytest.approx(best.predict(new), abs=1e-4)


def test_ndcg_by_hand_and_with_ties_as_the_mean_over_all_orders():
    ratings = np.array([3.0, 1.0, 2.0])
    assert ndcg(np.array([3.0, 1.0, 2.0]), ratings, 2) == 1.0
    ideal = 7 + 3 / np.log2(3)
    assert ndcg(np.array([0.0, 2.0, 1.0]), ratings, 2) == pytest.approx((1 + 3 / np.log2(3)) / ideal)
    orders = [ndcg(np.array(order, dtype=float), ratings, 2) for order in permutations((0, 1, 2))]
    assert ndcg(np.zeros(3), ratings, 2) == pytest.approx(np.mean(orders))


def drawn_ratings(seed: int = 0, users: int = 50, movies: int = 60):
    """Users who like one of two kinds of movies and dislike the other; features say which kind a movie is."""
    generator = np.random.default_rng(seed)
    kind = generator.integers(0, 2, movies)
    features = np.eye(2)[kind]
    user, row = np.nonzero(generator.random((users, movies)) < 0.6)
    taste = np.where(np.arange(users) % 2 == 0, 1, -1)
    value = 3 + taste[user] * (2.0 * kind[row] - 1) + 0.3 * generator.standard_normal(len(user))
    cold = row >= movies - 15
    known, asked = (Part(user[at], row[at], value[at]) for at in (~cold, cold))
    return known, asked, features @ features.T, users


def test_a_cold_movie_is_liked_by_those_who_like_its_kind():
    known, asked, kernel, users = drawn_ratings()
    chosen = choose_penalties(known, kernel, users, seed=0)
    predicted = predict(known, asked, kernel, users, *chosen)
    plain = user_means(known, users)[asked.user]
    assert np.sqrt(np.mean((predicted - asked.value) ** 2)) < 0.5
    assert np.sqrt(np.mean((plain - asked.value) ** 2)) > 0.9


def test_predictions_do_not_look_at_the_ratings_of_cold_movies():
    known, asked, kernel, users = drawn_ratings()
    blind = Part(asked.user, asked.row, np.full(len(asked.value), np.nan))
    assert predict(known, blind, kernel, users, 3.0, 3.0) == pytest.approx(
        predict(known, asked, kernel, users, 3.0, 3.0)
    )


def test_predictions_equal_the_model_written_out():
    known, asked, kernel, users = drawn_ratings(seed=3, users=6, movies=20)
    found = predict(known, asked, kernel, users, 2.0, 5.0)
    overall = known.value.mean()
    mean = {u: (known.value[known.user == u].sum() + 5 * overall) / ((known.user == u).sum() + 5) for u in range(users)}
    residual = np.array([v - mean[u] for u, v in zip(known.user, known.value, strict=True)])
    movies = sorted(set(known.row.tolist()))
    own = {m: residual[known.row == m] for m in movies}
    ridge = kernel[np.ix_(movies, movies)] + np.diag([2.0 / len(own[m]) for m in movies])
    general = np.linalg.solve(ridge, [own[m].mean() - residual.mean() for m in movies])
    for at in (0, 5, len(found) - 1):
        user, row = asked.user[at], asked.row[at]
        mine = np.flatnonzero(known.user == user)
        rows = known.row[mine]
        rest = [residual[i] - own[known.row[i]].sum() / (len(own[known.row[i]]) + 5) for i in mine]
        personal = kernel[row, rows] @ np.linalg.solve(kernel[np.ix_(rows, rows)] + 5 * np.eye(len(rows)), rest)
        expected = mean[user] + residual.mean() + kernel[row, movies] @ general + personal
        assert found[at] == pytest.approx(expected)


def test_mates_are_found_among_the_nearest_others():
    rows = np.array([[1, 0], [0.9, 0.1], [0, 1], [0.1, 0.9]], dtype=np.float32)
    mates = np.array([[False, True, False, False], [False, False, False, True]])
    assert found_near(rows, rows, np.array([0, 2]), mates, 1).tolist() == [True, True]
    assert found_near(rows, rows, np.array([0, 2]), mates[::-1], 1).tolist() == [False, False]


def test_sets_have_one_odd_movie_and_it_is_the_least_alike():
    labels = np.random.default_rng(0).random((40, 3)) < 0.4
    sets, used = draw_sets(labels, 50, 5, seed=1)
    for members, label in zip(sets, used, strict=True):
        assert labels[members[:-1], label].all() and not labels[members[-1], label]
        assert len(set(members.tolist())) == 5
    rows = np.random.default_rng(2).standard_normal((40, 6)).astype(np.float32)
    found = least_alike(rows, sets)
    for at in (0, 17, 49):
        own = rows[sets[at]]
        means = [np.mean([own[i] @ own[j] for j in range(5) if j != i]) for i in range(5)]
        assert found[at] == int(np.argmin(means))


def test_clusters_are_fitted_on_train_rows_only():
    generator = np.random.default_rng(0)
    rows = np.concatenate([generator.normal(centre, 0.1, (30, 4)) for centre in (0, 3, 6)]).astype(np.float32)
    train = np.arange(0, 90, 2)
    found = assign(rows, train, 3, seed=0)
    assert [len(set(found[at : at + 30].tolist())) for at in (0, 30, 60)] == [1, 1, 1]
    changed = rows.copy()
    changed[1::2] += 100  # only held-out rows differ
    assert (assign(changed, train, 3, seed=0)[train] == found[train]).all()


def test_marking_words_are_neither_everyday_nor_rare():
    inside = [["ship", "man", "captain"]] * 6 + [["ship", "man", "xylophone"]]
    outside = [["man", "house"]] * 20 + [["ship", "man"]]
    words = marking_words(inside + outside, np.array([True] * 7 + [False] * 21), 3)
    assert set(words[:2]) == {"ship", "captain"}
    assert "xylophone" not in words and "house" not in words


def test_table_compares_on_the_same_draws_and_keeps_tasks_together():
    hits = np.random.default_rng(0).random((80, 2)) < (0.5, 0.6)
    base, better = (Measured.mean(column, samples=300, seed=1) for column in hits.T)
    table = Table()
    table.add("a", "accuracy", "base", "baseline", base, 80, chance=0.1)
    table.add("b", "accuracy", "base", "baseline", base, 80, chance=0.1)
    table.add("a", "accuracy", "new", "aligned", better, 80, chance=0.1, against="base")
    rows = table.rows()
    assert [(row.task, row.method) for row in rows] == [("a", "base"), ("a", "new"), ("b", "base")]
    difference = rows[1].difference
    assert difference.value == pytest.approx(hits[:, 1].mean() - hits[:, 0].mean())
    assert difference.low <= difference.value <= difference.high
    assert rows[0].difference is None
