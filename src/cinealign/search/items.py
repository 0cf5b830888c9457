"""What is known of the items of an index: SQLite files that never change, looked up by key, id, digest or filter."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cinealign.arguments import shown
from cinealign.data.find_item import SOURCE_ID
from cinealign.errors import DataError, damage_refused
from cinealign.search.engines import Keys

GENRE = "genre"
"""Facet of the genres; other facets are called as their columns."""
SPLIT = "split"
TRAIN, HELD_OUT, ADDED = "train", "held_out", "added"
"""Values of the facet `split`; `added` items came after the run."""
LAST_YEAR = 99_999
_AT_ONCE = 500
_OF_FACET = "SELECT key FROM facets WHERE name = ? AND value = ?"
_SCHEMA = """
CREATE TABLE items (
  key INTEGER PRIMARY KEY, id TEXT NOT NULL, title TEXT NOT NULL, folded TEXT NOT NULL, year INTEGER, intro TEXT,
  picture TEXT, poster_digest TEXT, intro_digest TEXT, lettering TEXT, facets TEXT NOT NULL
);
CREATE TABLE facets (name TEXT NOT NULL, value TEXT NOT NULL, key INTEGER NOT NULL, PRIMARY KEY (name, value, key))
  WITHOUT ROWID;
"""
_INDEXES = "CREATE INDEX by_id ON items (id); CREATE INDEX by_year ON items (year);"
_COLUMNS = "key, id, title, year, intro, picture, poster_digest, intro_digest, lettering, facets"


@dataclass(frozen=True)
class Item:
    """One item; a side that it lacks has no digest.

    Attributes:
        item_id: as its catalogue or table has it; an index holds an id once.
        title, year: as read; the title is the id where there is none.
        intro: the cleaned text.
        picture: path of its poster, where that is a file.
        poster_digest, intro_digest: sha256 of the poster's bytes and of the cleaned text.
        lettering: the lines read on the poster; None where nobody has read it.
        facets: column -> its values, for filters: `genre`, `split`, and any other column of the table.
        key: its number in the index; -1 before it has one.
    """

    item_id: str
    title: str
    year: int | None = None
    intro: str | None = None
    picture: str | None = None
    poster_digest: str | None = None
    intro_digest: str | None = None
    lettering: tuple[str, ...] | None = None
    facets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    key: int = -1

    @property
    def genres(self) -> tuple[str, ...]:
        """Those of the facet `genre`."""
        return self.facets.get(GENRE, ())

    @property
    def split(self) -> str:
        """`train`, `held_out` or `added`."""
        return next(iter(self.facets.get(SPLIT, ())), ADDED)

    @property
    def own_id(self) -> str:
        """Id in the user's own table: where an import numbered the items, not `item_id`."""
        return next(iter(self.facets.get(SOURCE_ID, ())), self.item_id)

    @property
    def letters(self) -> int | None:
        """Letters and digits read on the poster; None where nobody has read it."""
        return None if self.lettering is None else letters_in(self.lettering)


def _is_year(given: Any) -> bool:
    return isinstance(given, Integral) and not isinstance(given, bool) and abs(int(given)) <= LAST_YEAR


def letters_in(lines: Iterable[str]) -> int:
    """Letters and digits."""
    return sum(c.isalnum() for line in lines for c in line)


def write_items(path: Path, items: Iterable[Item]) -> None:
    """Write a file of items, which have keys.

    The file is complete and on the disk when this returns; nothing refers to it before the index commits it.

    Raises:
        DataError: there is no room.
    """
    import os

    path.unlink(missing_ok=True)
    base = sqlite3.connect(path, isolation_level=None)
    try:
        base.executescript(f"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; BEGIN; {_SCHEMA}")
        for item in items:
            _put(base, item)
        base.execute("COMMIT")
        base.executescript(_INDEXES)
    except sqlite3.OperationalError as error:
        raise DataError(f"{path} cannot be written ({error}); is there room?") from None
    finally:
        base.close()
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _put(base: sqlite3.Connection, item: Item) -> None:
    lettering = None if item.lettering is None else json.dumps(item.lettering, ensure_ascii=False)
    facets = {name: list(values) for name, values in item.facets.items()}
    base.execute(
        "INSERT INTO items VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(item.key, item.item_id, item.title, item.title.casefold(), item.year, item.intro, item.picture),
            *(item.poster_digest, item.intro_digest, lettering, json.dumps(facets, ensure_ascii=False)),
        ),
    )
    rows = {(name, value.casefold(), item.key) for name, values in facets.items() for value in values}
    base.executemany("INSERT INTO facets VALUES (?, ?, ?)", sorted(rows))


class ItemFile:
    """One file of items, opened once and read by any number of threads, also after its name is gone."""

    def __init__(self, path: Path) -> None:
        """Raises DataError where the file is missing or damaged."""
        self.path, self._one_at_a_time = path, threading.Lock()
        try:
            uri = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
            self._base = sqlite3.connect(uri, uri=True, check_same_thread=False)
            self.size = int(self.rows("SELECT count(*) FROM items")[0][0])
        except sqlite3.Error as error:
            raise DataError(f"{path} cannot be read ({error}); make the index again") from None

    def all(self) -> Iterator[Item]:
        """Every item, by key."""
        last = -1
        while rows := self.rows(f"SELECT {_COLUMNS} FROM items WHERE key > ? ORDER BY key LIMIT {_AT_ONCE}", [last]):
            yield from map(self._item, rows)
            last = rows[-1][0]

    def where(self, condition: str, values: Sequence[Any]) -> list[Item]:
        """The items for which an SQL condition on their columns holds, by key."""
        query = f"SELECT {_COLUMNS} FROM items WHERE {condition} ORDER BY key"
        return [self._item(row) for row in self.rows(query, values)]

    def keys(self, query: str, values: Sequence[Any]) -> Keys:
        """Rising keys that an SQL query gives."""
        return np.unique(np.fromiter((row[0] for row in self.rows(query, values)), dtype=np.int64))

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        """The rows of an SQL query."""
        try:
            with self._one_at_a_time:
                return self._base.execute(query, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise DataError(f"{self.path} is damaged ({error}); make the index again") from None

    def _item(self, row: Sequence[Any]) -> Item:
        with damage_refused(DataError, self.path, "make the index again"):
            return _item(row)


def _item(row: Sequence[Any]) -> Item:
    key, item_id, title, year, intro, picture, poster_digest, intro_digest, lettering, facets = row
    return Item(
        *(item_id, title, year, intro, picture, poster_digest, intro_digest),
        None if lettering is None else tuple(json.loads(lettering)),
        {name: tuple(values) for name, values in json.loads(facets).items()},
        key,
    )


class Items:
    """The items of one generation."""

    def __init__(self, files: Sequence[Path], removed: Keys) -> None:
        """Args:
        files: of items, oldest first.
        removed: rising keys that the files still hold and the generation does not.
        """
        self._files, self._removed = [ItemFile(path) for path in files], removed

    @property
    def sizes(self) -> list[int]:
        """Rows of each file, removed ones included."""
        return [file.size for file in self._files]

    def highest(self) -> int:
        """The highest key that any file has; -1 without any."""
        rows = [file.rows("SELECT max(key) FROM items")[0][0] for file in self._files]
        return max((row for row in rows if row is not None), default=-1)

    def all(self) -> Iterator[Item]:
        """Every item, by key."""
        gone = set(self._removed.tolist())
        return (item for file in self._files for item in file.all() if item.key not in gone)

    def of_keys(self, keys: Iterable[int]) -> dict[int, Item]:
        """Key -> item, of the keys that there are."""
        wanted, found = [int(key) for key in keys], {}
        for file in self._files:
            for start in range(0, len(wanted), _AT_ONCE):
                part = wanted[start : start + _AT_ONCE]
                marks = ",".join("?" * len(part))
                found.update({item.key: item for item in file.where(f"key IN ({marks})", part)})
        gone = set(self._removed.tolist())
        if strange := [key for key in wanted if key not in found]:
            raise DataError(
                f"{self._files[0].path.parent} has no item {strange[0]}, which has a vector; make the index again"
            )
        return {key: item for key, item in found.items() if key not in gone}

    def of_id(self, item_id: str) -> Item | None:
        """The item of that id."""
        for file in reversed(self._files):
            for item in file.where("id = ?", [item_id]):
                if item.key not in self._removed:
                    return item
        return None

    def of_own_id(self, own_id: str) -> Item | None:
        """The item of that id in the table that was imported, where the import numbered the items."""
        keys = [row[0] for file in self._files for row in file.rows(_OF_FACET, [SOURCE_ID, own_id.casefold()])]
        return next((item for item in self.of_keys(keys).values() if item.own_id == own_id), None)

    def numbered(self) -> dict[str, str]:
        """Id in the user's own table -> id in the index; empty where no import numbered the items."""
        gone = set(self._removed.tolist())
        pick = (
            f"SELECT key, id, facets FROM items WHERE key IN (SELECT key FROM facets WHERE name = {_quoted(SOURCE_ID)})"
        )
        rows = (row for file in self._files for row in file.rows(pick) if row[0] not in gone)
        return {json.loads(facets)[SOURCE_ID][0]: item_id for _, item_id, facets in rows}

    def of_title(self, title: str) -> list[Item]:
        """The items of that title, whatever its case, with or without the year in parentheses behind it."""
        folded = title.strip().casefold()
        with_year = f"{folded.replace('[', '[[]').replace('*', '[*]').replace('?', '[?]')} ([0-9][0-9][0-9][0-9])"
        found = [
            item for file in self._files for item in file.where("folded = ? OR folded GLOB ?", [folded, with_year])
        ]
        return [item for item in found if item.key not in self._removed]

    def digests(self) -> dict[str, tuple[int, str | None, str | None]]:
        """Id -> key and the digests of both sides, of every item."""
        gone = set(self._removed.tolist())
        query = "SELECT id, key, poster_digest, intro_digest FROM items"
        return {
            row[0]: (row[1], row[2], row[3]) for file in self._files for row in file.rows(query) if row[1] not in gone
        }

    def facet_names(self) -> list[str]:
        """The columns that filters may name, besides year and title."""
        return sorted({row[0] for file in self._files for row in file.rows("SELECT DISTINCT name FROM facets")})

    def facet_values(self, name: str) -> list[str]:
        """Every value of a facet, as it is written."""
        pick = f"SELECT facets FROM items WHERE key IN (SELECT key FROM facets WHERE name = {_quoted(name)})"
        seen = {value for file in self._files for row in file.rows(pick) for value in json.loads(row[0]).get(name, ())}
        return sorted(seen)

    def matching(self, where: Mapping[str, Any]) -> Keys:
        """Rising keys of the items that pass every filter.

        Args:
            where: `year`: a number or (first, last), either of them None for open; `title`: a text that it holds; any
                facet: a value or several, of which one must be the item's. Case does not matter.
        Raises:
            DataError: no item has such a column, or a value that nothing can be compared with.
        """
        if not isinstance(where, Mapping):
            raise DataError(f"where must be a mapping of columns to values, as {{'year': 1999}}, got {shown(where)}")
        passed = [self._passing(name, value) for name, value in where.items()]
        keys = passed[0] if passed else self._keys("SELECT key FROM items", [])
        for other in passed[1:]:
            keys = np.intersect1d(keys, other, assume_unique=True)
        return np.setdiff1d(keys, self._removed, assume_unique=True)

    def _passing(self, name: str, value: Any) -> Keys:
        if name == "year":
            first, last = value if isinstance(value, tuple | list) and len(value) == 2 else (value, value)
            if not all(year is None or _is_year(year) for year in (first, last)):
                raise DataError(
                    f"year must be a whole number or (first, last), got {shown(value)}; None leaves an end open"
                )
            ends = [-LAST_YEAR if first is None else int(first), LAST_YEAR if last is None else int(last)]
            return self._keys("SELECT key FROM items WHERE year BETWEEN ? AND ?", ends)
        if name == "title":
            if not isinstance(value, str):
                raise DataError(f"title must be a text, got {shown(value)}")
            return self._keys("SELECT key FROM items WHERE instr(folded, ?)", [str(value).casefold()])
        if name not in (known := self.facet_names()):
            choices = ", ".join(["title", "year", *known])
            raise DataError(f"no item has a column {name!r} to filter by; choose one of: {choices}")
        several = list(value) if isinstance(value, list | tuple | set | frozenset) else [value]
        if strange := [one for one in several if not isinstance(one, str | Real)]:
            raise DataError(f"{name} must be a value or a list of values, got {shown(strange[0])}")
        wanted = [str(one).casefold() for one in several]
        marks = ",".join("?" * len(wanted))
        return self._keys(f"SELECT key FROM facets WHERE name = ? AND value IN ({marks})", [name, *wanted])

    def _keys(self, query: str, values: Sequence[Any]) -> NDArray[np.int64]:
        parts = [file.keys(query, values) for file in self._files]
        return np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *parts]))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
