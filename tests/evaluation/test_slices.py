import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cinealign.errors import ConfigError, DataError
from cinealign.evaluation.slices import SMALL, by_decade, by_label, by_size, score_slices
from cinealign.evaluation.statistics import wilson_interval
from cinealign.plain_json import to_json


def as_lists(slices):
    return {name: rows.tolist() for name, rows in slices.items()}


def test_labels_one_several_or_none():
    slices = by_label(["Drama", None, ["Horror", "Drama", "Drama"], "", [], "Horror", "Drama"])
    assert as_lists(slices) == {"Drama": [0, 2, 6], "Horror": [2, 5]}


def test_decades():
    assert as_lists(by_decade([1999, 2000, np.nan, 1990, 2009])) == {"1990s": [0, 3], "2000s": [1, 4]}


def test_sizes_known_by_hand():
    slices = by_size([10, 40, np.nan, 30, 20], parts=2)
    assert as_lists(slices) == {"10 to 20": [0, 4], "30 to 40": [1, 3]}
    assert as_lists(by_size([0, 0, 0, 0, 7], parts=4)) == {"0": [0, 1, 2, 3], "7": [4]}
    assert by_size([np.nan, np.nan]) == {}


@given(st.lists(st.integers(0, 9), min_size=1, max_size=40), st.integers(1, 6))
def test_sizes_keep_every_movie_once_and_equal_values_together(values, parts):
    slices = list(by_size(values, parts).values())
    assert len(slices) <= parts
    assert sorted(np.concatenate(slices).tolist()) == list(range(len(values)))
    kept = [{values[row] for row in rows} for rows in slices]
    assert all(max(low) < min(high) for low, high in pairwise(kept))


def test_scores_known_by_hand():
    ranks = {"poster_to_intro": [1, 2, 3, 40, *[1] * 36], "intro_to_poster": [2, 9, 9, 9, *[9] * 36]}
    attributes = {"genre": by_label(["a", "a", "a", "b", *["c"] * 36])}
    found = score_slices(ranks, attributes)
    assert [(entry.attribute, entry.slice, entry.movies, entry.small) for entry in found] == [
        ("all", "all", 40, False),
        ("genre", "c", 36, False),
        ("genre", "a", 3, True),
        ("genre", "b", 1, True),
    ]
    a = found[2]
    assert a["poster_to_intro"].accuracy == pytest.approx(2 / 3)  # k = 2
    assert a["poster_to_intro"].median == 2.0
    assert a["poster_to_intro"].interval == list(wilson_interval(2, 3))
    assert a["intro_to_poster"].accuracy == pytest.approx(1 / 3)
    assert SMALL == 30
    json.dumps(to_json(found), allow_nan=False)


def test_only_the_movies_asked_for_are_counted():
    ranks = {"poster_to_intro": [1, 20, 1, 20], "intro_to_poster": [1, 1, 1, 1]}
    ranks = {name: values * 5 for name, values in ranks.items()}
    found = score_slices(ranks, {"kind": {"even": np.arange(0, 20, 2), "odd": np.arange(1, 20, 2)}}, rows=[0, 2, 4])
    assert [(entry.slice, entry.movies) for entry in found] == [("all", 3), ("even", 3)]


def test_refusals():
    ranks = {"poster_to_intro": [1, 2], "intro_to_poster": [1, 2]}
    with pytest.raises(DataError, match="slice 'x' of genre must be row numbers below 2"):
        score_slices(ranks, {"genre": {"x": np.array([2])}})
    with pytest.raises(DataError, match="no item is asked for"):
        score_slices(ranks, {}, rows=[])
    with pytest.raises(DataError, match="ranks of the same items"):
        score_slices({**ranks, "intro_to_poster": [1]}, {})
    with pytest.raises(ConfigError, match="parts must be >= 1"):
        by_size([1.0], parts=0)
    with pytest.raises(DataError, match="give labels to by_label"):
        by_size(["short", "long"])
