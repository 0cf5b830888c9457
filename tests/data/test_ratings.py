import shutil

import numpy as np
import pytest

from cinealign.data.catalogue import Catalogue
from cinealign.data.ratings import read_ratings
from cinealign.errors import DataError


@pytest.fixture
def folder(sample_folder, tmp_path):
    shutil.copytree(sample_folder, tmp_path / "sample")
    return tmp_path / "sample"


def test_ratings_are_read_by_row_and_the_last_one_counts(folder):
    catalogue = Catalogue.load(folder)
    assert read_ratings(catalogue) is None
    first, second = catalogue.ids[[3, 0]]
    (folder / "ratings.csv").write_text(
        f"user_id,movie_id,rating\nanna,{first},4\nbob,{second},2.5\nanna,{first},5\nanna,999999,1\n"
    )
    found = read_ratings(catalogue)
    assert found.users == 2
    assert found.user.tolist() == [0, 1]
    assert found.row.tolist() == [3, 0]
    assert found.value.tolist() == [5, 2.5]
    assert found.user.dtype == np.int64


def test_ratings_that_cannot_be_read_are_named(folder):
    catalogue = Catalogue.load(folder)
    (folder / "ratings.csv").write_text("user_id,movie_id,stars\n1,2,3\n")
    with pytest.raises(DataError, match="needs the columns user_id, movie_id and rating, got user_id, movie_id, stars"):
        read_ratings(catalogue)
    (folder / "ratings.csv").write_text("user_id,movie_id,rating\n1,2,3\n1,2,good\n")
    with pytest.raises(DataError, match=r"ratings.csv row 3: movie_id and rating must be numbers"):
        read_ratings(catalogue)
