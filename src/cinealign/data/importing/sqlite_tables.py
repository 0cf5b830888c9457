"""Tables of a SQLite database: the only one, or the one that is named."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from cinealign.data.importing.source import Record, Source, checked_columns
from cinealign.data.tables import listed
from cinealign.errors import DataError

_NAMES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"


class SqliteTable(Source):
    """A table of a database, which is opened for reading only; values are what SQLite keeps, pictures may be blobs."""

    def __init__(self, path: Path, table: str | None) -> None:
        self.path, self.folder = path, path.parent
        names = [name for (name,) in self._selected(_NAMES)]
        if not names:
            raise DataError(f"{path.name} has no table; give the database that holds the items")
        if table is not None and table not in names:
            raise DataError(f"{path.name} has no table {table!r}; its tables are: {', '.join(names)}")
        if table is None and len(names) > 1:
            raise DataError(f"{path.name} holds several tables ({listed(names)}); name one of them with --sheet")
        self._table = names[0] if table is None else table
        titles = [title for (title,) in self._selected("SELECT name FROM pragma_table_info(?)", self._table)]
        self.columns = checked_columns(path.name, titles)
        self.count = int(next(self._selected(f"SELECT count(*) FROM {_quoted(self._table)}"))[0])
        self.described = f"SQLite, table {self._table!r}"

    def rows(self, columns: Sequence[str] | None = None) -> Iterator[Record]:
        """The rows in the order that SQLite keeps them."""
        wanted = self.columns if columns is None else columns
        picked = ", ".join(map(_quoted, wanted)) or "NULL"
        found = self._selected(f"SELECT {picked} FROM {_quoted(self._table)}")
        for number, cells in enumerate(found, start=1):
            yield Record(number, dict(zip(wanted, cells, strict=False)))

    def _selected(self, query: str, *values: Any) -> Iterator[tuple[Any, ...]]:
        try:
            with closing(sqlite3.connect(f"{self.path.resolve().as_uri()}?mode=ro", uri=True)) as base:
                yield from base.execute(query, values)
        except (sqlite3.Error, UnicodeDecodeError) as error:
            said = " ".join(str(error).split())[:120]
            raise DataError(
                f"{self.path.name} cannot be read as a SQLite database ({said}); export it as CSV"
            ) from None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
