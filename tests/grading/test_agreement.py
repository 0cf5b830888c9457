"""A D and the vectors beside it: honest forms follow from them, changed partners do not, another order is a note."""

import numpy as np
import pytest

from cinealign.grading.agreement import check_agreement
from cinealign.grading.evidence import Evidence
from cinealign.grading.judging import judge
from cinealign.grading.unpacking import Limits

N = 300
HELD_OUT = np.arange(180, N)


def distances(seed=0, dimensions=200):
    """Too many dimensions for the audit of D alone."""
    random = np.random.default_rng(seed)
    poster = random.normal(size=(N, dimensions))
    intro = 0.05 * poster + random.normal(size=(N, dimensions))
    return 1 - (poster @ intro.T) / np.linalg.norm(poster, axis=1)[:, None] / np.linalg.norm(intro, axis=1)


FORMS = {
    "the same": lambda D: D,
    "Euclidean": lambda D: np.sqrt(2 * D),
    "float16": lambda D: D.astype(np.float16),
    "two decimals": lambda D: np.round(D, 2),
    "1 - softmax of rows": lambda D: 1 - np.exp(-D) / np.exp(-D).sum(axis=1, keepdims=True),
    "columns scaled": lambda D: (D - D.mean(axis=0)) / D.std(axis=0),
}


@pytest.mark.parametrize("form", FORMS)
def test_forms_that_keep_the_order_follow_and_changed_partners_do_not(form):
    D = FORMS[form](distances())
    assert check_agreement(D, distances(), HELD_OUT).verdict == "PASS"
    for part in (1, 4):
        changed = D.copy()
        changed[HELD_OUT[::part], HELD_OUT[::part]] -= changed.dtype.type(1.5 * D.astype(np.float64).std())
        found = check_agreement(changed, distances(), HELD_OUT)
        assert found.verdict == "FAIL" and found.details["nearer"] > 0.6 * len(HELD_OUT[::part]), found.line()
        assert Evidence.of(found).strength == "proof"


def test_remembered_train_pairs_are_not_judged():
    D = distances()
    D[np.arange(180), np.arange(180)] -= 1
    assert check_agreement(D, distances(), HELD_OUT).verdict == "PASS"


def test_other_vectors_and_corrections_are_a_note():
    D = distances()
    csls = 2 * D - np.sort(D, axis=0)[:10].mean(axis=0) - np.sort(D, axis=1)[:, :10].mean(axis=1)[:, None]
    assert check_agreement(distances(1), D, HELD_OUT).verdict == "NOTE"
    assert check_agreement(csls, D, HELD_OUT).verdict in ("NOTE", "PASS")


@pytest.mark.parametrize("lowered", [0.0, 1.0])
def test_vectors_beside_a_matrix_are_compared_with_it(lowered, finished, sample, tmp_path):
    poster, intro = finished.vectors
    D = (1 - poster @ intro.T).astype(np.float64)
    D[sample.held_out_rows, sample.held_out_rows] -= lowered * D.std()
    (tmp_path / "s").mkdir()
    (tmp_path / "scratch").mkdir()
    np.save(tmp_path / "s" / "D.npy", D)
    np.save(tmp_path / "s" / "poster_vectors.npy", poster)
    np.save(tmp_path / "s" / "intro_vectors.npy", intro)
    row = judge(tmp_path / "s", tmp_path / "scratch", sample, Limits())
    assert row.kind == "matrix"
    assert ("D and vectors" in {one.check for one in row.findings}) == bool(lowered)
    np.save(tmp_path / "s" / "intro_vectors.npy", np.asarray(intro)[:, :-1])
    row = judge(tmp_path / "s", tmp_path / "scratch", sample, Limits())
    assert any(line.startswith("the vectors beside D are not compared") for line in row.remarks)
