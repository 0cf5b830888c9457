"""Every kind of source gives the same rows, in blocks that stay what they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cinealign.errors import ConfigError, DataError
from cinealign.scale.source import Row, Source, blocks_of, open_source

PICTURES = {"7": b"seven", "8": b"eight", "9": b"nine"}
TEXTS = {"7": "a shark", "8": "", "9": "two  <b>ghosts</b>"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures with texts beside them."""
    home = tmp_path / "pictures"
    (home / "sub").mkdir(parents=True)
    (home / "0007.jpg").write_bytes(PICTURES["7"])
    (home / "0007.txt").write_text(TEXTS["7"])
    (home / "8.png").write_bytes(PICTURES["8"])
    (home / "sub" / "9.webp").write_bytes(PICTURES["9"])
    (home / "sub" / "9.txt").write_text(TEXTS["9"])
    (home / ".8.jpg").write_bytes(b"hidden")
    return home


def rows_of(source: Source, size: int = 2) -> list[Row]:
    blocks = blocks_of(source, size)
    assert [row for block in blocks for row in source.ids(block)] == [
        row.item_id for block in blocks for row in source.rows(block)
    ]
    return [row for block in blocks for row in source.rows(block)]


def told(rows: list[Row]) -> list[tuple[int, str, Any, Any]]:
    return [(row.key, row.item_id, row.picture, row.text) for row in rows]


WANTED = [(0, "7", b"seven", "a shark"), (1, "8", b"eight", None), (2, "9", b"nine", "two ghosts")]


def columns(image: list[Any], **more: Any) -> dict[str, Any]:
    return {"movie_id": [7, 8, 9], "poster": image, "plot": list(TEXTS.values()), **more}


def test_a_folder_of_pictures_and_texts(folder: Path) -> None:
    rows = rows_of(open_source(folder))
    assert told(rows) == WANTED
    assert rows[2].path == str(folder / "sub" / "9.webp")
    with pytest.raises(ConfigError, match="--text names a column of a table"):
        open_source(folder, {"text": "plot"})


def test_another_listing_is_another_source(folder: Path) -> None:
    before = open_source(folder).digest
    assert open_source(folder).digest == before
    (folder / "8.png").write_bytes(b"eighty")
    assert open_source(folder).digest != before


@pytest.mark.parametrize("kind", ["bytes", "paths", "struct"])
def test_parquet_with_pictures_or_paths(kind: str, folder: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    paths = ["0007.jpg", "8.png", str(folder / "sub" / "9.webp")]
    image: list[Any] = {
        "bytes": list(PICTURES.values()),
        "paths": paths,
        "struct": [{"bytes": each, "path": None} for each in PICTURES.values()],
    }[kind]
    more = {"title": ["Seven", None, ""], "year": [1995, None, 2001], "genres": ["Crime|Drama", "", None]}
    pq.write_table(pa.table(columns(image, **more)), folder / "items.parquet", row_group_size=2)
    for given in (folder / "items.parquet", folder):
        rows = rows_of(open_source(given), 1)
        assert told(rows) == WANTED
        assert [(row.title, row.year, row.genres) for row in rows] == [
            ("Seven", 1995, ("Crime", "Drama")),
            ("", None, ()),
            ("", 2001, ()),
        ]
    assert [(block.part, block.start, block.count) for block in blocks_of(open_source(folder), 5)] == [
        (0, 0, 2),
        (1, 0, 1),
    ]


def test_a_lance_table_and_columns_by_name(folder: Path) -> None:
    import lance
    import pyarrow as pa

    table = {"code": ["7", "8", "9"], "scan": ["0007.jpg", "8.png", "gone.jpg"], "words": list(TEXTS.values())}
    lance.write_dataset(pa.table(table), str(folder / "items.lance"))
    rows = rows_of(open_source(folder / "items.lance", {"id": "code", "image": "scan", "text": "words"}))
    assert told(rows)[:2] == WANTED[:2]
    assert rows[2].picture is None and "gone.jpg cannot be read" in (rows[2].problem or "")
    with pytest.raises(DataError, match=r"has no column for id; its columns are: code, scan, words; name one: --id"):
        open_source(folder / "items.lance", {"image": "scan"})
    with pytest.raises(DataError, match=r"has no column 'plot' for --text; its columns are: code, scan, words"):
        open_source(folder / "items.lance", {"id": "code", "text": "plot"})


def test_what_is_no_source_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no picture .* and no Parquet file"):
        open_source(tmp_path)
    (tmp_path / "x.parquet").write_bytes(b"no")
    with pytest.raises(DataError, match=r"x.parquet cannot be read as Parquet"):
        open_source(tmp_path)
    (tmp_path / "a.csv").write_text("id,text\n")
    with pytest.raises(DataError, match=r"a.csv is no source: give a folder of pictures"):
        open_source(tmp_path / "a.csv")
    with pytest.raises(DataError, match="cannot be read as a Lance table"):
        open_source(tmp_path / "none.lance")
