from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cinealign.data import report as drops
from cinealign.data.catalogue import Catalogue
from cinealign.errors import ConfigError, DataError
from tests.data.folders import HEADER, make_folder, picture, write_info


def names(catalogue: Catalogue, reason: str) -> tuple[str, ...]:
    return next((drop.names for drop in catalogue.report.drops if drop.reason == reason), ())


def test_clean_folder_is_read_whole(tmp_path: Path) -> None:
    catalogue = Catalogue.load(make_folder(tmp_path / "data"), strict=True)
    assert catalogue.ids.tolist() == [10, 20, 30, 40] and catalogue.ids.dtype == np.int64
    assert catalogue.train_rows.tolist() == [0, 2] and catalogue.held_out_rows.tolist() == [1, 3]
    assert catalogue.intros[1] == "Intro of movie 20."
    assert [poster.path.name for poster in catalogue.posters] == ["10.jpg", "20.jpg", "30.jpg", "40.jpg"]
    movie = catalogue.movies[0]
    assert (movie.title, movie.year, movie.release) == ("Movie 10 (1990)", 1990, "01 Jan 1991")
    assert movie.genres == ("Drama", "Crime")
    assert (movie.directors, movie.writers, movie.cast) == (("A",), ("B", "C"), ("D",))
    assert catalogue.source == "folder" and len(catalogue) == 4 and catalogue.report.drops == ()


def test_order_is_the_file_s(tmp_path: Path) -> None:
    catalogue = Catalogue.load(make_folder(tmp_path / "data", ids=(30, 10, 20), train="2"))
    assert catalogue.ids.tolist() == [30, 10, 20]


def test_movies_without_poster_are_dropped_and_row_numbers_skip_them(tmp_path: Path) -> None:
    catalogue = Catalogue.load(make_folder(tmp_path / "data", posters=(20, 30, 40), train="0 2"))
    assert catalogue.ids.tolist() == [20, 30, 40]
    assert catalogue.ids[catalogue.train_rows].tolist() == [20, 40]
    assert names(catalogue, drops.NO_POSTER) == ("10",)
    first = catalogue.report.lines()[0]
    assert first == "4 movies read, 1 dropped: no poster, N = 3, 2 train rows"


def test_unreadable_poster_is_dropped_after_rows_are_counted(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "data", train="0 1 3")
    (folder / "poster" / "20.jpg").write_text("this is no picture")
    catalogue = Catalogue.load(folder)
    assert catalogue.ids.tolist() == [10, 30, 40]
    assert catalogue.ids[catalogue.train_rows].tolist() == [10, 40]  # numbers 0 and 3; number 1 was movie 20
    assert names(catalogue, drops.UNREADABLE) == ("20.jpg is not a JPEG, PNG or WebP picture",)
    assert names(catalogue, drops.LOST_NUMBER) == ("1",)


def test_no_usable_poster_at_all(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "data", ids=(10,), train="0")
    (folder / "poster" / "10.jpg").write_bytes(b"")
    with pytest.raises(DataError, match=r"no item is left; mend the data: posters that cannot be used: 1 \(10\.jpg"):
        Catalogue.load(folder)


def test_missing_intro_is_an_error_with_row_and_movie(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "data", intros={20: "  &nbsp; "})
    with pytest.raises(
        DataError, match=r"^info.csv row 3 \(item 20\): no intro; give one or pass --missing-intro drop"
    ):
        Catalogue.load(folder)


@pytest.mark.parametrize("text", ["", "N/A", "nan"])
def test_missing_intro_can_be_dropped(tmp_path: Path, text: str) -> None:
    catalogue = Catalogue.load(make_folder(tmp_path / "data", intros={10: text}, train="0 1"), missing_intro="drop")
    assert catalogue.ids.tolist() == [20, 30, 40]
    assert names(catalogue, drops.NO_INTRO) == ("10",) and names(catalogue, drops.LOST_NUMBER) == ("0",)
    assert catalogue.train_rows.tolist() == [0]


def test_missing_intro_without_poster_is_no_error(tmp_path: Path) -> None:
    assert len(Catalogue.load(make_folder(tmp_path / "data", posters=(10, 20, 30), intros={40: ""}))) == 3


def test_same_intro_twice_is_kept_and_noted(tmp_path: Path) -> None:
    catalogue = Catalogue.load(make_folder(tmp_path / "data", intros={10: "A tale.", 30: "A tale."}))
    assert len(catalogue) == 4
    assert "kept: items that share their intro with another: 2 (10, 30)" in catalogue.report.notes


def test_same_poster_twice_is_kept_and_noted(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "data")
    shutil.copy(folder / "poster" / "10.jpg", folder / "poster" / "40.jpg")
    notes = Catalogue.load(folder).report.notes
    assert "kept: items that share their poster with another: 2 (10, 40)" in notes


def test_very_long_chinese_and_rough_intros_are_kept_whole(tmp_path: Path) -> None:
    long = "word " * 60_000
    folder = make_folder(
        tmp_path / "data", intros={10: long, 20: "一个小镇上的爱情故事。", 30: "Tom &amp; Jerry&#39;s\x07 day"}
    )
    assert Catalogue.load(folder).intros[:3] == [long.strip(), "一个小镇上的爱情故事。", "Tom & Jerry's day"]


def test_repeated_row_is_dropped(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "data", ids=(10, 20), train="1")
    lines = (folder / "info.csv").read_text().splitlines()
    write_info(folder, [*lines[1:], lines[1]])
    catalogue = Catalogue.load(folder)
    assert catalogue.ids.tolist() == [10, 20] and catalogue.report.read == 3
    assert names(catalogue, drops.REPEATED_ROW) == ("info.csv row 4 (item 10)",)


def test_repeated_row_may_differ_in_a_stray_index(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "data", ids=(10, 20), train="1")
    write_info(folder, ["0,10,A,x", "1,20,B,y", "2,10,A,x"], header=",id,name,intro")
    assert names(Catalogue.load(folder), drops.REPEATED_ROW) == ("info.csv row 4 (item 10)",)


def test_rows_of_one_id_that_differ_are_refused(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "data", ids=(10, 20), train="1")
    write_info(folder, ["10,A,x", "20,B,y", "10,A,z"], header="id,name,intro")
    with pytest.raises(DataError, match=r"info.csv rows 2 and 4 both have the id 10 but differ in intro; keep one"):
        Catalogue.load(folder)


@pytest.mark.parametrize("bad", ["ten", "", "1.5", "-3"])
def test_id_that_is_no_number_is_refused(tmp_path: Path, bad: str) -> None:
    folder = make_folder(tmp_path / "data", ids=(10,), train="0")
    write_info(folder, [f"{bad},A,x"], header="id,name,intro")
    with pytest.raises(DataError, match=r"info\.csv row 2: the id must be a whole number"):
        Catalogue.load(folder)


def test_posters_without_row_and_strange_files_are_named(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "data")
    picture(5).save(folder / "poster" / "77.png")
    for name in ("cover.jpg", "7.gif", ".DS_Store", "Thumbs.db"):
        (folder / "poster" / name).write_bytes(b"x")
    catalogue = Catalogue.load(folder)
    assert names(catalogue, drops.STRANGE_POSTER) == ("77.png",)
    assert names(catalogue, drops.STRANGE_FILE) == ("7.gif", "cover.jpg")


def test_movies_csv_with_intros_in_another_table(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "data", ids=(10, 20))
    (folder / "info.csv").unlink()
    (folder / "movies.csv").write_bytes(
        "\n0,20,Amélie,Drama\n1,10,B,Crime\n".join([",movie_id,title,genres", ""]).encode("latin-1")
    )
    (folder / "plots.csv").write_text("movie_id,plot\n10,Ten.\n20,Twenty.\n99,None has it.\n")
    (folder / "ratings.csv").write_text("user_id,movie_id,rating\n1,10,5\n")
    (folder / "train.txt").write_text("0")
    catalogue = Catalogue.load(folder)
    assert catalogue.ids.tolist() == [20, 10] and catalogue.intros == ["Twenty.", "Ten."]
    assert catalogue.movies[0].title == "Amélie"
    assert catalogue.report.encodings == {"movies.csv": "latin-1", "plots.csv": "utf-8", "train.txt": "utf-8"}
    assert names(catalogue, drops.STRANGE_INTRO) == ("plots.csv row 4 (item 99)",)
    (folder / "more.csv").write_text("id,intro\n10,Ten.\n")
    with pytest.raises(DataError, match=r"intros are in both more\.csv and plots\.csv"):
        Catalogue.load(folder)
    (folder / "more.csv").unlink()
    (folder / "plots.csv").unlink()
    with pytest.raises(DataError, match=r"movies\.csv has no column for intros and no other CSV has one"):
        Catalogue.load(folder)


def test_missing_parts_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"is not a folder; give the folder that holds info.csv"):
        Catalogue.load(tmp_path / "nowhere")
    folder = make_folder(tmp_path / "data")
    (folder / "train.txt").unlink()
    with pytest.raises(DataError, match=r"has no train\.txt; write one row number"):
        Catalogue.load(folder)
    shutil.rmtree(folder / "poster")
    with pytest.raises(DataError, match=r"has no folder 'poster'; put the pictures there as ID.jpg"):
        Catalogue.load(folder)
    (folder / "info.csv").unlink()
    with pytest.raises(DataError, match=r"has neither info\.csv nor movies\.csv; is it the right folder\?"):
        Catalogue.load(folder)


def test_poster_folder_may_be_called_posters_but_not_both(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "data")
    (folder / "poster").rename(folder / "posters")
    assert len(Catalogue.load(folder)) == 4
    (folder / "poster").mkdir()
    with pytest.raises(DataError, match="has both 'poster' and 'posters'"):
        Catalogue.load(folder)


def test_no_poster_fits_a_movie(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no item of info\.csv has a poster; name the pictures after the item ids"):
        Catalogue.load(make_folder(tmp_path / "data", posters=(77,)))


def test_column_names_of_other_tables(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "data", ids=(10, 20), train="0")
    write_info(
        folder, ["10,A,Action,plot a,1988", "20,B,War,plot b,1999"], header="movie_id,Title,Genres,Description,Year"
    )
    movie = Catalogue.load(folder).movies[1]
    assert (movie.title, movie.genres, movie.intro, movie.year) == ("B", ("War",), "plot b", 1999)


@pytest.mark.parametrize(("header", "missing"), [("name,intro,x", "id"), ("id,intro,x", "title")])
def test_missing_column_is_named(tmp_path: Path, header: str, missing: str) -> None:
    folder = make_folder(tmp_path / "data")
    write_info(folder, ["1,2,3"], header=header)
    with pytest.raises(DataError, match=f"info.csv has no column for the {missing}; name it one of:"):
        Catalogue.load(folder)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: (folder / "poster" / "10.jpg").unlink(),
        lambda folder: (folder / "poster" / "10.jpg").write_bytes(b"x"),
        lambda folder: (folder / "poster" / "cover.jpg").write_bytes(b"x"),
        lambda folder: (folder / "train.txt").write_text("0 2 2"),
        lambda folder: write_info(folder, [*(folder / "info.csv").read_text().splitlines()[1:]] * 2),
    ],
)
def test_strict_makes_every_drop_an_error(tmp_path: Path, spoil) -> None:  # type: ignore[no-untyped-def]
    folder = make_folder(tmp_path / "data", train="0 2")
    Catalogue.load(folder, strict=True)
    spoil(folder)
    Catalogue.load(folder)
    with pytest.raises(DataError, match="--strict allows no drop, and these would be left out"):
        Catalogue.load(folder, strict=True)


def test_strict_refuses_missing_intro_even_if_drop_is_asked(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "data", intros={10: ""})
    with pytest.raises(DataError, match=r"info.csv row 2 \(item 10\): no intro"):
        Catalogue.load(folder, strict=True, missing_intro="drop")


def test_table_without_rows_is_refused(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "data")
    write_info(folder, [])
    with pytest.raises(DataError, match=r"info\.csv has a header but no rows"):
        Catalogue.load(folder)


def test_bomb_in_the_folder_is_a_named_drop(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "data")
    Image.new("1", (8_001, 8_000)).save(folder / "poster" / "20.png")
    (folder / "poster" / "20.jpg").unlink()
    assert names(Catalogue.load(folder), drops.UNREADABLE) == ("20.png is 8,001 x 8,000: more than 64,000,000 pixels",)


def test_unknown_choice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="train_ids must be one of: auto, rows, ids, got 'names'"):
        Catalogue.load(make_folder(tmp_path / "data"), train_ids="names")  # type: ignore[arg-type]


def test_digest_is_of_content_not_of_place(tmp_path: Path) -> None:
    here, there = make_folder(tmp_path / "here"), make_folder(tmp_path / "there")
    digest = Catalogue.load(here).digest
    assert Catalogue.load(there).digest == digest
    (there / "train.txt").write_text("2\n0\n")  # the same movies in another order
    assert Catalogue.load(there).digest == digest
    (there / "train.txt").write_text("0 1")
    assert Catalogue.load(there).digest != digest
    picture(99).save(here / "poster" / "10.jpg")
    assert Catalogue.load(here).digest != digest
    other = make_folder(tmp_path / "other", intros={10: "Something else."})
    assert Catalogue.load(other).digest != digest


def test_report_as_json_has_every_name(tmp_path: Path) -> None:
    content = Catalogue.load(make_folder(tmp_path / "data", posters=(20, 30), train="0")).report.to_json()
    assert content["movies_read"] == 4 and content["n"] == 2 and content["train_read_as"] == "rows"
    assert content["drops"] == [{"reason": "items without a poster", "count": 2, "names": ["10", "40"]}]
    assert content["encodings"] == {"info.csv": "utf-8", "train.txt": "utf-8"}


def test_header_is_the_assignment_s() -> None:
    assert "starts" in HEADER  # the original's spelling must be understood


@pytest.mark.slow
def test_real_data_gives_the_numbers_of_the_assignment() -> None:
    if not (folder := os.environ.get("CINEALIGN_DATA")):
        pytest.skip("set CINEALIGN_DATA to the real data")
    catalogue = Catalogue.load(folder)
    first = catalogue.report.lines()[0]
    assert first == "3,883 movies read, 945 dropped: no poster, N = 2938, 1,762 train rows"
    assert len(catalogue.train_rows) == 1762 and len(catalogue.held_out_rows) == 1176
    assert catalogue.report.train_read_as == "rows"
