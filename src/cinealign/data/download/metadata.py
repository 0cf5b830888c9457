"""The public metadata of MovieLens-1M: a pickle of OMDb's records, read without letting it do anything, and two tables."""

from __future__ import annotations

import csv
import io
import pickle
import pickletools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from cinealign.data.download.facts import Facts, imdb_id, omdb_facts
from cinealign.errors import DataError

RECORDS, LINKS, POSTERS = "metadata.pkl", "links_artificial.csv", "movie_posters.csv"
"""Names of the files below the base address of the metadata."""
MOST_RECORDS_BYTES = 60_000_000
MOST_TABLE_BYTES = 10_000_000
_MOST_RECORDS = 50_000
_MOST_LETTERS = 20_000
"""A pickle can say one text many times over, so its own size limits little."""
_PLAIN = frozenset(
    [
        "PROTO",
        "FRAME",
        "STOP",
        "MARK",
        "POP",
        "POP_MARK",
        "DUP",
        "NONE",
        "NEWTRUE",
        "NEWFALSE",
        "INT",
        "BININT",
        "BININT1",
        "BININT2",
        "LONG",
        "LONG1",
        "LONG4",
        "FLOAT",
        "BINFLOAT",
        "STRING",
        "BINSTRING",
        "SHORT_BINSTRING",
        "BINBYTES",
        "SHORT_BINBYTES",
        "BINBYTES8",
        "UNICODE",
        "BINUNICODE",
        "SHORT_BINUNICODE",
        "BINUNICODE8",
        "EMPTY_LIST",
        "LIST",
        "APPEND",
        "APPENDS",
        "EMPTY_TUPLE",
        "TUPLE",
        "TUPLE1",
        "TUPLE2",
        "TUPLE3",
        "EMPTY_DICT",
        "DICT",
        "SETITEM",
        "SETITEMS",
        "GET",
        "BINGET",
        "LONG_BINGET",
        "PUT",
        "BINPUT",
        "LONG_BINPUT",
        "MEMOIZE",
    ]
)
"""The opcodes that make numbers, texts, lists, tuples and dicts; all others name, make or call something."""


@dataclass(frozen=True)
class Links:
    """Where other databases keep a movie; "" where that is not known."""

    imdb_id: str
    tmdb_id: str


class _PlainUnpickler(pickle.Unpickler):
    """Refuses every class and every other thing that a pickle can name."""

    def find_class(self, module_name: str, global_name: str, /) -> NoReturn:
        raise DataError(f"{RECORDS} names {module_name[:40]}.{global_name[:40]}, and only plain data is read")

    def persistent_load(self, pid: Any) -> NoReturn:
        raise DataError(f"{RECORDS} names something outside itself, and only plain data is read")


def load_plain_pickle(content: bytes) -> Any:
    """The numbers, texts, lists, tuples and dicts in a pickle.

    It is looked through before it is loaded: any opcode that names a class or calls something is refused, and so is a
    number that would make the reader reserve more memory than the pickle can fill.

    Raises:
        DataError: the pickle is damaged or holds anything but plain data.
    """
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(content), start=1):
            if opcode.name not in _PLAIN:
                raise DataError(f"{RECORDS} holds the opcode {opcode.name}, and only plain data is read; it is refused")
            if (
                opcode.name in ("PUT", "LONG_BINPUT") and int(argument or 0) > count
            ):  # the reader makes room for so many
                raise DataError(f"{RECORDS} is damaged; it is refused")
        return _PlainUnpickler(io.BytesIO(content)).load()
    except DataError:
        raise
    except Exception:  # on damaged bytes pickle raises errors of many kinds
        raise DataError(f"{RECORDS} is damaged; is it the right address?") from None


def read_records(content: bytes) -> dict[int, Facts]:
    """Facts by movie id from the bytes of metadata.pkl: a list of ((movie_id, title, imdb_id), OMDb's record).

    A movie whose record is not one (OMDb's "not found", a failed request) has its IMDb id and nothing else.

    Raises:
        DataError: not such a list.
    """
    records = load_plain_pickle(content)
    if not isinstance(records, list | tuple) or not 0 < len(records) <= _MOST_RECORDS:
        raise DataError(f"{RECORDS} holds no list of records; is it the right address?")
    facts: dict[int, Facts] = {}
    for at, entry in enumerate(records):
        try:
            (movie_id, _title, imdb), record = entry
        except (TypeError, ValueError):
            movie_id = None
        if not isinstance(movie_id, int) or isinstance(movie_id, bool) or movie_id < 0:
            raise DataError(f"{RECORDS} record {at}: expected ((movie_id, title, imdb_id), record); it is refused")
        known = record if isinstance(record, Mapping) else {}
        if any(isinstance(value, str) and len(value) > _MOST_LETTERS for value in known.values()):
            raise DataError(f"{RECORDS} record {at}: a text of more than {_MOST_LETTERS:,} letters; it is refused")
        if movie_id not in facts:
            facts[movie_id] = omdb_facts(movie_id, known, imdb_id(imdb))
    return facts


def read_links(content: bytes) -> dict[int, Links]:
    """Ids by movie id from links_artificial.csv: movie_id, title, imdbId, tmdbId.

    Raises:
        DataError: a column is missing, or not a table at all.
    """
    header, *rows = _rows(LINKS, content) or [[]]
    missing = [name for name in ("movie_id", "imdbId", "tmdbId") if name not in header]
    if missing:
        raise DataError(f"{LINKS} has no column {', '.join(missing)}; is it the right address?")
    places = [header.index(name) for name in ("movie_id", "imdbId", "tmdbId")]
    links = {}
    for row in rows:
        if len(row) != len(header) or not _is_number(row[places[0]]):
            raise DataError(f"{LINKS}: expected {','.join(header)}, got {','.join(row)[:60]!r}; is it damaged?")
        movie_id, imdb, tmdb = (row[place] for place in places)
        links[int(movie_id)] = Links(imdb_id(imdb) if imdb else "", tmdb if _is_number(tmdb) else "")
    return links


def read_poster_addresses(content: bytes) -> dict[int, str]:
    """Poster addresses by movie id from movie_posters.csv, which has no header: movie_id, address.

    Raises:
        DataError: not such a table.
    """
    addresses = {}
    for row in _rows(POSTERS, content):
        if len(row) != 2 or not _is_number(row[0]):
            raise DataError(f"{POSTERS}: expected movie_id,address, got {','.join(row)[:60]!r}; is it damaged?")
        addresses[int(row[0])] = row[1].strip()
    return addresses


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _rows(name: str, content: bytes) -> list[list[str]]:
    try:
        return [row for row in csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True) if row]
    except (UnicodeDecodeError, csv.Error):
        raise DataError(f"{name} is damaged or no CSV in UTF-8; is it the right address?") from None
