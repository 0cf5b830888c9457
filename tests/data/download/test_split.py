from __future__ import annotations

from pathlib import Path

import pytest

from cinealign.data.download.files import DownloadFolder
from cinealign.data.download.split import draw_train_ids, write_split
from cinealign.data.split.record import read_split_record
from cinealign.data.split.train_file import read_train_list
from cinealign.errors import DataError


def test_draw_takes_60_percent_and_depends_on_the_seed() -> None:
    known = list(range(1, 501))
    ids = [movie_id for movie_id in known if movie_id % 5]
    drawn = draw_train_ids(ids, known, 0)
    assert len(drawn) == 240 and drawn == sorted(set(drawn)) and set(drawn) <= set(ids)
    assert drawn == draw_train_ids(ids, known, 0) != draw_train_ids(ids, known, 1)
    fewer = draw_train_ids(ids[:-1], known, 0)
    assert len(set(fewer) ^ set(drawn)) <= 3


def claimed(path: Path) -> DownloadFolder:
    """A download's folder that nothing holds."""
    with DownloadFolder.claim(path) as folder:
        return folder


def test_what_is_written_says_what_it_is(tmp_path: Path) -> None:
    folder = claimed(tmp_path / "ml")
    ids = [3, 4, 5, 9, 12]
    said = write_split(folder, ids, [3, 4, 5, 6, 9, 12], train=None, train_ids="auto", seed=7)
    assert said == "split: random (share 0.6, seed 7); drawn here, not the assignment's; 3 train, 2 held-out"
    record = read_split_record(folder.path)
    assert record is not None and (record.kind, record.settings) == ("random", {"share": 0.6, "seed": 7})
    train = [number.value for number in read_train_list(folder.path).numbers]
    assert train == draw_train_ids(ids, [3, 4, 5, 6, 9, 12], 7)


def test_no_poster_means_no_split(tmp_path: Path) -> None:
    folder = claimed(tmp_path / "ml")
    assert "not written" in write_split(folder, [], [1, 2], train=None, train_ids="auto", seed=0)
    assert not (folder.path / "train.txt").exists()


def test_own_list_that_reads_both_ways_is_refused(tmp_path: Path) -> None:
    folder = claimed(tmp_path / "ml")
    (tmp_path / "mine.txt").write_text("2\n3\n")
    with pytest.raises(DataError, match=r"row numbers and .* ids alike"):
        write_split(folder, [1, 2, 3, 4, 5], [1, 2, 3, 4, 5], train=tmp_path / "mine.txt", train_ids="auto", seed=0)


def test_own_list_may_name_movies_without_a_poster_but_not_only_those(tmp_path: Path) -> None:
    folder = claimed(tmp_path / "ml")
    (tmp_path / "mine.txt").write_text("70\n20\n10\n")
    said = write_split(folder, [10, 20, 30], [10, 20, 30, 70], train=tmp_path / "mine.txt", train_ids="auto", seed=0)
    assert said == "split: a given list (file mine.txt); 2 train, 1 held-out; 1 that it names have no poster here"
    with pytest.raises(DataError, match="names no movie that has a poster here"):
        write_split(folder, [30], [10, 20, 30, 70], train=tmp_path / "mine.txt", train_ids="auto", seed=0)
