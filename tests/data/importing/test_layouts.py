"""Layouts of tables that people have: each is read as it was meant, or refused with the reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cinealign.data.importing.open_source import open_source
from cinealign.data.importing.plan import ImportOptions, plan_import
from cinealign.errors import DataError
from tests.data.importing.tables import picture, write_csv

TEXT = "A long enough description of something that is far away"


def cells(path: Path, content: str, **options: object) -> tuple[str, list[list[object]]]:
    """How a text is described, and its cells, the header first."""
    path.write_text(content, encoding="utf-8", newline="")
    source = open_source(path, **options)  # type: ignore[arg-type]
    return source.described, [list(source.columns), *(list(row.values.values()) for row in source.rows())]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("t.csv", "sep=;\nid;text\n1;a, b\n", "separated by ';'"),
        ("t.csv", 'id,text\n1,"a ""b"" c"\n', "separated by ','"),
        ("t.csv", 'id, text\n1, "a, b"\n', "separated by ','"),
        ("t.csv", '"id","text"\n"1","a \\"b\\", c"\n', "separated by ',', quotes after a backslash"),
        ("t.tsv", 'id\ttext\n1\t"Alien" is\n', "separated by tabs, quotes are letters"),
        ("t.tsv", "id\ttext\n1\tone\\ntwo\\\\\n2\t\\N\n", "separated by tabs, escapes as databases write them"),
        ("t.csv", '"id","text"\n"1",7,"a"\n"2",8,"b"\n', "separated by ',', row names"),
        ("t.csv", '"id" "text"\n"1" 7 "a b"\n', "separated by blanks, row names"),
        ("t.csv", "id,text\r1,a\r2,b\r", "separated by ','"),
    ],
)
def test_layouts_are_told(tmp_path: Path, name: str, content: str, said: str) -> None:
    described, rows = cells(tmp_path / name, content)
    assert described == f"{said}, utf-8"
    expected = {
        "sep=": [["1", "a, b"]],
        '""b""': [["1", 'a "b" c']],
        ', "a, b"': [["1", "a, b"]],
        '\\"b\\"': [["1", 'a "b", c']],
        '"Alien"': [["1", '"Alien" is']],
        "\\ntwo": [["1", "one\ntwo\\"], ["2", "\\N"]],
        '"1",7': [["7", "a"], ["8", "b"]],
        '"1" 7': [["7", "a b"]],
        "\r1": [["1", "a"], ["2", "b"]],
    }
    assert rows == [["id", "text"], *next(value for key, value in expected.items() if key in content)]


def quoted(opens: int, closes: int, separator: str = "\t", rows: int = 12) -> str:
    """A table in which one text begins with a quote and a later one ends with one."""
    lines = []
    for i in range(rows):
        text = '"' * (i == opens) + f"Text {i} of it" + '"' * (i == closes)
        lines.append(separator.join([str(i), f"{i}.jpg", text]))
    return "\n".join([separator.join(["id", "image", "text"]), *lines]) + "\n"


@pytest.mark.parametrize("separator", ["\t", ",", ";", "|"])
@pytest.mark.parametrize(("opens", "closes"), [(3, 7), (0, 11), (5, 6)])
def test_a_quote_swallows_no_rows(tmp_path: Path, separator: str, opens: int, closes: int) -> None:
    described, rows = cells(tmp_path / "t.csv", quoted(opens, closes, separator))
    assert "quotes are letters" in described and len(rows) == 13
    assert rows[1 + opens][2] == f'"Text {opens} of it' and rows[1 + closes][2] == f'Text {closes} of it"'


def test_a_quote_that_swallows_rows_among_quoted_cells_is_refused_with_its_line(tmp_path: Path) -> None:
    content = quoted(3, 7, ",").replace("Text 9 of it", '"Text 9, of it"')
    with pytest.raises(
        DataError, match=r"t\.csv line 5: a quote that is not closed swallows the rows .* --quoting none"
    ):
        cells(tmp_path / "t.csv", content)
    _, rows = cells(tmp_path / "t.csv", content, quoting="double")
    assert len(rows) == 9 and str(rows[4][2]).count("\n") == 4


def test_a_text_of_several_lines_is_no_swallowed_row(tmp_path: Path) -> None:
    content = 'image,text\na.jpg,"First line\nsecond, line"\nb.jpg,"One\ntwo, three\nfour"\n'
    assert cells(tmp_path / "t.csv", content)[1][1:] == [
        ["a.jpg", "First line\nsecond, line"],
        ["b.jpg", "One\ntwo, three\nfour"],
    ]


@pytest.mark.parametrize(("first", "shown"), [("a0.jpg,x,7", "a0.jpg"), (f"x,y,{TEXT}", TEXT), ("x,17,y", "17")])
def test_a_table_without_a_header_is_refused_and_can_be_read(tmp_path: Path, first: str, shown: str) -> None:
    content = "\n".join([first, f"a1.jpg,3,{TEXT} 1", f"a2.jpg,4,{TEXT} 2"]) + "\n"
    with pytest.raises(DataError, match=rf"t\.csv row 1 holds '{shown}' where a column's name belongs; .* --no-header"):
        cells(tmp_path / "t.csv", content)
    described, rows = cells(tmp_path / "t.csv", content, header=False)
    assert described.endswith("without a header") and rows[0] == ["column 1", "column 2", "column 3"]
    assert rows[1] == first.split(",") and len(rows) == 4
    assert cells(tmp_path / "t.csv", content, header=True)[1][0] == first.split(",")


def test_pandas_own_numbers_are_names(tmp_path: Path) -> None:
    assert cells(tmp_path / "t.csv", "0,1,2\n5,6,7\n")[1] == [["0", "1", "2"], ["5", "6", "7"]]


ROWS = [{"image": f"{i}.jpg", "text": f"{TEXT} {i}", "n": i} for i in range(3)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("\n".join(map(json.dumps, ROWS)), "one object a line"),
        (json.dumps(ROWS, indent=2), "one array"),
        (json.dumps({"version": 1, "data": ROWS}), "the array 'data'"),
        (json.dumps({key: {str(i): row[key] for i, row in enumerate(ROWS)} for key in ROWS[0]}), "columns, as pandas"),
        (json.dumps({str(i): row for i, row in enumerate(ROWS)}), "rows by index, as pandas"),
        (
            json.dumps({"columns": list(ROWS[0]), "index": [0, 1, 2], "data": [list(row.values()) for row in ROWS]}),
            "columns and data, as pandas",
        ),
        (json.dumps({key: [row[key] for row in ROWS] for key in ROWS[0]}), "one array a column"),
    ],
)
def test_shapes_of_json(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "t.json").write_text(content)
    source = open_source(tmp_path / "t.json")
    assert source.described.startswith(said) and [row.values for row in source.rows()] == ROWS


def test_coco(tmp_path: Path) -> None:
    images = [{"id": 9, "file_name": "a.jpg", "width": 3}, {"id": 4, "file_name": "b.jpg", "width": 5}]
    annotations = [{"id": i, "image_id": (4, 9)[i % 2], "caption": f"{TEXT} {i}"} for i in range(4)]
    (tmp_path / "t.json").write_text(json.dumps({"info": {}, "images": images, "annotations": annotations}))
    plan = plan_import(tmp_path / "t.json", ImportOptions())
    assert plan.columns.names["image"] == "file_name" and plan.columns.names["text"] == "caption"
    assert [(row.image, row.source_id) for row in plan.rows()] == [
        *(("b.jpg", "0"), ("a.jpg", "1")),
        *(("b.jpg", "2"), ("a.jpg", "3")),
    ]


def test_a_key_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text('{"a": 1}\n{"a": 1, "a": 2}\n')
    with pytest.raises(DataError, match=r"t\.jsonl line 2 is not valid JSON \(an object has the key 'a' twice\)"):
        open_source(tmp_path / "t.jsonl")


def test_halves_of_characters_are_replaced_and_said(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text('{"k\\ud83d": "a\\ud83d", "b": "\\ud83d\\ude00"}\n')
    source = open_source(tmp_path / "t.jsonl")
    assert [row.values for row in source.rows()] == [{"k\ufffd": "a\ufffd", "b": "\U0001f600"}]
    assert source.notes == ("halves of characters (lone surrogates) became U+FFFD: 1 (t.jsonl line 1)",)


def test_a_folder_of_pictures_with_metadata_a_split(tmp_path: Path) -> None:
    for part, count in (("train", 3), ("test", 2)):
        (tmp_path / part).mkdir()
        rows = [{"file_name": f"{i}.png", "text": f"{TEXT} {part} {i}"} for i in range(count)]
        write_csv(tmp_path / part / "metadata.csv", rows)
        for i in range(count):
            picture("red").save(tmp_path / part / f"{i}.png")
    plan = plan_import(tmp_path, ImportOptions())
    rows = list(plan.rows())
    assert [row.texts["split"] for row in rows] == ["test"] * 2 + ["train"] * 3
    found = [plan.pictures.find(row.image, row.source_id, "") for row in rows]
    assert found == [tmp_path / row.texts["split"] / Path(str(row.image)).name for row in rows]
    assert plan.source.place(rows[4].number) == "train/metadata.csv row 4"


def test_a_column_called_cover_may_hold_words(tmp_path: Path) -> None:
    rows = [{"cover": "Hardcover", "name": f"n{i}", "text": f"{TEXT} {i}"} for i in range(3)]
    with pytest.raises(DataError, match="has no column that holds pictures"):
        plan_import(write_csv(tmp_path / "t.csv", rows), ImportOptions())
    picture("red").save(tmp_path / "Hardcover.png")
    assert plan_import(tmp_path / "t.csv", ImportOptions()).columns.names["image"] == "cover"
