import numpy as np
import pytest

from cinealign.errors import ConfigError, DataError
from cinealign.evaluation.identity import identity_ids
from cinealign.evaluation.ranks import retrieval_ranks

INTROS = ["A man.", "Another  man.", "a MAN.", "", "", "\tanother man. "]


def groups(ids):
    return sorted(np.flatnonzero(ids == one).tolist() for one in np.unique(ids))


def test_by_movie_only_the_movie_counts():
    assert groups(identity_ids([30, 10, 20, 5, 6, 7], INTROS)) == [[0], [1], [2], [3], [4], [5]]
    assert groups(identity_ids(["b", "a", "b"])) == [[0, 2], [1]]


def test_by_intro_equal_texts_are_partners_and_empty_ones_are_not():
    assert groups(identity_ids([30, 10, 20, 5, 6, 7], INTROS, by="intro")) == [[0, 2], [1, 5], [3], [4]]


def test_a_movie_given_twice_joins_what_its_intros_join():
    assert groups(identity_ids([1, 2, 1, 3], ["x", "y", "y", "z"], by="intro")) == [[0, 1, 2], [3]]


def test_twins_are_no_rivals_only_where_asked():
    poster = np.array([[1, 0], [0, 1]], dtype=np.float32)
    intro = np.array([[1, 0], [1, 0]], dtype=np.float32)
    by_movie, by_intro = (identity_ids([8, 9], ["same", "same"], by=by) for by in ("item", "intro"))
    assert retrieval_ranks(poster, intro, by_movie, by_movie).tolist() == [2, 2]
    assert retrieval_ranks(poster, intro, by_intro, by_intro).tolist() == [1, 1]


def test_refusals():
    with pytest.raises(ConfigError, match="identity must be one of item, intro, got 'title'"):
        identity_ids([1], ["x"], by="title")
    with pytest.raises(DataError, match="needs one intro an item, 2; got 1"):
        identity_ids([1, 2], ["x"], by="intro")
    with pytest.raises(DataError, match="got none"):
        identity_ids([1, 2], by="intro")
