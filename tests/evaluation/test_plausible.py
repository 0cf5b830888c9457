import numpy as np

from cinealign.evaluation.metrics import score
from cinealign.evaluation.plausible import as_surely, contradictions, doubts, too_few


def scored(n=200, seed=0, power=4.0):
    random = np.random.default_rng(seed)
    ranks = [np.ceil(n * random.random(n) ** power).astype(int) for _ in range(2)]
    for side in ranks:
        side[:100] = 1
    held_out = tuple(np.minimum(side[100:], n - 100) for side in ranks)
    return score(*ranks, train_rows=np.arange(100), n=n, samples=100, held_out_ranks=held_out)


def test_honest_numbers_raise_no_doubt():
    assert doubts(scored()) == []
    assert too_few(scored()) == []


def test_every_number_that_was_changed_by_hand_is_named():
    for change in ({"acc_sum": 1.9}, {"course_score": 15.0}, {"k": 100}):
        assert len(contradictions({**scored(), **change})) == 1
        assert next(iter(change)) in contradictions({**scored(), **change})[0]


def test_as_surely_allows_for_chance():
    assert as_surely(0.60, 1000, 0.58, 1000)
    assert not as_surely(0.60, 1000, 0.50, 1000)
    assert as_surely(1.0, 1000, 0.96, 1000)
    assert not as_surely(0.5, 0, 0.5, 100)


def test_a_gallery_of_twelve_says_that_its_zero_is_none():
    said = too_few(score([1] * 12, [1] * 12, train_rows=[0, 1], n=12, samples=10, held_out_ranks=([1] * 10, [1] * 10)))
    assert [line.partition(":")[0] for line in said] == ["all", "held-out among held-out"]
    assert "20 items are needed" in said[0]
