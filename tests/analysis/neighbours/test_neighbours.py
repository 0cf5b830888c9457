import numpy as np
import pytest

from cinealign.analysis.neighbours.galleries import draw_cases
from cinealign.analysis.neighbours.neighbours import nearest_others, trait_in_spaces
from cinealign.analysis.skipped import SkippedError


def test_nearest_leaves_the_movie_itself_out_and_equals_a_loop():
    generator = np.random.default_rng(0)
    query, gallery = (generator.standard_normal((11, 3)).astype(np.float32) for _ in range(2))
    rows = np.array([10, 3])
    found = nearest_others(query, gallery, rows, 10)
    for at, row in enumerate(rows):
        others = sorted((other for other in range(11) if other != row), key=lambda j: -float(query[row] @ gallery[j]))
        assert found[at].tolist() == others


def test_traits_of_neighbours_against_chance_by_hand():
    trait = np.array([[9, 1, 0, np.nan, 0], [1, 9, 1, 1, np.nan]], dtype=np.float32)  # own pairs count nowhere
    near = {"poster_to_intro": np.array([[1, 3], [2, 0]]), "poster_to_poster": np.array([[2, 4], [4, 3]])}
    found = trait_in_spaces(trait, near, np.array([0, 1]), [1, 2], samples=50, seed=0)
    assert found.known == 1.0
    assert found.chance.value == pytest.approx(4 / 6)
    assert found.spaces["poster_to_intro"].value == pytest.approx([1.0, 1.0])  # 1, 1; then 1, not known, 1, 1
    assert found.spaces["poster_to_intro"].lift == pytest.approx([1.5, 1.5])
    assert found.spaces["poster_to_poster"].value == pytest.approx([0.0, 1 / 3])
    against = found.against["poster_to_intro"]
    assert (against.space, against.k) == ("poster_to_poster", 2)
    assert against.difference.value == pytest.approx(2 / 3)
    with pytest.raises(SkippedError, match="not known for any pair"):
        trait_in_spaces(np.full((2, 5), np.nan, dtype=np.float32), near, np.array([0, 1]), [1], samples=5, seed=0)


def test_related_movies_are_lifted_and_shuffled_ones_are_not():
    generator = np.random.default_rng(1)
    group = np.repeat(np.arange(10), 20)
    vectors = (np.eye(10)[group] + 0.3 * generator.standard_normal((200, 10))).astype(np.float32)
    rows = np.arange(0, 200, 3)
    trait = (group[rows, None] == group).astype(np.float32)
    shuffled = trait[:, generator.permutation(200)]
    near = {"poster_to_intro": nearest_others(vectors, vectors, rows, 5)}
    lift = trait_in_spaces(trait, near, rows, [5], samples=200, seed=0).spaces["poster_to_intro"]
    none = trait_in_spaces(shuffled, near, rows, [5], samples=200, seed=0).spaces["poster_to_intro"]
    assert lift.lift_low[0] > 3
    assert none.lift_low[0] < 1 < none.lift_high[0]


def test_cases_are_drawn_by_rank_without_repeats():
    ranks = np.arange(1, 101)
    rows = np.arange(100)
    cases = draw_cases(ranks, rows, 100, each=4, seed=2)
    kinds = {kind: [row for name, row in cases if name == kind] for kind in ("good", "typical", "bad")}
    assert all(len(found) == 4 for found in kinds.values())
    assert max(kinds["good"]) < 10 and min(kinds["bad"]) >= 50
    assert min(kinds["typical"]) >= 10 and max(kinds["typical"]) < 50
    assert len({row for _, row in cases}) == 12
    assert cases == draw_cases(ranks, rows, 100, each=4, seed=2)
    assert cases != draw_cases(ranks, rows, 100, each=4, seed=3)
    poor = draw_cases(np.arange(40, 49), np.arange(9), 100, each=3)  # nobody is within 10, nobody beyond 50
    assert {row for kind, row in poor if kind == "good"} == {0, 1, 2}
    assert {row for kind, row in poor if kind == "bad"} == {6, 7, 8}
