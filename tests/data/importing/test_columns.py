"""Which column is what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cinealign.data.importing.columns import Columns, find_columns
from cinealign.data.importing.open_source import open_source
from cinealign.data.importing.plan import ImportOptions, plan_import
from cinealign.errors import DataError
from tests.data.importing.tables import picture, write_csv, write_jsonl, write_parquet, write_xlsx

LONG = "A text that is long enough to be taken for a description of something."


def found(tmp_path: Path, rows: list[dict[str, Any]], *, folder: bool = False, **asked: str) -> Columns:
    source = open_source(write_jsonl(tmp_path / "items.jsonl", rows))
    return find_columns(source, asked, train_value=None, picture_folder=folder)


def test_usual_names_in_any_writing(tmp_path: Path) -> None:
    row = {"Item ID": 3, "Image-Path": "a.png", "Description": LONG, "TITLE": "T", "Category": "x", "Year": 1990}
    columns = found(tmp_path, [row, {**row, "Item ID": 4}])
    assert columns.names == {
        "image": "Image-Path",
        "id": "Item ID",
        "text": "Description",
        "title": "TITLE",
        "genre": "Category",
        "release": "Year",
    }
    assert set(columns.why.values()) == {"by its name"}


def test_chinese_names(tmp_path: Path) -> None:
    rows = [{"编号": "甲", "图片": "a.png", "简介": "一朵红色的花开在山坡上。", "名称": "花", "类型": "植物"}]
    assert found(tmp_path, rows).names == {
        "image": "图片",
        "id": "编号",
        "text": "简介",
        "title": "名称",
        "genre": "类型",
    }


def test_by_content_where_names_say_nothing(tmp_path: Path) -> None:
    rows = [
        {"a": f"short {i}", "b": 10 + i, "c": f"pics/{i}.JPG", "d": f"{LONG} {i}", "e": "https://x.org"}
        for i in range(5)
    ]
    columns = found(tmp_path, [{**row, "e": i} for i, row in enumerate(rows)])
    assert columns.names == {"image": "c", "id": "b", "text": "d"}
    assert set(columns.why.values()) == {"by what it holds"}
    assert columns.kept == ("a", "e")


def test_a_usual_name_does_not_outweigh_what_the_column_holds(tmp_path: Path) -> None:
    """ "cover" is full of prose and "file" holds the pictures."""
    rows = [{"cover": f"hard cover, number {i}", "file": f"{i}.png", "text": LONG} for i in range(3)]
    assert found(tmp_path, rows).names["image"] == "file"


def test_the_longest_text_counts_and_chinese_is_denser(tmp_path: Path) -> None:
    rows = [{"p": f"{i}.png", "x": "红色的圆盘在蓝色的旗面中央", "y": "About twenty letters"} for i in range(3)]
    assert found(tmp_path, rows).names["text"] == "x"


def test_asked_names_win(tmp_path: Path) -> None:
    rows = [{"id": 1, "image": "a.png", "photo": "b.png", "text": LONG, "note": LONG}]
    columns = found(tmp_path, rows, image="photo", text="note")
    assert (columns.names["image"], columns.names["text"]) == ("photo", "note")
    assert columns.why["image"] == "as asked"


@pytest.mark.parametrize(
    ("cell", "expected"), [("a|b, c", "|"), ("a, b", ","), ("甲、乙", "、"), ("a;b", ";"), ("Home & Garden", "|")]
)
def test_what_stands_between_genres(tmp_path: Path, cell: str, expected: str) -> None:
    rows = [{"image": "a.png", "text": LONG, "genre": cell}]
    assert found(tmp_path, rows).separators == {"genre": expected}


def test_structures_are_kept_and_pictures_beside_the_picture_are_not(tmp_path: Path) -> None:
    rows = [{"image": b"\x89PNG", "text": LONG, "box": {"x": 1}, "words": ["a", "b"], "n": None, "mask": b"\x89PNG"}]
    source = open_source(write_parquet(tmp_path / "a.parquet", rows))
    columns = find_columns(source, {}, train_value=None, picture_folder=False)
    assert columns.kept == ("box", "words", "n") and columns.passed_over == ("mask",)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"text": LONG, "n": 1}], "has no column that holds pictures; name it with --image"),
        ([{"image": "a.png", "n": "x"}], "has no column that holds texts; name it with --text"),
    ],
)
def test_what_is_missing_is_said(tmp_path: Path, rows: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(DataError, match=message):
        found(tmp_path, rows)


def test_pictures_named_by_id_find_their_column(tmp_path: Path) -> None:
    for name in ("0007.png", "rose.jpg"):
        (tmp_path / "pics").mkdir(exist_ok=True)
        picture("red").save(tmp_path / "pics" / name)
    rows = [{"id": 1, "label": "7", "text": LONG}, {"id": 2, "label": "rose", "text": LONG}]
    plan = plan_import(write_csv(tmp_path / "items.csv", rows), ImportOptions(images=tmp_path / "pics"))
    assert plan.columns.names["id"] == "label" and plan.columns.why["id"] == "its values name the pictures"
    assert "genre" not in plan.columns.names
    found = [plan.pictures.find(None, row.source_id, "") for row in plan.rows()]
    assert found == [tmp_path / "pics" / "0007.png", tmp_path / "pics" / "rose.jpg"]
    with pytest.raises(DataError, match=r"no column of items.csv names the files of .*, such as 0007.png; name it"):
        plan_import(
            write_csv(tmp_path / "items.csv", [{"id": 1, "text": LONG}]), ImportOptions(images=tmp_path / "pics")
        )
    picture("red").save(tmp_path / "pics" / "7.jpg")
    with pytest.raises(DataError, match=r"has two pictures for the id 7: 0007.png and 7.jpg"):
        plan_import(write_csv(tmp_path / "items.csv", rows), ImportOptions(images=tmp_path / "pics"))


def test_a_path_column_is_followed_into_the_picture_folder(tmp_path: Path) -> None:
    (tmp_path / "pics").mkdir()
    picture("red").save(tmp_path / "pics" / "a.png")
    rows = [{"id": "a", "image": "a.png", "text": LONG}]
    plan = plan_import(write_csv(tmp_path / "items.csv", rows), ImportOptions(images=tmp_path / "pics"))
    assert not plan.pictures_by_id
    rows = [{"id": "a", "image": "https://example.org/x.png", "text": LONG}]  # pictures were downloaded, named by id
    plan = plan_import(write_csv(tmp_path / "items.csv", rows), ImportOptions(images=tmp_path / "pics"))
    assert plan.pictures_by_id
    assert plan.lines()[2].endswith(f"files of {tmp_path / 'pics'} named by id")


@pytest.mark.parametrize(
    ("text", "encoding", "expected"),
    [
        ("红色的花，蓝色的天", "utf-8", "utf-8"),
        ("红色的花，蓝色的天", "utf-8-sig", "utf-8-sig"),
        ("红色的花，蓝色的天 with English between", "gb18030", "gb18030"),
        ("Une forêt enchantée près de la mer, où l'été dure", "latin-1", "latin-1"),
        ("红色的花，蓝色的天", "utf-16", "utf-16"),
    ],
)
def test_encodings(tmp_path: Path, text: str, encoding: str, expected: str) -> None:
    path = write_csv(tmp_path / "a.csv", [{"image": "a.png", "text": text}], encoding=encoding)
    source = open_source(path)
    assert source.described == f"separated by ',', {expected}"
    assert next(source.rows()).values["text"] == text
    assert source.columns == ("image", "text")


def test_encodings_that_are_not_recognised_can_be_named(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [{"image": "a.png", "text": "紅色的花"}], encoding="big5")
    assert next(open_source(path, encoding="big5").rows()).values["text"] == "紅色的花"
    for encoding, message in (
        ("utf-8", "cannot be read as utf-8 from its beginning: .*; try --encoding"),
        ("utf-16", "cannot be read as utf-16 from its beginning: .*; try --encoding"),
        ("no-such", "--encoding 'no-such' is no encoding of texts"),
        ("hex", "--encoding 'hex' is no encoding of texts"),
    ):
        with pytest.raises(DataError, match=message):
            open_source(path, encoding=encoding)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "", "a.csv is empty"),
        ("a.csv", "x,x\n1,2\n", "two columns are named 'x'"),
        ("a.csv", "image,text\na.png\n", "a.csv line 2: 1 cells where the header has 2; put a text that holds a comma"),
        ("a.csv", 'image,text\na.png,"open, and\n', "not valid CSV"),
        ("a.csv", "image,text\n", "has columns but no rows"),
        ("a.csv", "image,text\na\0b,c\n", "line 2: holds a NUL byte"),
        ("a.jsonl", '{"a": 1}\nnonsense\n', "a.jsonl line 2 is not valid JSON"),
        ("a.jsonl", "[1]\n", "a.jsonl line 1 is no object"),
        ("a.json", '{"a": {"b": [1]}}', "a.json is an object of objects"),
        ("a.parquet", "PAR1 no", "a.parquet is damaged or no such file of Arrow data"),
        ("a.xlsx", "PK no", "a.xlsx is no Excel workbook"),
        ("a.xls", "x", "cannot be imported; save it as .xlsx"),
        ("a.docx", "x", "cannot be imported; expected one of .csv, .tsv"),
    ],
)
def test_damaged_sources_are_one_line(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=message) as raised:
        plan_import(tmp_path / name, ImportOptions())
    assert "\n" not in str(raised.value)


def test_folders(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file or folder"):
        open_source(tmp_path / "gone")
    with pytest.raises(DataError, match="holds no table"):
        open_source(tmp_path)
    write_csv(tmp_path / "a.csv", [{"x": 1}])
    (tmp_path / "about.json").write_text("{}")
    assert open_source(tmp_path).path == tmp_path / "a.csv"
    write_csv(tmp_path / "b.csv", [{"x": 1}])
    with pytest.raises(DataError, match=r"holds several tables \(a.csv, b.csv\); name one of them"):
        open_source(tmp_path)


def test_sheets(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", [{"image": "a.png", "text": LONG, "n": 3.0}])
    assert open_source(path).described == "Excel, sheet 'data', the first of 2; --sheet takes another"
    assert open_source(path, sheet="notes").columns == ("nothing",)
    with pytest.raises(DataError, match="has no sheet 'other'; its sheets are: data, notes"):
        open_source(path, sheet="other")


def test_only_wanted_columns_are_read_batch_by_batch(tmp_path: Path) -> None:
    rows = [{"image": b"x" * 10, "n": i} for i in range(150)]
    source = open_source(write_parquet(tmp_path / "a.parquet", rows))
    assert source.count == 150
    assert [record.values for record in source.rows(["n"])] == [{"n": i} for i in range(150)]
