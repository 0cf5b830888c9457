from __future__ import annotations

from pathlib import Path

import pytest

from cinealign.data.download.files import DownloadFolder
from cinealign.data.download.split import draw_train_ids, write_split
from cinealign.data.split import choose_reading, read_train_list
from cinealign.errors import DataError


def test_draw_takes_60_percent_and_depends_on_the_seed() -> None:
    known = list(range(1, 501))
    ids = [movie_id for movie_id in known if movie_id % 5]
    drawn = draw_train_ids(ids, known, 0)
    assert len(drawn) == 240 and drawn == sorted(set(drawn)) and set(drawn) <= set(ids)
    assert drawn == draw_train_ids(ids, known, 0) != draw_train_ids(ids, known, 1)
    fewer = draw_train_ids(ids[:-1], known, 0)
    assert len(set(fewer) ^ set(drawn)) <= 3


@pytest.mark.parametrize("known", [range(1, 7), range(1, 41), range(100, 140), [1, 2, 3, 5, 8, 13, 21]])
@pytest.mark.parametrize("seed", range(6))
def test_what_is_written_reads_back_as_the_same_movies(tmp_path: Path, known: range, seed: int) -> None:
    folder = DownloadFolder.claim(tmp_path / "ml")
    ids = [movie_id for at, movie_id in enumerate(known) if at % 6 != 4]
    write_split(folder, ids, list(known), train=None, train_ids="auto", seed=seed)
    train = read_train_list(folder.path)
    read_as = choose_reading(train, ids, known, "auto")
    movies = [number.value if read_as == "ids" else ids[number.value] for number in train.numbers]
    assert len(movies) == round(0.6 * len(ids)) and set(movies) <= set(ids)


def test_no_poster_means_no_split(tmp_path: Path) -> None:
    folder = DownloadFolder.claim(tmp_path / "ml")
    assert "not written" in write_split(folder, [], [1, 2], train=None, train_ids="auto", seed=0)
    assert not (folder.path / "train.txt").exists()


def test_own_list_that_reads_both_ways_is_refused(tmp_path: Path) -> None:
    folder = DownloadFolder.claim(tmp_path / "ml")
    (tmp_path / "mine.txt").write_text("2\n3\n")
    with pytest.raises(DataError, match=r"row numbers and .* ids alike"):
        write_split(folder, [1, 2, 3, 4, 5], [1, 2, 3, 4, 5], train=tmp_path / "mine.txt", train_ids="auto", seed=0)
