"""The feature store: what a view has computed once is never computed twice.

A value is found by what it depends on: the view's settings (their fingerprint names the file) and the item's content
(its digest is the key). A view with other settings has a SQLite file of its own, and every batch is one transaction: a
run that is killed loses at most the batch in hand, and runs at the same time share what they finish. SQLite keeps no sums
of what it holds, so that each value has its own beside it (those of earlier versions have none). SQLite's rollback journal
is used, not WAL, because WAL does not work on network folders, where many a student's home lies.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sqlite3
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cinealign.arguments import an_instance, as_path
from cinealign.errors import DataError
from cinealign.progress import progress

LOCK_TIMEOUT_S = 60.0
_KEYS_A_QUERY = 500
_FILE_NAME = re.compile(r"(?P<view>.+)-(?P<fingerprint>[0-9a-f]{16})\.sqlite")
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS items"
    " (digest TEXT PRIMARY KEY, dtype TEXT NOT NULL, shape TEXT NOT NULL, value BLOB NOT NULL)",
)
_SUMS = "CREATE TABLE IF NOT EXISTS sums (digest TEXT PRIMARY KEY, crc INTEGER NOT NULL)"
_RATE = "items a second"
_ITEMS_FOR_A_RATE = 32
_RECORD = "json"
"""In the column dtype: the value is a JSON record, not an array."""

Row = tuple[str, str, bytes]
"""A stored value: dtype, shape as JSON, bytes."""


@dataclass(frozen=True)
class StoreEntry:
    """One view with one choice of settings in the store.

    `settings` and `items` are None where the file is damaged; `size` is in bytes.
    """

    view: str
    fingerprint: str
    path: Path
    size: int
    settings: dict[str, Any] | None
    items: int | None


class FeatureStore:
    """Finished features on disk, shared by all runs of one user."""

    def __init__(self, folder: Path | str | None = None) -> None:
        """Args:
        folder: where the files lie, made when first written to; None means `default_store_folder()`.
        """
        self.folder = default_store_folder() if folder is None else as_path(folder, "folder")

    def arrays(
        self,
        view: str,
        settings: Mapping[str, Any],
        digests: Sequence[str],
        compute: Callable[[list[int]], NDArray[Any]],
        *,
        batch_size: int = 32,
    ) -> NDArray[Any]:
        """One array an item, stacked; those that the store does not have are computed and kept.

        What comes back is always what the store holds: if two runs compute the same item, both go on with one value.

        Args:
            view: name of the view, part of the file's name and the label of the progress.
            settings: everything but the item that the values depend on, as JSON values; weights by their hash.
            digests: (N,) content of every item as a hash; equal digests are computed once.
            compute: gives the values (B, ...) of the items at B positions in `digests`; shape and dtype of a value are
                always the same. Not called if nothing is missing, so it is the place to load a model.
            batch_size: B, the items that are computed and committed together.
        Returns:
            (N, ...) array in the order of `digests`; (0, 0) float32 without items.
        Raises:
            DataError: the file is damaged or cannot be read or written.
        """
        rows = self._through(view, settings, digests, lambda at: [_pack(value) for value in compute(at)], batch_size)
        if not digests:
            return np.zeros((0, 0), dtype=np.float32)
        dtype, shape, _ = rows[digests[0]]
        stacked = np.empty((len(digests), *json.loads(shape)), dtype=np.dtype(dtype))
        for at, digest in enumerate(digests):
            found_dtype, found_shape, value = rows[digest]
            if (found_dtype, found_shape, len(value)) != (dtype, shape, stacked[at].nbytes):
                raise _damaged(self.path(view, settings))
            stacked[at] = np.frombuffer(value, dtype=stacked.dtype).reshape(stacked.shape[1:])
        return stacked

    def sequences(
        self,
        view: str,
        settings: Mapping[str, Any],
        digests: Sequence[str],
        compute: Callable[[list[int]], Sequence[NDArray[Any]]],
        *,
        batch_size: int = 32,
    ) -> list[NDArray[Any]]:
        """One array an item, each of its own length: the first dimension may differ. Otherwise as `arrays`."""
        rows = self._through(view, settings, digests, lambda at: [_pack(value) for value in compute(at)], batch_size)
        found = []
        for digest in digests:
            dtype, shape, value = rows[digest]
            try:
                found.append(np.frombuffer(value, dtype=np.dtype(dtype)).reshape(json.loads(shape)))
            except (TypeError, ValueError):
                raise _damaged(self.path(view, settings)) from None
        return found

    def records(
        self,
        view: str,
        settings: Mapping[str, Any],
        digests: Sequence[str],
        compute: Callable[[list[int]], Sequence[Any]],
        *,
        batch_size: int = 32,
    ) -> list[Any]:
        """One JSON value an item, otherwise as `arrays`; every item gets a copy of its own."""
        rows = self._through(
            view,
            settings,
            digests,
            lambda at: [(_RECORD, "[]", _json(value).encode()) for value in compute(at)],
            batch_size,
        )
        try:
            return [json.loads(rows[digest][2]) for digest in digests]
        except ValueError:
            raise _damaged(self.path(view, settings)) from None

    def missing(self, view: str, settings: Mapping[str, Any], digests: Sequence[str]) -> int:
        """How many distinct `digests` have no value yet; makes no file.

        Raises:
            DataError: the file is damaged or cannot be read.
        """
        unique = list(dict.fromkeys(digests))
        path = self.path(view, settings)
        if not path.is_file():
            return len(unique)
        with _database(path) as database:
            _prepare(database, view, settings)
            return len(_missing(database, unique))

    def path(self, view: str, settings: Mapping[str, Any]) -> Path:
        """The file of `view` with `settings`; it need not exist."""
        return self.folder / f"{view}-{fingerprint(settings)[:16]}.sqlite"

    def info(self) -> list[StoreEntry]:
        """Everything in the store by view and fingerprint; a damaged file is listed, not refused."""
        return [_entry(path, match["view"], match["fingerprint"]) for path, match in self._files()]

    def clear(self, view: str | None = None) -> list[StoreEntry]:
        """Delete the features of `view`, or all; works on damaged files and touches no others.

        Returns:
            What was deleted.
        Raises:
            DataError: a file cannot be deleted.
        """
        gone = [entry for entry in self.info() if view in (None, entry.view)]
        for entry in gone:
            try:
                Path(f"{entry.path}-journal").unlink(missing_ok=True)
                entry.path.unlink(missing_ok=True)
            except OSError as error:
                raise DataError(f"cannot delete {entry.path}: {error.strerror}; is another run using it?") from None
        return gone

    def rate(self, view: str, settings: Mapping[str, Any]) -> float | None:
        """Items a second when `view` was last computed with `settings`; None where that is not known. Makes no file."""
        path = self.path(view, settings)
        if not path.is_file():
            return None
        with _database(path) as database:
            _prepare(database, view, settings)
            found = database.execute("SELECT value FROM meta WHERE name = ?", (_RATE,)).fetchone()
        try:
            rate = float(found[0]) if found else 0.0
        except (ValueError, TypeError):  # only an estimate: without it none is given
            return None
        return rate if 0 < rate < float("inf") else None

    def _files(self) -> Iterator[tuple[Path, re.Match[str]]]:
        for path in sorted(self.folder.glob("*.sqlite")):
            if match := _FILE_NAME.fullmatch(path.name):
                yield path, match

    def _through(
        self,
        view: str,
        settings: Mapping[str, Any],
        digests: Sequence[str],
        compute: Callable[[list[int]], list[Row]],
        batch_size: int,
    ) -> dict[str, Row]:
        """The stored value of every digest, after computing and committing the missing ones batch by batch."""
        positions = first_positions(digests)
        unique = list(positions)
        if not unique:
            return {}
        with _database(self.path(view, settings)) as database:
            _prepare(database, view, settings)
            missing = _missing(database, unique)
            if missing:
                began = time.monotonic()
                with progress(view, len(unique), len(unique) - len(missing)) as report:
                    for start in range(0, len(missing), batch_size):
                        batch = missing[start : start + batch_size]
                        wanted = _missing(database, batch)  # another run may have been here meanwhile
                        if wanted:
                            values = compute([positions[digest] for digest in wanted])
                            assert len(values) == len(wanted), f"{view}: {len(values)} values for {len(wanted)} items"
                            _insert(database, wanted, values)
                        report.advance(len(batch))
                _keep_rate(database, len(missing), time.monotonic() - began)
            return _select(database, unique)


def a_store(given: FeatureStore | None) -> FeatureStore:
    """The store that an argument names, the user's own where it names none.

    Raises:
        ConfigError: it is no store.
    """
    if given is None:
        return FeatureStore()
    return an_instance(given, "store", FeatureStore, "FeatureStore(FOLDER) makes one")


def default_store_folder() -> Path:
    """The folder that the environment variable CINEALIGN_CACHE names, else one in the user's cache folder."""
    named = os.environ.get("CINEALIGN_CACHE")
    if named:
        return Path(named).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("cinealign")) / "features"


def fingerprint(settings: Mapping[str, Any]) -> str:
    """sha256 of `settings` as JSON with sorted keys: equal settings in any order have one fingerprint."""
    return hashlib.sha256(_json(settings).encode()).hexdigest()


def first_positions(digests: Sequence[str]) -> dict[str, int]:
    """Every distinct digest with its first position, in the order of these."""
    positions: dict[str, int] = {}
    for at, digest in enumerate(digests):
        positions.setdefault(digest, at)
    return positions


def text_digest(text: str) -> str:
    """sha256 of a text's UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _pack(value: NDArray[Any]) -> Row:
    return value.dtype.str, _json(list(value.shape)), np.ascontiguousarray(value).tobytes()


def _damaged(path: Path) -> DataError:
    return DataError(f"{path} is damaged; run `cinealign cache clear` and start again")


@contextmanager
def _database(path: Path) -> Iterator[sqlite3.Connection]:
    """An open database with SQLite's errors turned into ours."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path, timeout=LOCK_TIMEOUT_S, isolation_level=None)) as database:
            yield database
    except sqlite3.OperationalError as error:
        hint = "set CINEALIGN_CACHE to a folder that you can write to and that has room"
        raise DataError(f"cannot use the feature store {path}: {error}; {hint}") from error
    except sqlite3.DatabaseError as error:
        raise _damaged(path) from error
    except (FileExistsError, NotADirectoryError, PermissionError) as error:
        if error.filename is None or not path.is_relative_to(error.filename):
            raise
        hint = "set CINEALIGN_CACHE to a folder that you can write to"
        raise DataError(f"cannot use the feature store {path.parent}: {error.strerror}; {hint}") from error


@contextmanager
def _transaction(database: sqlite3.Connection) -> Iterator[None]:
    database.execute("BEGIN IMMEDIATE")  # takes the lock now, so that waiting for it cannot end in a deadlock
    try:
        yield
    except BaseException:
        database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")


def _prepare(database: sqlite3.Connection, view: str, settings: Mapping[str, Any]) -> None:
    """Make the tables of a new file and say in it what it holds."""
    try:
        if database.execute("SELECT count(*) FROM sqlite_master WHERE name = 'meta'").fetchone()[0]:
            return
    except UnicodeDecodeError:  # sqlite3 puts bytes of the file into its message
        raise sqlite3.DatabaseError("malformed schema") from None
    with _transaction(database):
        for statement in (*_SCHEMA, _SUMS):
            database.execute(statement)
        meta = [("view", view), ("settings", _json(settings))]
        database.executemany("INSERT OR IGNORE INTO meta VALUES (?, ?)", meta)


def _insert(database: sqlite3.Connection, digests: Sequence[str], values: Sequence[Row]) -> None:
    with _transaction(database):
        rows = [(digest, *value) for digest, value in zip(digests, values, strict=True)]
        database.execute(_SUMS)  # a file of an earlier version has no such table
        for row in rows:
            if database.execute("INSERT OR IGNORE INTO items VALUES (?, ?, ?, ?)", row).rowcount:
                database.execute("INSERT OR REPLACE INTO sums VALUES (?, ?)", (row[0], _sum(*row)))


def _keep_rate(database: sqlite3.Connection, items: int, seconds: float) -> None:
    if items >= _ITEMS_FOR_A_RATE and seconds > 0:
        with _transaction(database):
            database.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_RATE, repr(items / seconds)))


def _sum(digest: str, dtype: str, shape: str, value: bytes) -> int:
    return zlib.crc32(value, zlib.crc32(f"{digest} {dtype} {shape} ".encode("utf-8", "surrogatepass")))


def _asked(
    database: sqlite3.Connection, columns: str, digests: Sequence[str], table: str = "items"
) -> Iterator[tuple[Any, ...]]:
    for start in range(0, len(digests), _KEYS_A_QUERY):
        keys = digests[start : start + _KEYS_A_QUERY]
        marks = ",".join("?" * len(keys))
        yield from database.execute(f"SELECT {columns} FROM {table} WHERE digest IN ({marks})", keys).fetchall()


def _missing(database: sqlite3.Connection, digests: Sequence[str]) -> list[str]:
    found = {row[0] for row in _asked(database, "digest", digests)}
    return [digest for digest in digests if digest not in found]


def _select(database: sqlite3.Connection, digests: Sequence[str]) -> dict[str, Row]:
    found = {row[0]: (row[1], row[2], row[3]) for row in _asked(database, "digest, dtype, shape, value", digests)}
    if len(found) < len(digests):  # the index of a damaged file may name what its table does not have
        raise sqlite3.DatabaseError("a value is not where the index says")
    if database.execute("SELECT count(*) FROM sqlite_master WHERE name = 'sums'").fetchone()[0]:
        for digest, crc in _asked(database, "digest, crc", digests, "sums"):
            if digest in found and _sum(digest, *found[digest]) != crc:
                raise sqlite3.DatabaseError("a value does not have its sum")
    return found


def _entry(path: Path, view: str, short_fingerprint: str) -> StoreEntry:
    size = path.stat().st_size
    try:
        with closing(sqlite3.connect(path, timeout=LOCK_TIMEOUT_S, isolation_level=None)) as database:
            settings = json.loads(database.execute("SELECT value FROM meta WHERE name = 'settings'").fetchone()[0])
            items = int(database.execute("SELECT count(*) FROM items").fetchone()[0])
    except (sqlite3.Error, ValueError, TypeError):
        return StoreEntry(view, short_fingerprint, path, size, None, None)
    return StoreEntry(view, short_fingerprint, path, size, settings, items)
