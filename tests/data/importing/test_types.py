"""Every type of value that Arrow and Excel have, and workbooks as programs write them."""

from __future__ import annotations

import decimal
import io
import json
import re
import zipfile
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cinealign.data.importing.open_source import open_source
from cinealign.data.importing.plan import ImportOptions, plan_import
from cinealign.errors import DataError
from tests.data.importing.tables import write_xlsx

TEXT = "A long enough description of something"
TYPES: list[tuple[pa.DataType, Any, str]] = [
    *((kind, 7, "7") for kind in (pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32())),
    (pa.uint64(), 2**64 - 1, "18446744073709551615"),
    (pa.int64(), -(2**63), "-9223372036854775808"),
    *((kind, 7.0, "7") for kind in (pa.float32(), pa.float64())),
    (pa.float64(), 0.1, "0.1"),
    (pa.float64(), 1e300, "1e+300"),
    (pa.float64(), float("nan"), ""),
    (pa.decimal128(10, 2), decimal.Decimal("7.00"), "7"),
    (pa.decimal128(10, 2), decimal.Decimal("7.25"), "7.25"),
    (pa.decimal256(40, 2), decimal.Decimal("12345678901234567890.25"), "12345678901234567890.25"),
    (pa.bool_(), True, "true"),
    *((kind, "a\nb", "a\nb") for kind in (pa.string(), pa.large_string(), pa.string_view())),
    *((kind, b"a|b", "a|b") for kind in (pa.binary(), pa.large_binary(), pa.binary(3))),
    (pa.date32(), date(1991, 2, 3), "1991-02-03"),
    (pa.date64(), date(1991, 2, 3), "1991-02-03"),
    (pa.time32("s"), time(1, 2, 3), "01:02:03"),
    (pa.time64("us"), time(1, 2, 3, 4), "01:02:03.000004"),
    *((pa.timestamp(unit), datetime(1991, 2, 3, 4, 5), "1991-02-03 04:05:00") for unit in ("s", "ms", "us", "ns")),
    (pa.duration("us"), timedelta(days=1, seconds=2), "1 day, 0:00:02"),
    (pa.dictionary(pa.int8(), pa.string()), "x", "x"),
    (pa.list_(pa.string()), ["a", "b"], "a|b"),
    (pa.list_(pa.string()), ["a|b", "c"], '["a|b", "c"]'),
    (pa.list_(pa.int64()), [1, 2], "[1, 2]"),
    (pa.large_list(pa.string()), ["a"], "a"),
    (pa.list_(pa.string(), 2), ["a", "b"], "a|b"),
    (
        pa.struct([("x", pa.int64()), ("y", pa.date32())]),
        {"x": 1, "y": date(1991, 2, 3)},
        '{"x": 1, "y": "1991-02-03"}',
    ),
    (pa.map_(pa.string(), pa.int64()), [("a", 1)], '[["a", 1]]'),
    (pa.null(), None, ""),
]


@pytest.mark.parametrize(("kind", "value", "expected"), TYPES, ids=[f"{kind} {value}"[:40] for kind, value, _ in TYPES])
def test_every_type_of_arrow_is_kept(tmp_path: Path, kind: pa.DataType, value: Any, expected: str) -> None:
    rows = pa.table({"image": ["a.png"] * 2, "text": [TEXT] * 2, "value": pa.array([value, None], kind)})
    pq.write_table(rows, tmp_path / "t.parquet")
    plan = plan_import(tmp_path / "t.parquet", ImportOptions(columns={"image": "image", "text": "text"}))
    names = {column: role for role, column in plan.columns.names.items()}
    if names.get("value") == "id":
        assert [row.source_id for row in plan.rows()] == [expected, ""]
    else:
        assert [row.kept["value"] for row in plan.rows()] == [expected, ""]


def test_a_text_of_arrow_that_is_no_text_is_refused_with_its_row(tmp_path: Path) -> None:
    texts = [f"{TEXT} {i}".encode() for i in range(100)]
    texts[77] = b"Caf\xe9"
    offsets = b"".join(sum(map(len, texts[:i])).to_bytes(4, "little") for i in range(101))
    damaged = pa.StringArray.from_buffers(100, pa.py_buffer(offsets), pa.py_buffer(b"".join(texts)))
    pq.write_table(pa.table({"image": ["a.png"] * 100, "text": damaged}), tmp_path / "t.parquet")
    with pytest.raises(DataError, match=r"t\.parquet row 78, column 'text': a value that is no string"):
        plan_import(tmp_path / "t.parquet", ImportOptions())


def test_shards_with_columns_in_another_order_are_one_table(tmp_path: Path) -> None:
    pq.write_table(pa.table({"image": ["a.png"], "text": ["one"]}), tmp_path / "train-00000-of-00002.parquet")
    pq.write_table(pa.table({"text": ["two"], "image": ["b.png"]}), tmp_path / "train-00001-of-00002.parquet")
    rows = [record.values for record in open_source(tmp_path).rows()]
    assert rows == [{"image": "a.png", "text": "one"}, {"image": "b.png", "text": "two"}]
    pq.write_table(pa.table({"text": ["two"], "cover": ["b.png"]}), tmp_path / "train-00001-of-00002.parquet")
    with pytest.raises(DataError, match=r"has other columns than train-00000-of-00002\.parquet \(cover, image\)"):
        open_source(tmp_path)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (7, 7),
        (7.5, 7.5),
        (True, True),
        (datetime(1991, 2, 3), datetime(1991, 2, 3)),
        (time(1, 2), time(1, 2)),
        ("0007", "0007"),
        ("a_x000D_\nb", "a\r\nb"),
        ("#N/A", None),
    ],
)
def test_cells_of_excel(tmp_path: Path, value: Any, expected: Any) -> None:
    path = write_xlsx(tmp_path / "t.xlsx", [{"image": "a.png", "value": value}])
    assert next(open_source(path).rows()).values["value"] == expected


def test_a_hidden_first_sheet_is_passed_over(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    workbook.active.title, workbook.active.sheet_state = "settings", "hidden"
    workbook.create_sheet("items").append(["image", "text"])
    workbook["items"].append(["a.png", TEXT])
    workbook.save(tmp_path / "t.xlsx")
    source = open_source(tmp_path / "t.xlsx")
    assert source.described == "Excel, sheet 'items', the first of 2 that is not hidden; --sheet takes another"
    assert source.count == 1 and source.columns == ("image", "text")


@pytest.mark.parametrize("claimed", ["A1", "A1:A2", "A1:B2", "A1:ZZ9"])
def test_a_sheet_is_read_whole_whatever_its_file_says_of_its_size(tmp_path: Path, claimed: str) -> None:
    path = write_xlsx(tmp_path / "t.xlsx", [{"image": f"{i}.png", "text": TEXT} for i in range(9)])
    content = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(content, "w") as new:
        for entry in old.namelist():
            text = old.read(entry)
            if entry == "xl/worksheets/sheet1.xml":
                text, count = re.subn(rb'<dimension ref="[^"]*"', f'<dimension ref="{claimed}"'.encode(), text)
                assert count == 1
            new.writestr(entry, text)
    path.write_bytes(content.getvalue())
    rows = [record.values for record in open_source(path).rows()]
    assert rows == [{"image": f"{i}.png", "text": TEXT} for i in range(9)]


def test_names_of_classes_within_lists(tmp_path: Path) -> None:
    feature = {"feature": {"names": ["cat", "dog"], "_type": "ClassLabel"}, "_type": "List"}
    about = {b"huggingface": json.dumps({"info": {"features": {"label": feature}}}).encode()}
    table = pa.table({"image": ["a.png"], "text": [TEXT], "label": [[1, 0]]}).replace_schema_metadata(about)
    pq.write_table(table, tmp_path / "t.parquet")
    row = next(iter(plan_import(tmp_path / "t.parquet", ImportOptions()).rows()))
    assert row.texts["genre"] == "dog|cat"
