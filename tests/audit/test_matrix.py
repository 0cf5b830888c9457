"""Every fake of a distance matrix that we can think of, and honest matrices that must not be taken for one."""

from dataclasses import replace

import numpy as np
import pytest

from cinealign.audit.diagonal import Prediction, bind_diagonal, predict_diagonal
from cinealign.audit.findings import worst
from cinealign.audit.matrix import audit_matrix, check_diagonal, check_gap, check_symmetry
from cinealign.audit.orientation import check_orientation
from cinealign.audit.pile_ups import check_pile_ups, check_ties
from cinealign.evaluation.ranks import ranks_from_distances

N, TRAIN = 300, 180
ROWS = np.arange(TRAIN)
HELD_OUT = np.arange(TRAIN, N)


def vectors(seed=0, dimensions=24):
    """Partners that share a little; train pairs much more, as if remembered."""
    random = np.random.default_rng(seed)
    poster = random.normal(size=(N, dimensions))
    share = np.where(np.arange(N) < TRAIN, 2.0, 0.5)[:, None]
    intro = share * poster + random.normal(size=(N, dimensions))
    return tuple(v / np.linalg.norm(v, axis=1, keepdims=True) for v in (poster, intro))


def honest(seed=0):
    poster, intro = vectors(seed)
    return (1 - poster @ intro.T).astype(np.float32)


def found_in(D, check):
    return next(finding for finding in audit_matrix(D, ROWS) if finding.check == check)


FORMS = {
    "cosine": lambda D: D,
    "Euclidean": lambda D: np.sqrt(2 * D),
    "angle": lambda D: np.arccos(np.clip(1 - D, -1, 1)),
    "softmax": lambda D: 1 - np.exp(-D / 0.5) / np.exp(-D / 0.5).sum(axis=1, keepdims=True),
    "float16": lambda D: D.astype(np.float16),
    "three decimals": lambda D: np.round(D, 3),
    "scaled to 0 and 1": lambda D: (D - D.min()) / np.ptp(D),
    "standardised rows": lambda D: (D - D.mean(axis=1, keepdims=True)) / D.std(axis=1, keepdims=True),
    "CSLS": lambda D: 2 * D - np.sort(D, axis=0)[:10].mean(axis=0) - np.sort(D, axis=1)[:, :10].mean(axis=1)[:, None],
}


@pytest.mark.parametrize("form", FORMS)
def test_honest_matrices_pass(form):
    D = FORMS[form](honest().astype(np.float64) if form == "softmax" else honest())
    findings = audit_matrix(D, ROWS)
    assert [finding.line() for finding in findings if finding.verdict == "FAIL"] == []
    assert found_in(D, "special diagonal").verdict == "PASS"


@pytest.mark.parametrize("form", FORMS)
def test_a_lowered_diagonal_does_not_follow_from_the_other_entries(form):
    D = honest().astype(np.float64)
    D[HELD_OUT, HELD_OUT] -= 0.2
    found = found_in(FORMS[form](np.maximum(D, 1e-3)), "special diagonal")
    assert found.verdict == "FAIL"
    assert "they were changed after D was computed" in found.said


@pytest.mark.parametrize("amount", [1e-2, 1e-3, 1e-4])
def test_noise_sized_amounts_are_seen_as_well(amount):
    D = honest()
    random = np.random.default_rng(1)
    D[HELD_OUT, HELD_OUT] -= np.abs(random.normal(0, amount, len(HELD_OUT))).astype(np.float32)
    assert found_in(D, "special diagonal").verdict == "FAIL"


def test_a_dozen_of_lowered_entries_are_enough():
    D = honest()
    D[HELD_OUT[::10], HELD_OUT[::10]] -= 0.05
    found = found_in(D, "special diagonal")
    assert found.verdict == "FAIL"
    assert found.details["outside"] >= 12


def test_the_prediction_is_the_diagonal_of_vectors():
    D = honest()
    spoiled = D.copy()
    np.fill_diagonal(spoiled, 7)  # what stands on the diagonal plays no part in its prediction
    prediction = predict_diagonal(spoiled)
    assert prediction.form == "D" and prediction.exact
    assert prediction.predicted == pytest.approx(D.diagonal(), abs=1e-4)
    assert predict_diagonal(D[:20, :20]) is None


def test_a_matrix_of_full_rank_cannot_be_judged_and_that_is_said():
    D = honest() + np.random.default_rng(0).normal(0, 0.1, (N, N)).astype(np.float32)
    prediction = predict_diagonal(D)
    assert not prediction.exact
    ranks = {"poster_to_intro": ranks_from_distances(D, 1), "intro_to_poster": ranks_from_distances(D, 0)}
    found = check_diagonal(prediction, HELD_OUT, ranks)
    assert found.verdict == "NOTE"
    assert found.open and "ask for vectors and model" in found.said


def test_a_full_rank_diagonal_that_was_lowered_as_a_whole_shows_in_the_pairs_that_are_not_found():
    """Pairs that are not found lie on both sides of their prediction where nothing was lowered."""
    found_at = np.where(np.arange(N) < TRAIN, 1, N)
    ranks = {"poster_to_intro": found_at, "intro_to_poster": found_at}
    deviations = np.random.default_rng(0).normal(0, 1, N) - 3.0 * (found_at == 1)
    prediction = Prediction("D", 90, 0.3, 1e-7, deviations, np.zeros(N), 3.3, 0.5, np.zeros(N, dtype=bool))
    honest_one = check_diagonal(prediction, HELD_OUT, ranks)
    assert honest_one.verdict == "NOTE"
    assert honest_one.details["missed"] == 120
    lowered = check_diagonal(replace(prediction, deviations=deviations - 4), HELD_OUT, ranks)
    assert lowered.verdict == "FAIL"
    assert "the diagonal was lowered as a whole" in lowered.said


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_partners_that_are_first_or_nowhere_were_put_there(share):
    """A full-rank matrix hides its diagonal from the prediction, but not the gap in its ranks."""
    random = np.random.default_rng(0)
    D = random.normal(size=(N, N)).astype(np.float32)
    chosen = HELD_OUT[: int(share * len(HELD_OUT))]
    D[chosen, chosen] = D.min() - 0.1 - random.random(len(chosen)).astype(np.float32)
    findings = audit_matrix(D, ROWS)
    assert worst(findings) == "FAIL"
    found = next(finding for finding in findings if finding.check == "held-out ranks")
    assert ("were put first" if share < 1 else "trained on, or put there") in found.said


def test_good_vectors_that_find_almost_everything_are_believed():
    poster, intro = vectors(dimensions=60)
    near = poster + 0.1 * intro
    D = (1 - poster @ (near / np.linalg.norm(near, axis=1, keepdims=True)).T).astype(np.float32)
    ranks = {"poster_to_intro": ranks_from_distances(D, 1), "intro_to_poster": ranks_from_distances(D, 0)}
    found = check_gap(ranks, HELD_OUT, predict_diagonal(D))
    assert found.verdict == "NOTE"
    assert "the diagonal itself is sound" in found.said


def test_nan_rows_constant_rows_and_similarities_fail():
    D = honest()
    D[3, 1:] = np.nan
    findings = audit_matrix(D, ROWS)
    assert [finding.verdict for finding in findings] == ["FAIL"]
    assert f"{N - 1} entries are NaN or worse, in 1 rows (3)" in findings[0].said
    D = honest()
    D[5] = 0.5
    assert "1 rows (5) and 0 columns" in found_in(D, "constant rows").said
    assert found_in(D, "constant rows").verdict == "NOTE"  # an honest model has one where it read nothing
    D[: len(D) // 2 + 1] = 1.0
    assert found_in(D, "constant rows").verdict == "FAIL"
    assert found_in(1 - honest(), "sign").verdict == "FAIL"


def test_rows_that_scaling_made_nan_are_told_from_single_entries():
    D = honest()
    D[[3, 5]] = np.nan
    assert "0 / 0" in found_in(D, "finite").said and found_in(D, "finite").verdict == "FAIL"
    D[7, 1] = np.nan
    assert "0 / 0" not in found_in(D, "finite").said


def test_one_side_twice_and_a_diagonal_of_one_value_fail():
    poster, _ = vectors()
    random = np.random.default_rng(0)
    assert "transpose" in check_symmetry(1 - poster @ poster.T + np.diag(random.random(N))).said
    D = honest()
    np.fill_diagonal(D, 0)
    assert check_symmetry(D).said == "every partner has the same distance, 0; the diagonal was put there"
    assert check_symmetry(honest()).verdict == "PASS"


def test_held_out_pairs_that_were_trained_on_are_pointed_at():
    """Numbers alone cannot prove it: the note says what a reader should ask."""
    poster, intro = vectors()
    near = poster + 0.3 * intro
    D = 1 - poster @ (near / np.linalg.norm(near, axis=1, keepdims=True)).T
    assert "New pairs are found as surely as train pairs" in found_in(D, "train and held-out").said
    assert "New pairs" not in found_in(honest(), "train and held-out").said


def test_a_ratio_of_a_half_is_named_beside_the_tasks():
    said = found_in(honest(), "train and held-out").said
    assert "top 5 % (k = 15 of 300, chance 0.050)" in said
    assert "at ratio 0.5 all" in said


@pytest.mark.parametrize("form", ["cosine", "Euclidean", "angle", "softmax", "1 / (1 + similarity)"])
def test_a_lowered_entry_lies_below_its_prediction_in_every_form(form):
    """In forms that fall where D grows it used to lie above."""
    change = {**FORMS, "1 / (1 + similarity)": lambda D: 1 / (2 - D)}[form]
    D = change(honest().astype(np.float64))
    D[HELD_OUT, HELD_OUT] -= 0.02 * np.ptp(D)
    assert np.median(predict_diagonal(D).deviations[HELD_OUT]) < -1


def test_a_diagonal_changed_after_rounding_does_not_hide_behind_its_digits():
    """Entries off the grid of the others used to make the whole matrix look unrounded, so that nothing was bound."""
    D = np.round(honest().astype(np.float64), 3)
    D[HELD_OUT[::2], HELD_OUT[::2]] -= 0.1 * np.random.default_rng(0).random(len(HELD_OUT[::2]))
    assert found_in(D, "special diagonal").verdict == "FAIL"


def test_forms_that_turn_round_within_the_entries_are_not_taken():
    """Below 0 a square falls: what lies above its prediction there looked as if it lay below."""
    random = np.random.default_rng(0)
    D = random.normal(size=(N, N))
    assert predict_diagonal(D).form not in ("D squared", "cos D", "1 / D")


def words(n, seed):
    """A D of full rank, as of words that both sides hold: sparse parts of 2,000 words beside dense vectors."""
    random = np.random.default_rng(seed)
    poster, intro = np.zeros((n, 2000)), np.zeros((n, 2000))
    for row in range(n):
        poster[row, random.zipf(1.3, 8) % 2000] = 1
        intro[row, random.zipf(1.3, 20) % 2000] = 1
        if row < 0.6 * n or random.random() < 0.4:
            own = random.integers(0, 2000)
            poster[row, own] = intro[row, own] = 3
    lengths = [np.linalg.norm(side, axis=1, keepdims=True) for side in (poster, intro)]
    dense = random.normal(size=(n, 16)) @ random.normal(size=(16, n))
    return 1 - (poster / lengths[0]) @ (intro / lengths[1]).T - 0.02 * dense - 0.01 * random.normal(size=(n, n))


@pytest.mark.parametrize("part", [1, 2, 10])
@pytest.mark.parametrize("amount", [0.001, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5])
def test_a_lowered_diagonal_of_full_rank_never_passes(amount, part):
    """Between the amounts that leave pairs unfound and those that put every partner first there was a PASS."""
    n = 400
    rows = np.arange(240)
    D = words(n, 0)
    lowered = np.arange(240, n)[::part]
    D[lowered, lowered] -= amount
    assert worst(audit_matrix(D.astype(np.float32), rows)) != "PASS"


def test_an_honest_matrix_of_full_rank_is_not_accused():
    findings = audit_matrix(words(600, 0).astype(np.float32), np.arange(360))
    assert [finding.line() for finding in findings if finding.verdict == "FAIL"] == []
    assert worst(findings) == "NOTE"  # nor cleared: numbers alone do not bind its diagonal


def pulled(D, rank, between, rows):
    """Each chosen pair put at `rank` of its row: on the entry that stands there, or just behind it."""
    faked = D.copy()
    for row in rows:
        near = np.sort(D[row])
        if D[row, row] > near[rank]:
            faked[row, row] = (near[rank] + near[rank + 1]) / 2 if between else near[rank]
    return faked


@pytest.mark.parametrize("between", [True, False])
def test_pairs_pulled_to_a_rank_inside_k_pile_up_and_tie(between):
    n, random = 800, np.random.default_rng(0)
    D = words(n, 1)
    findings = audit_matrix(pulled(D, 20, between, random.permutation(n)[: n // 2]), np.arange(480))
    failing = {finding.check: finding.said for finding in findings if finding.verdict == "FAIL"}
    assert "they were put there" in failing["pile-ups"]
    assert ("ties" in failing) == (not between)


def test_ranks_that_end_at_k_are_an_edge():
    ranks = {"poster_to_intro": np.concatenate([np.arange(1, 51).repeat(8), np.arange(51, 1001, 5)])}
    ranks["poster_to_intro"] = np.resize(ranks["poster_to_intro"], 1000)
    found = check_pile_ups(ranks, {"held-out": np.arange(1000)})
    assert found.verdict == "FAIL"
    assert "an honest model does not know k" in found.said
    smooth = np.minimum(1000, np.ceil(1000 * np.random.default_rng(0).random(1000) ** 4)).astype(int)
    assert check_pile_ups({"poster_to_intro": smooth}, {"held-out": np.arange(1000)}).verdict == "PASS"


def test_ties_of_coarse_saturated_and_repeated_items_are_honest():
    D = honest()
    twice = D.copy()
    twice[:, 1::2] = twice[:, ::2]  # every intro has a double
    saturated = np.clip(D, 0.8, None)
    for matrix in (D.astype(np.float16), np.round(D, 2), twice, saturated):
        assert check_ties(matrix).verdict != "FAIL"


def test_new_pairs_as_sure_as_train_pairs_are_no_pass():
    random = np.random.default_rng(0)
    poster = random.normal(size=(N, 24))
    intro = poster + 1.5 * random.normal(size=(N, 24))
    D = 1 - poster @ intro.T / 24
    findings = audit_matrix(D, ROWS)
    assert worst(findings) == "NOTE"
    assert [finding.check for finding in findings if finding.open] == ["train and held-out"]


def test_no_held_out_movie():
    assert audit_matrix(honest(), np.arange(N))[-1].said.startswith("every item is a train item")


def test_a_transposed_matrix_is_caught_where_the_data_are_at_hand(finished, sample):
    """Columns of the run's D resemble each other as intros do, rows as posters do."""
    poster, intro = finished.vectors
    D = 1 - poster @ intro.T
    random = np.random.default_rng(0)
    rows = np.arange(240)
    assert check_orientation(D, rows, sample.posters, sample.intros).verdict == "PASS"
    turned = check_orientation(D.T, rows, sample.posters, sample.intros)
    assert turned.verdict == "FAIL"
    assert "D is transposed" in turned.said
    noise = random.normal(size=(240, 240))
    assert check_orientation(noise, rows, sample.posters, sample.intros).verdict == "NOTE"
    assert check_orientation(noise, rows[:10], sample.posters, sample.intros).verdict == "NOTE"


def test_entries_beyond_what_a_form_knows_do_not_unbind_the_others():
    """D = exp(-similarity) is bound as its logarithm; a diagonal below 0 has none, and used to hide the whole matrix."""
    D = np.exp(honest().astype(np.float64) / 0.2 - 6)
    assert found_in(D, "special diagonal").verdict == "PASS"
    D[HELD_OUT, HELD_OUT] -= 0.5 * D.std()
    assert (D.diagonal() < 0).any()
    found = found_in(D, "special diagonal")
    assert found.verdict == "FAIL" and found.details["form"] == "log D"
    assert found.details["median"] < 0


def test_saturated_partners_are_not_judged():
    """1 - p of a softmax is stored as 0 where p is nearly 1: its logarithm says nothing."""
    D = np.exp(honest().astype(np.float64) / 0.2 - 6)
    D[HELD_OUT[:2], HELD_OUT[:2]] = 0
    few = found_in(D, "special diagonal")
    assert (few.verdict, few.details["outside"], few.details["hidden"]) == ("PASS", 0, 2)
    D[HELD_OUT, HELD_OUT] = 0
    assert found_in(D, "special diagonal").open
    assert worst(audit_matrix(D, ROWS)) != "PASS"


def plan(temperature, seed=0, dimensions=24):
    """1 - Sinkhorn's transport plan of honest vectors, as float32: the lower the temperature, the more it is peaked."""
    poster, intro = vectors(seed, dimensions)
    found = np.exp(poster @ intro.T / temperature)
    for _ in range(20):
        found /= found.sum(axis=1, keepdims=True)
        found /= found.sum(axis=0)
    return (1 - found).astype(np.float32)


@pytest.mark.parametrize("temperature", [0.2, 0.06])
def test_a_peaked_plan_is_read_behind_its_logarithm(temperature):
    """Measured by the spread of its few peaks, log D seemed to hold, and whatever lies beside it seemed changed."""
    D = plan(temperature)
    bound = bind_diagonal(D)
    assert bound.form in ("log (1 - D)", "logit D")
    seen = found_in(D, "special diagonal")
    assert seen.verdict != "FAIL" and seen.details["outside"] <= 2, seen.line()


@pytest.mark.parametrize("dimensions", [24, 200])
@pytest.mark.parametrize("temperature", [0.2, 0.06])
def test_a_plan_with_a_lowered_diagonal_never_passes(temperature, dimensions):
    honest_plan = plan(temperature, dimensions=dimensions)
    bound = bind_diagonal(honest_plan)
    for amount in (0.01, 0.03, 0.1, 0.3, 1, 3):
        for part in (1, 2):
            D = honest_plan.copy()
            D[HELD_OUT[::part], HELD_OUT[::part]] -= amount * D.std()
            assert worst(audit_matrix(D, ROWS, bound)) != "PASS", (amount, part)


@pytest.mark.parametrize(("nearer", "verdict"), [(0.5, "FAIL"), (0.3, "FAIL"), (0.8, "NOTE")])
def test_where_most_entries_are_nearer_than_predicted_so_are_honest_partners(nearer, verdict):
    ranks = dict.fromkeys(("poster_to_intro", "intro_to_poster"), np.full(N, N))
    prediction = Prediction("D", 90, 0.3, 1e-7, np.full(N, -1.0), np.zeros(N), 3.3, nearer, np.zeros(N, dtype=bool))
    assert check_diagonal(prediction, HELD_OUT, ranks).verdict == verdict


def test_the_diagonal_plays_no_part_in_what_binds_it():
    D = honest()
    bound = bind_diagonal(D)
    changed = D.copy()
    changed[HELD_OUT, HELD_OUT] = -7
    again = bind_diagonal(changed)
    assert (again.form, again.rank, again.limit, again.step) == (bound.form, bound.rank, bound.limit, bound.step)
    assert again.predicted == pytest.approx(bound.predicted, abs=0)
    told = audit_matrix(changed, ROWS, bound)
    assert [one.said for one in told] == [one.said for one in audit_matrix(changed, ROWS)]


@pytest.mark.parametrize(
    ("outside", "verdict"),
    [
        ([-5.0, 5.0] * 8, "PASS"),  # residuals of near entries are larger than those of most others
        ([-5.0] * 16, "FAIL"),
        ([-500.0, 500.0] * 8, "FAIL"),  # others raised so that the lowered ones do not stand alone
        ([-5.0], "PASS"),
    ],
)
def test_entries_just_outside_on_both_sides_are_no_change(outside, verdict):
    ranks = dict.fromkeys(("poster_to_intro", "intro_to_poster"), np.full(N, N))
    deviations = np.tile([-0.5, 0.5], N // 2)
    deviations[HELD_OUT[: len(outside)]] = outside
    prediction = Prediction("D", 90, 4e-7, 3e-7, deviations, np.zeros(N), 3.7, 0.5, np.zeros(N, dtype=bool))
    assert check_diagonal(prediction, HELD_OUT, ranks).verdict == verdict
