from __future__ import annotations

from pathlib import Path

import pytest

from cinealign.data import report as drops
from cinealign.data.catalogue import Catalogue
from cinealign.data.split.train_file import read_split_of
from cinealign.errors import DataError
from tests.data.folders import make_folder


def load(tmp_path: Path, train: str, train_ids: str = "auto", **how: object) -> Catalogue:
    folder = make_folder(tmp_path / "data", train=train, **how)  # type: ignore[arg-type]
    return Catalogue.load(folder, train_ids=train_ids)  # type: ignore[arg-type]


def test_row_numbers_are_recognised(tmp_path: Path) -> None:
    catalogue = load(tmp_path, "3 0")
    assert catalogue.report.train_read_as == "rows" and catalogue.train_rows.tolist() == [0, 3]
    assert "train.txt holds row numbers" in catalogue.report.lines()[2]


@pytest.mark.parametrize("mask", ["1 0 1 1", "1\n1\n0\n0\n", "0 0 0 0"])
def test_a_mask_is_no_list(tmp_path: Path, mask: str) -> None:
    with pytest.raises(DataError, match=r"train\.txt holds nothing but 0 and 1, 4 times, so it is a mask"):
        load(tmp_path, mask)


def test_the_rows_0_and_1_are_a_list(tmp_path: Path) -> None:
    assert load(tmp_path, "1 0").train_rows.tolist() == [0, 1]


def test_movie_ids_are_recognised(tmp_path: Path) -> None:
    catalogue = load(tmp_path, "40\n10\n")
    assert catalogue.report.train_read_as == "ids" and catalogue.train_rows.tolist() == [0, 3]
    assert "train.txt holds item ids" in catalogue.report.lines()[2]


def test_file_that_fits_both_ways_is_refused_until_settled(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "data", ids=(1, 2, 3, 4), train="1 3")
    with pytest.raises(DataError, match=r"every number fits both; --train-ids rows\|ids settles it"):
        Catalogue.load(folder)
    assert Catalogue.load(folder, train_ids="rows").ids[[1, 3]].tolist() == [2, 4]
    assert Catalogue.load(folder, train_ids="rows").train_rows.tolist() == [1, 3]
    assert Catalogue.load(folder, train_ids="ids").train_rows.tolist() == [0, 2]


def test_rows_that_are_their_own_ids_need_no_settling(tmp_path: Path) -> None:
    assert load(tmp_path, "1 3", ids=(0, 1, 2, 3)).train_rows.tolist() == [1, 3]


def test_ids_with_one_poster_missing_are_not_taken_for_rows(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="every number fits both"):
        load(tmp_path, "1 2", ids=(1, 2, 3, 4), posters=(1, 3, 4))


def test_file_that_fits_neither_way_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="names row 3000 but the catalogue has 4 items, and no item has the id 0"):
        load(tmp_path, "0 3000")


def test_row_out_of_range(tmp_path: Path) -> None:
    wanted = "train.txt names row 4 but the catalogue has 4 items; is it from another data set?"
    with pytest.raises(DataError, match=wanted.replace("?", r"\?")):
        load(tmp_path, "0 4", "rows")


def test_negative_number_fits_nothing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="names row -1 but"):
        load(tmp_path, "0 -1")


def test_unknown_id(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"names item id 11 \(line 2\) but no item has it"):
        load(tmp_path, "10\n11\n", "ids")


def test_id_of_a_movie_without_poster_is_a_counted_drop(tmp_path: Path) -> None:
    catalogue = load(tmp_path, "10 20", "ids", posters=(20, 30, 40))
    assert catalogue.ids[catalogue.train_rows].tolist() == [20]
    assert catalogue.report.dropped(drops.LOST_NUMBER) == 1


def test_repeats_are_counted_and_blanks_are_fine(tmp_path: Path) -> None:
    catalogue = load(tmp_path, "\ufeff\n  0\t2 \r\n\r\n2\n2 0\n\n")
    assert catalogue.train_rows.tolist() == [0, 2]
    assert catalogue.report.dropped(drops.REPEATED_NUMBER) == 3
    assert catalogue.report.encodings["train.txt"] == "utf-8 with BOM"


def test_numbers_as_numpy_writes_them(tmp_path: Path) -> None:
    catalogue = load(tmp_path, "0.000000000000000000e+00\n3.000000000000000000e+00\n2.0\n")
    assert catalogue.train_rows.tolist() == [0, 2, 3]


@pytest.mark.parametrize("word", ["seven", "1,2", "1.5", "0x2", "nan"])
def test_word_is_refused_with_its_line(tmp_path: Path, word: str) -> None:
    with pytest.raises(DataError, match=f"train.txt line 3: expected a whole number, got '{word}'"):
        load(tmp_path, f"0\n\n2 {word}\n")


@pytest.mark.parametrize("content", ["", "\n \n"])
def test_empty_file_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(DataError, match=r"train\.txt is empty; write one row number"):
        load(tmp_path, content)


def test_only_dropped_movies_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"train.txt names no item that has both sides"):
        load(tmp_path, "10", "ids", posters=(20, 30))


def test_nothing_held_out_is_noted(tmp_path: Path) -> None:
    catalogue = load(tmp_path, "0 1 2 3")
    assert catalogue.held_out_rows.tolist() == []
    assert any("nothing is held out" in note for note in catalogue.report.notes)


def test_a_split_beside_a_catalogue_is_read_as_rows_or_ids(tmp_path):
    path, ids = tmp_path / "mine.txt", [10, 2, 30, 1]
    for text, own, expected in (
        ("0 3", "ids", ([0, 3], "rows")),
        ("30 10", "rows", ([0, 2], "ids")),
        ("1 2", "rows", ([1, 2], "rows")),
        ("1 2", "ids", ([1, 3], "ids")),
    ):
        path.write_text(text)
        assert read_split_of(path, ids, own) == expected
    path.write_text("0 10")
    with pytest.raises(DataError, match=r"neither all rows \(0 to 3\) nor all ids of the data"):
        read_split_of(path, ids, "rows")
