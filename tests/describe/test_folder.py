from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from cinealign.cli.show.description import print_description
from cinealign.data.split.new_split import random_split, write_split
from cinealign.describe.folder import SHARES, Description, Spread, describe, with_lettering
from cinealign.describe.lettering import Lettering
from cinealign.describe.page import draw_description
from cinealign.errors import ConfigError, DataError

ROWS = [
    (1, "One (1994)", "Drama|Comedy", "The story of a man and his dog."),
    (2, "Two (1995)", "Drama", "The story of a man and his dog."),
    (3, "Three (2001)", "", "一个年轻人发现他的父亲。"),
    (4, "Four", "Drama", ""),
    (5, "Five (1999)", "Comedy", "It is the longest intro of them all, and it goes on and on for a while."),
    (6, "Six (1999)", "Comedy", "No picture of it is to be found."),
    (7, "Seven (1934)", "Horror", "Its picture is damaged, and it was the only one of its kind."),
]


def drawing(seed: int) -> Image.Image:
    tiles = np.random.default_rng(seed).integers(0, 255, (9, 6, 3), dtype=np.uint8)
    return Image.fromarray(tiles).resize((60, 90), Image.Resampling.BICUBIC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "things"
    (folder / "poster").mkdir(parents=True)
    with (folder / "info.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("id", "name", "genre", "intro"), *ROWS])
    drawing(1).save(folder / "poster" / "1.png")
    drawing(2).save(folder / "poster" / "2.jpg")
    (folder / "poster" / "3.png").write_bytes((folder / "poster" / "1.png").read_bytes())
    drawing(4).convert("L").save(folder / "poster" / "4.jpg")
    drawing(2).resize((120, 180)).save(folder / "poster" / "5.jpg", quality=60)
    content = io.BytesIO()
    drawing(7).save(content, "JPEG")
    (folder / "poster" / "7.jpg").write_bytes(content.getvalue()[:200])
    (folder / "train.txt").write_text("0\n3\n5\n")
    return folder


def described(folder: Path) -> Description:
    return describe(folder)[0]


def test_counts(folder: Path) -> None:
    counts = described(folder).counts
    assert (counts.rows, counts.with_poster, counts.with_intro, counts.usable) == (7, 6, 6, 4)
    # Rows 0, 3 and 5 are the items 1, 4 and 7; 4 has no intro and the poster of 7 is damaged.
    assert (counts.train, counts.held_out) == (1, 3) and counts.split == "train.txt holds row numbers"


def test_pictures(folder: Path) -> None:
    found, posters = describe(folder)
    assert found.sizes == {"60 x 90": 4, "120 x 180": 1}
    assert found.formats == {"PNG": 2, "JPEG": 2, "JPEG greyscale": 1}
    assert found.width.quantiles[0] == 60 and found.width.quantiles[-1] == 120 and found.width.count == 5
    assert found.size.total == sum(poster.path.stat().st_size for poster in posters)
    assert len(found.unreadable) == 1 and found.unreadable[0].startswith("7.jpg is damaged")


def test_texts(folder: Path) -> None:
    found = described(folder)
    assert found.languages == {"English": 5, "Chinese": 1}
    assert found.words.quantiles[-1] == 17 and found.words.count == 6
    assert found.characters.quantiles[0] == len(ROWS[2][3])
    assert found.genres == {"Drama": 3, "Comedy": 3, "Horror": 1} and found.without_genre == 1
    assert found.decades == {"1930s": 1, "1990s": 4, "2000s": 1} and found.without_year == 1


def test_duplicates(folder: Path) -> None:
    found = described(folder)
    assert found.equal_posters.groups == 1 and found.equal_posters.examples == (("One (1994)", "Three (2001)"),)
    assert found.equal_intros.examples == (("One (1994)", "Two (1995)"),)
    assert found.near_equal_posters.groups == 2 and found.near_equal_posters.items == 4
    assert ("Two (1995)", "Five (1999)") in found.near_equal_posters.examples


def test_spread_equals_sorting() -> None:
    spread = Spread.of([5, 1, 2, 4, 3])
    assert (spread.count, spread.total, spread.quantiles[3]) == (5, 15, 3)
    assert spread.quantiles[0] == 1 and spread.quantiles[-1] == 5 and spread.quantiles[2] == 2
    assert Spread.of([]) == Spread(0, 0.0, (0.0,) * len(SHARES))


def test_split_that_is_absent_or_broken_is_said_and_not_fatal(folder: Path) -> None:
    (folder / "train.txt").write_text("0\nx\n")
    broken = described(folder).counts
    assert broken.train is None and "line 2: expected a whole number" in broken.split
    (folder / "train.txt").unlink()
    assert described(folder).counts.split == "there is no train.txt"


def test_recorded_split_is_read_as_it_says(folder: Path) -> None:
    (folder / "train.txt").unlink()
    write_split(folder, [1, 2, 3, 5], random_split(4, share=0.5, seed=0))
    counts = described(folder).counts
    assert (counts.train, counts.held_out) == (2, 2)
    assert (
        counts.split == "train.txt holds item ids; split: random (share 0.5, seed 0); drawn here, not the assignment's"
    )


def test_no_folder_or_no_table(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not a folder"):
        describe(tmp_path / "nothing")
    with pytest.raises(DataError, match=r"neither info.csv nor movies.csv"):
        describe(tmp_path)


def test_json_holds_everything_that_is_said(folder: Path) -> None:
    content = json.loads(json.dumps(described(folder).to_json()))
    assert content["counts"]["usable"] == 4 and content["quantiles_at"] == list(SHARES)
    assert content["lettering"] is None and content["equal_posters"]["groups"] == 1


def text_of(description: Description) -> str:
    file = io.StringIO()
    print_description(description, Console(file=file, width=120, no_color=True))
    return file.getvalue()


def test_table(folder: Path) -> None:
    found = described(folder)
    said = text_of(with_lettering(found, None, "left out: 0 of 5 posters have been read before"))
    for words in (
        "7 in info.csv",
        "English 5 (83 %), Chinese 1 (17 %)",
        "2 items in 1 groups, such as One (1994) = Three (2001)",
        "left out: 0 of 5 posters",
        "7.jpg is damaged",
        "1, 3 (train.txt holds row numbers)",
    ):
        assert words in said, words
    lettering = Lettering(5, 1, 3.0, 7.5, 12, 0.104, 0.87, {"Latin": 3, "Han": 1})
    said = text_of(with_lettering(found, lettering, "read by OCR"))
    assert "4 of 5 posters have some; read by OCR" in said and "3 lines, 7.5 words, at most 12" in said
    assert "10.4 % of the poster's height" in said and "Latin 3 (75 %), Han 1 (25 %)" in said


@pytest.mark.parametrize("name", ["page.png", "page.pdf"])
def test_page_is_drawn_whole_and_the_same_again(folder: Path, tmp_path: Path, name: str) -> None:
    found = described(folder)
    draw_description(found, tmp_path / "new" / name)
    first = (tmp_path / "new" / name).read_bytes()
    assert [path.name for path in (tmp_path / "new").iterdir()] == [name]
    assert first.startswith(b"%PDF" if name.endswith("pdf") else b"\x89PNG")
    if name.endswith("png"):
        draw_description(found, tmp_path / "new" / name)
        assert (tmp_path / "new" / name).read_bytes() == first
        with Image.open(io.BytesIO(first)) as page:
            assert page.height > page.width and np.asarray(page.convert("L")).std() > 10


def test_page_of_a_folder_with_almost_nothing(tmp_path: Path) -> None:
    (tmp_path / "d" / "poster").mkdir(parents=True)
    (tmp_path / "d" / "info.csv").write_text("id,name,intro\n1,$x^{,\n")
    found, posters = describe(tmp_path / "d")
    assert not posters and found.words.count == 0
    draw_description(found, tmp_path / "page.png")
    assert "none" in text_of(found)


@pytest.mark.parametrize("name", ["page.jpg", "page", "."])
def test_page_needs_a_file_name_of_a_kind_that_is_written(folder: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=r"ends in .png or .pdf"):
        draw_description(described(folder), tmp_path / name)
