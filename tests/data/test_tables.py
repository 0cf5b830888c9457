from __future__ import annotations

from pathlib import Path

import pytest

from cinealign.data.tables import read_table, whole_number
from cinealign.errors import DataError


def table_of(tmp_path: Path, content: bytes):  # type: ignore[no-untyped-def]
    (tmp_path / "info.csv").write_bytes(content)
    return read_table(tmp_path / "info.csv")


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("id,name\n1,Amélie\n".encode(), "utf-8"),
        ("\ufeffid,name\n1,Amélie\n".encode(), "utf-8 with BOM"),
        ("id,name\n1,Amélie\n".encode("latin-1"), "latin-1"),
        ("id,name\n1,Amélie\n".encode("utf-16"), "utf-16"),
    ],
)
def test_encoding_is_found_and_said(tmp_path: Path, content: bytes, encoding: str) -> None:
    table = table_of(tmp_path, content)
    assert table.encoding == encoding and table.header == ("id", "name")
    assert table.rows[0].cells == ("1", "Amélie")


def test_quoted_cells_blank_lines_and_row_numbers(tmp_path: Path) -> None:
    table = table_of(tmp_path, b'id,name\r\n\r\n1,"a, ""b""\nc"\r\n2,d,\r\n')
    assert [(row.number, row.cells) for row in table.rows] == [(3, ("1", 'a, "b"\nc')), (4, ("2", "d"))]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"info\.csv is empty; expected a header line"),
        (b"\n\n", r"info\.csv is empty"),
        (b"id,name\n1,a\n2,b,c\n", r"info\.csv line 3: 3 cells where the header has 2; put a text that holds a comma"),
        (b"id,name\n1\n", r"info\.csv line 2: 1 cells where the header has 2"),
        (b"id,name\n1,a\n2,b\0\n", r"info\.csv line 3: holds a NUL byte"),
        (b'id,name\n1,a\n2,"open\n3,c\n', r"info\.csv line 3: not valid CSV"),
        (b"id;name\n1;a\n", r"columns are separated by ';'; save it with commas"),
        (b"id,name,name\n1,a,b\n", r"two columns are named 'name'"),
    ],
)
def test_damaged_table_is_refused_in_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        table_of(tmp_path, content)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "number"),
    [("17", 17), (" 17 ", 17), ("17.0", 17), ("1.7e+01", 17), ("007", 7), ("-3", -3)]
    + [(text, None) for text in ("", "x", "1.5", "1_000", "1e99", "inf", "１７", "9" * 30)],
)
def test_whole_number(text: str, number: int | None) -> None:
    assert whole_number(text) == number
