"""What is encoded: a folder or bucket of pictures, Parquet files or a Lance table; cut into blocks that never change."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from cinealign.data.intros import clean_text
from cinealign.data.movie_table import TABLES
from cinealign.data.one_side import ID_COLUMNS, TEXT_COLUMNS
from cinealign.data.posters import SUFFIXES
from cinealign.errors import ConfigError, DataError
from cinealign.scale.places import Place

ROLES: Mapping[str, tuple[str, ...]] = {
    "id": ID_COLUMNS,
    "image": ("image", "poster", "picture", "image_path", "path", "file_name", "jpg"),
    "text": TEXT_COLUMNS,
    "title": ("title", "movie_title"),
    "year": ("year",),
    "genre": ("genre", "genres"),
}
"""What a column can be for, and the names by which it is found where nobody names one."""


@dataclass(frozen=True)
class Row:
    """One item as the source has it; `problem` says why its picture cannot be read from there."""

    key: int
    item_id: str
    title: str = ""
    year: int | None = None
    genres: tuple[str, ...] = ()
    text: str | None = None
    picture: bytes | None = None
    path: str | None = None
    problem: str | None = None


@dataclass(frozen=True)
class Block:
    """Some rows in a row: `first` is the key of the first; `part` and `start` say where the source has them."""

    number: int
    first: int
    count: int
    part: int
    start: int


class Source(Protocol):
    """A source; it travels to the workers."""

    @property
    def digest(self) -> str:
        """Of what it holds, as far as a listing shows: another digest, another source."""

    def parts(self) -> list[int]:
        """Rows of each part (file, row group): a block never reaches over the end of one."""

    def ids(self, block: Block) -> list[str]:
        """The ids of a block, without its pictures."""

    def rows(self, block: Block) -> list[Row]:
        """The rows of a block."""


def blocks_of(source: Source, size: int) -> list[Block]:
    """The source in blocks of at most `size` rows; keys count its rows from 0."""
    found: list[Block] = []
    key = 0
    for part, rows in enumerate(source.parts()):
        for start in range(0, rows, size):
            count = min(size, rows - start)
            found.append(Block(len(found), key, count, part, start))
            key += count
    return found


def open_source(uri: str | Path, columns: Mapping[str, str] | None = None) -> Source:
    """The source at `uri`.

    Args:
        uri: a folder or bucket of pictures (with 7.txt beside 7.jpg, or a data folder with its table), a Parquet file, a
            folder of Parquet files, or a Lance table.
        columns: role -> column, of tables; see `ROLES`.
    Raises:
        DataError: nothing there can be read, or a column is missing.
        ConfigError: columns were named for a folder of pictures.
    """
    place, named = Place.of(uri), dict(columns or {})
    if place.name.endswith(".lance"):
        return LanceSource.open(place, named)
    if place.is_file():
        if not place.name.endswith(".parquet"):
            raise DataError(f"{uri} is no source: give a folder of pictures, Parquet files or a Lance table (.lance)")
        return ParquetSource.open(Place.of(str(uri).rpartition("/")[0] or "."), [place.name], named)
    if not place.is_folder():
        raise DataError(f"{uri} does not exist; give a folder of pictures, Parquet files or a Lance table (.lance)")
    files = place.files(deep=True)
    tables = [name for name, _ in files if name.endswith(".parquet")]
    if tables:
        return ParquetSource.open(place, tables, named)
    if named:
        raise ConfigError(f"{uri} is a folder of pictures; --{next(iter(named))} names a column of a table")
    return PictureSource.open(place, files)


@dataclass(frozen=True)
class PictureSource:
    """Pictures by name, with texts of the same name or a data folder's table."""

    place: Place
    items: tuple[tuple[str, str | None, str | None], ...]
    """Id, picture and text file of each item."""
    known: Mapping[str, tuple[str, int | None, tuple[str, ...], str]] = field(default_factory=dict)
    """Id -> title, year, genres and text of a table."""
    digest: str = ""

    @classmethod
    def open(cls, place: Place, files: list[tuple[str, int]]) -> PictureSource:
        """List the folder. Raises DataError where it holds no picture."""
        digest = hashlib.sha256("\n".join(f"{name}\t{size}" for name, size in files).encode()).hexdigest()
        if place.is_local and any((Path(place.uri) / name).is_file() for name in TABLES):
            return cls._catalogue(place, digest)
        pictures = [name for name, _ in files if PurePosixPath(name).suffix.lower() in SUFFIXES]
        texts = {name.rpartition(".")[0]: name for name, _ in files if name.endswith(".txt")}
        if not pictures:
            raise DataError(f"{place.uri} holds no picture ({', '.join(SUFFIXES)}) and no Parquet file")
        items = tuple((_named(name), name, texts.get(name.rpartition(".")[0])) for name in pictures)
        return cls(place, items, {}, digest)

    @classmethod
    def _catalogue(cls, place: Place, digest: str) -> PictureSource:
        from cinealign.data.movie_table import read_movie_table
        from cinealign.data.posters import find_posters

        folder = Path(place.uri)
        pictures = find_posters(folder).files
        table = read_movie_table(folder)
        told = {str(row.movie_id): (row.title, row.year, tuple(row.genres), row.intro or "") for row in table.rows}
        items = tuple(
            (str(row.movie_id), str(pictures[row.movie_id]) if row.movie_id in pictures else None, None)
            for row in table.rows
        )
        return cls(place, items, told, digest)

    def parts(self) -> list[int]:
        """One part."""
        return [len(self.items)]

    def ids(self, block: Block) -> list[str]:
        """See `Source`."""
        return [item[0] for item in self._slice(block)]

    def rows(self, block: Block) -> list[Row]:
        """See `Source`."""
        return [self._row(block.first + at, *item) for at, item in enumerate(self._slice(block))]

    def _slice(self, block: Block) -> tuple[tuple[str, str | None, str | None], ...]:
        return self.items[block.start : block.start + block.count]

    def _row(self, key: int, item_id: str, picture: str | None, text: str | None) -> Row:
        title, year, genres, intro = self.known.get(item_id, ("", None, (), ""))
        if text is not None:
            intro = self.place.child(text).read().decode("utf-8", errors="replace")
        found, path, problem = _fetched(self.place, picture)
        return Row(key, item_id, title, year, genres, clean_text(intro) or None, found, path, problem)


class _Table:
    """What Parquet and Lance have in common: rows from Arrow tables whose columns have roles."""

    place: Place
    columns: Mapping[str, str]

    def _rows(self, block: Block, table: Any) -> list[Row]:
        told = {role: table.column(name).to_pylist() for role, name in self.columns.items()}
        return [
            self._row(block.first + at, {role: values[at] for role, values in told.items()}) for at in range(len(table))
        ]

    def _row(self, key: int, cells: Mapping[str, Any]) -> Row:
        image = cells.get("image")
        if isinstance(image, dict):  # as Hugging Face writes them
            image = image.get("bytes") or image.get("path")
        found: bytes | None
        if isinstance(image, bytes):
            found, path, problem = image, None, None
        else:
            found, path, problem = _fetched(self.place, None if image is None else str(image))
        genre = cells.get("genre")
        genres = genre if isinstance(genre, list) else str(genre or "").split("|")
        year = cells.get("year")
        return Row(
            key,
            "" if cells["id"] is None else str(cells["id"]),
            str(cells.get("title") or ""),
            int(year) if isinstance(year, int | float) and year == year else None,
            tuple(str(each).strip() for each in genres if str(each).strip()),
            clean_text(str(cells.get("text") or "")) or None,
            found,
            path,
            problem,
        )


@dataclass(frozen=True)
class ParquetSource(_Table):
    """Parquet files; a row group is a part."""

    place: Place
    columns: Mapping[str, str]
    groups: tuple[tuple[str, int, int], ...]
    """File, row group and its rows."""
    digest: str

    @classmethod
    def open(cls, place: Place, files: list[str], named: Mapping[str, str]) -> ParquetSource:
        """Read the footers."""
        groups, columns, told = [], dict[str, str](), []
        for name in files:
            with _parquet(place.child(name)) as file:
                found = _columns(file.schema_arrow.names, named, place.child(name).uri)
                if columns and found != columns:
                    raise DataError(
                        f"{place.child(name).uri} has other columns than {files[0]}; give tables of one kind"
                    )
                columns = found
                for group in range(file.metadata.num_row_groups):
                    groups.append((name, group, file.metadata.row_group(group).num_rows))
                told.append(f"{name}\t{file.metadata.num_rows}\t{file.metadata.serialized_size}")
        digest = hashlib.sha256("\n".join([*told, *(f"{a}={b}" for a, b in sorted(columns.items()))]).encode())
        return cls(place, columns, tuple(groups), digest.hexdigest())

    def parts(self) -> list[int]:
        """A row group each."""
        return [rows for _, _, rows in self.groups]

    def ids(self, block: Block) -> list[str]:
        """See `Source`."""
        table = self._read(block, {"id": self.columns["id"]})
        return ["" if each is None else str(each) for each in table.column(0).to_pylist()]

    def rows(self, block: Block) -> list[Row]:
        """See `Source`."""
        return self._rows(block, self._read(block, self.columns))

    def _read(self, block: Block, columns: Mapping[str, str]) -> Any:
        name, group, _ = self.groups[block.part]
        with _parquet(self.place.child(name)) as file:
            table = file.read_row_group(group, columns=list(dict.fromkeys(columns.values())))
        return table.slice(block.start, block.count)


@dataclass(frozen=True)
class LanceSource(_Table):
    """A version of a Lance table, in one part; paths in it start at the folder that holds it."""

    place: Place
    table: Place
    columns: Mapping[str, str]
    version: int
    count: int
    digest: str

    @classmethod
    def open(cls, place: Place, named: Mapping[str, str]) -> LanceSource:
        """Open the newest version. Raises DataError where there is no such table."""
        import lance

        try:
            table = lance.dataset(place.address)
        except (OSError, ValueError) as error:
            reason = " ".join(str(error).split())[:160]
            raise DataError(f"{place.uri} cannot be read as a Lance table: {reason}") from None
        columns = _columns(table.schema.names, named, place.uri)
        told = f"{place.uri}\t{table.version}\t{sorted(columns.items())}"
        home = Place(place.address.rpartition("/")[0])
        digest = hashlib.sha256(told.encode()).hexdigest()
        return cls(home, place, columns, int(table.version), int(table.count_rows()), digest)

    def parts(self) -> list[int]:
        """One part: Lance takes rows from anywhere."""
        return [self.count]

    def ids(self, block: Block) -> list[str]:
        """See `Source`."""
        table = self._read(block, [self.columns["id"]])
        return ["" if each is None else str(each) for each in table.column(0).to_pylist()]

    def rows(self, block: Block) -> list[Row]:
        """See `Source`."""
        return self._rows(block, self._read(block, list(dict.fromkeys(self.columns.values()))))

    def _read(self, block: Block, columns: list[str]) -> Any:
        import lance

        table = lance.dataset(self.table.address, version=self.version)
        return table.take(list(range(block.start, block.start + block.count)), columns=columns)


def _parquet(place: Place) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(place.opened())
    except pa.ArrowInvalid as error:
        raise DataError(f"{place.uri} cannot be read as Parquet: {' '.join(str(error).split())[:160]}") from None


def _columns(names: list[str], named: Mapping[str, str], where: str) -> dict[str, str]:
    """Role -> column."""
    for role, column in named.items():
        if column not in names:
            raise DataError(f"{where} has no column {column!r} for --{role}; its columns are: {', '.join(names)}")
    lower = {name.lower(): name for name in reversed(names)}
    found = dict(named)
    for role, usual in ROLES.items():
        match = next((lower[name] for name in usual if name in lower), None)
        if role not in found and match is not None and match not in found.values():
            found[role] = match
    for role, wanted in (("id", ["id"]), ("image or text", ["image", "text"])):
        if not any(each in found for each in wanted):
            raise DataError(
                f"{where} has no column for {role}; its columns are: {', '.join(names)}; name one: --{wanted[0]}"
            )
    return found


def _fetched(home: Place, picture: str | None) -> tuple[bytes | None, str | None, str | None]:
    """Bytes, full path and problem of a picture that lies in a file."""
    if picture is None or not picture:
        return None, None, None
    place = home.sibling(picture)
    try:
        return place.read(), place.uri, None
    except (DataError, ConfigError) as error:
        return None, place.uri, str(error)


def _named(path: str) -> str:
    """The id that a file's name gives: "a/0007.jpg" is of item 7."""
    stem = PurePosixPath(path).stem
    return str(int(stem)) if stem.isascii() and stem.isdigit() else stem
