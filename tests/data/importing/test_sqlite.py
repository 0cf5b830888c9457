from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cinealign.data.catalogue import Catalogue
from cinealign.data.importing.open_source import open_source
from cinealign.data.importing.plan import ImportOptions, plan_import
from cinealign.data.importing.write import write_catalogue
from cinealign.errors import DataError
from tests.data.importing.tables import picture


def written(path: Path, *statements: str) -> Path:
    with closing(sqlite3.connect(path)) as base, base:
        for statement in statements:
            base.execute(statement)
    return path


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A database of twelve things with their pictures inside, and a table beside it."""
    path = written(tmp_path / "shop.sqlite", 'CREATE TABLE "the things" (id INTEGER, photo BLOB, "its text" TEXT)')
    with closing(sqlite3.connect(path)) as base, base:
        for row in range(12):
            file = tmp_path / "one.png"
            picture("red", (8 + row, 9)).save(file)
            told = f"Thing {row} is long and red, and it stands on a shelf of the shop."
            base.execute('INSERT INTO "the things" VALUES (?, ?, ?)', (row, file.read_bytes(), told))
    return path


def test_the_only_table_becomes_a_catalogue(shop: Path, tmp_path: Path) -> None:
    before = shop.read_bytes()
    write_catalogue(plan_import(shop, ImportOptions(columns={"text": "its text"})), tmp_path / "mine")
    catalogue = Catalogue.load(tmp_path / "mine")
    assert len(catalogue) == 12 and catalogue.intros[3].startswith("Thing 3 is long")
    assert [poster.opener().size[0] for poster in catalogue.posters] == list(range(8, 20))
    assert shop.read_bytes() == before and not list(tmp_path.glob("shop.sqlite-*")), "opened for reading only"


def test_of_several_tables_one_is_named(shop: Path) -> None:
    written(shop, "CREATE TABLE prices (id INTEGER, price REAL)", "INSERT INTO prices VALUES (1, 2.5), (2, NULL)")
    with pytest.raises(DataError, match=r"several tables \(prices, the things\); name one of them with --sheet"):
        open_source(shop)
    with pytest.raises(DataError, match="has no table 'price'; its tables are: prices, the things"):
        open_source(shop, sheet="price")
    source = open_source(shop, sheet="prices")
    assert (source.columns, source.count, source.described) == (("id", "price"), 2, "SQLite, table 'prices'")
    assert [(row.number, row.values) for row in source.rows(["price"])] == [(1, {"price": 2.5}), (2, {"price": None})]


@pytest.mark.parametrize("damage", ["no database", "cut", "no UTF-8", "no table"])
def test_what_cannot_be_read_is_one_line(shop: Path, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "bad.db"
    if damage == "no table":
        written(path, "PRAGMA user_version = 3")
    elif damage == "no UTF-8":
        written(path, "CREATE TABLE t (a TEXT)", "INSERT INTO t VALUES (CAST(x'ff41' AS TEXT))")
    else:
        content = shop.read_bytes()
        path.write_bytes(b"id,text\n1,a\n" * 90 if damage == "no database" else content[: len(content) // 2])
    with pytest.raises(DataError, match=r"bad\.db (cannot be read as a SQLite database|has no table)"):
        list(open_source(path).rows())
