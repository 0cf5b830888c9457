"""What an import was asked for, and what was understood of its source before anything is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.cells import cell_len

from cinealign.data.cells import is_nothing, joined_parts, parts_of
from cinealign.data.importing.columns import ROLES, SEVERAL, Columns, find_columns
from cinealign.data.importing.names import PictureNames
from cinealign.data.importing.open_source import open_source
from cinealign.data.importing.pictures import PictureFinder
from cinealign.data.importing.source import Record, Source, cell_text, kept_text
from cinealign.data.intros import clean_text
from cinealign.data.split.new_split import SHARE, check_chance
from cinealign.errors import ConfigError, DataError
from cinealign.wide_letters import filled

LONGEST_SIDE = 1024
_TRIED = 50


@dataclass(frozen=True)
class ImportOptions:
    """What the user asks of an import.

    Attributes:
        columns: role -> column, for roles that are named.
        images: folder of the pictures; None: paths start at the source's folder.
        train_value: what the split column says of a train item.
        share, seed: of the random split that is drawn where the source has none.
        noun: what one thing is called, on the screen.
        longest_side: pixels; larger pictures are shrunk.
        encoding, sheet, quoting, header: of the source, as in `open_source`.
        one_side: whether pictures alone or texts alone will do, as they do for an index.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    images: Path | None = None
    train_value: str | None = None
    share: float = SHARE
    seed: int = 0
    noun: str = "item"
    longest_side: int = LONGEST_SIDE
    encoding: str | None = None
    sheet: str | None = None
    quoting: str | None = None
    header: bool | None = None
    one_side: bool = False


@dataclass(frozen=True)
class Row:
    """One row as understood: texts cleaned, its picture still where it is."""

    number: int
    source_id: str
    texts: dict[str, str]
    """Role -> text, for all roles but id and image."""
    kept: dict[str, str]
    image: Any


@dataclass(frozen=True)
class ImportPlan:
    """A source with its columns understood."""

    source: Source
    options: ImportOptions
    columns: Columns
    pictures: PictureFinder
    pictures_by_id: bool

    def rows(self) -> Iterator[Row]:
        """Every row of the source, in order."""
        needed = [*self.columns.names.values(), *self.columns.kept]
        if self.pictures_by_id and "image" in self.columns.names:
            needed.remove(self.columns.names["image"])
        return (self._row(record) for record in self.source.rows(needed))

    def lines(self) -> list[str]:
        """What was understood, for the user."""
        said = [f"source: {self.source.path} ({self.source.described}), {self.source.count:,} rows"]
        width = max(cell_len(name) for name in self.columns.names.values())
        for role in ROLES:
            if role == "image" and self.pictures_by_id:
                said.append(f"  {role:9}  {'-':{width}}  files of {self.pictures.folder} named by id")
            elif (column := self.columns.names.get(role)) is not None:
                mark = self.columns.separators.get(role, "|")
                more = f"; parts stand between {mark!r}" if role == "genre" or mark != "|" else ""
                if role == "image":
                    more = (
                        "; pictures in the rows"
                        if self.columns.embedded
                        else f"; paths start at {self.pictures.folder}"
                    )
                said.append(f"  {role:9}  {filled(column, width)}  {self.columns.why[role]}{more}")
            elif role == "id":
                said.append(f"  {role:9}  {'-':{width}}  no column; items are numbered by their rows")
        for what, columns in (("kept as they are", self.columns.kept), ("not kept", self.columns.passed_over)):
            if columns:
                said.append(f"  {what}: {', '.join(columns)}")
        return [*said, *(f"  note: {note}" for note in (*self.source.notes, *self.columns.notes))]

    def _row(self, record: Record) -> Row:
        names = self.columns.names
        texts = {role: self._text(role, record.values[names[role]]) for role in names if role not in ("id", "image")}
        source_id = cell_text(record.values[names["id"]]).strip() if "id" in names else str(record.number)
        kept = {column: kept_text(record.values[column]) for column in self.columns.kept}
        image = None if self.pictures_by_id or "image" not in names else record.values[names["image"]]
        return Row(record.number, "" if is_nothing(source_id) else source_id, texts, kept, image)

    def _text(self, role: str, value: Any) -> str:
        if role in SEVERAL:
            pieces = (
                [each.get("name", "") if isinstance(each, dict) else each for each in value]
                if isinstance(value, (list, tuple))
                else parts_of(cell_text(value), self.columns.separators[role])
            )
            return joined_parts([part for piece in pieces if (part := clean_text(cell_text(piece)))])
        text = clean_text(cell_text(value))
        return "" if is_nothing(text, title=role == "title") else text


def plan_import(path: Path, options: ImportOptions) -> ImportPlan:
    """Look at a source: its format, its columns, where its pictures are.

    Raises:
        ConfigError: an option out of range.
        DataError: the source cannot be read, or a needed column or folder is missing.
    """
    if not 16 <= options.longest_side <= 8192:
        raise ConfigError(f"the longest side must be between 16 and 8192 pixels, got {options.longest_side}")
    if not (options.noun.isprintable() and 0 < len(options.noun.strip()) <= 40):
        raise ConfigError(f"the noun must be a word such as book, got {options.noun!r}")
    check_chance(options.share, options.seed)
    source = open_source(
        path, encoding=options.encoding, sheet=options.sheet, quoting=options.quoting, header=options.header
    )
    if options.images is not None and not options.images.is_dir():
        raise DataError(f"{options.images}: no such folder of pictures; give the folder that holds them with --images")
    names = PictureNames(options.images or source.folder)
    columns = find_columns(
        source,
        options.columns,
        train_value=options.train_value,
        picture_folder=options.images is not None,
        names_file=lambda text: _names_file(names, text),
        one_side=options.one_side,
    )
    by_id = options.images is not None and "image" not in options.columns and _named_by_id(source, columns, options)
    if by_id and "id" not in options.columns:
        _find_ids_by_files(source, columns, options)
    return ImportPlan(source, options, columns, PictureFinder(options.images or source.folder, by_id=by_id), by_id)


def _named_by_id(source: Source, columns: Columns, options: ImportOptions) -> bool:
    """Whether the files of the picture folder are named by a column, rather than by paths in the one for pictures."""
    assert options.images is not None
    if (image := columns.names.get("image")) is None:
        return True
    by_path, hits = PictureFinder(options.images, by_id=False), 0
    for _, record in zip(range(_TRIED), source.rows([image]), strict=False):
        try:
            hits += by_path.find(record.values[image], "", "") is not None
        except DataError:  # an address or a path elsewhere
            continue
    return hits == 0


def _names_file(names: PictureNames, text: str) -> bool:
    try:
        return names.by_path(text) is not None
    except DataError:  # an address, a path elsewhere, or a name that two files fit
        return False


def _find_ids_by_files(source: Source, columns: Columns, options: ImportOptions) -> None:
    """Take the column whose values name most files of the picture folder for the ids.

    Raises:
        DataError: no column names any file.
    """
    assert options.images is not None
    files = PictureNames(options.images)
    hits = dict.fromkeys([*([columns.names["id"]] if "id" in columns.names else []), *source.columns], 0)
    unclear: dict[str, DataError] = {}
    for _, record in zip(range(_TRIED), source.rows(list(hits)), strict=False):
        for column in hits:
            text = cell_text(record.values[column]).strip()
            try:
                hits[column] += bool(text) and files.by_id(text) is not None
            except DataError as error:
                hits[column] += 1
                unclear.setdefault(column, error)
    best = max(hits, key=lambda column: hits[column])
    if not hits[best]:
        raise DataError(
            f"no column of {source.path.name} names the files of {options.images}, such as "
            f"{files.first()}; name it with --id"
        )
    if best in unclear:
        raise unclear[best]
    if columns.names.get("id") != best:
        for role in [role for role, column in columns.names.items() if column == best]:
            del columns.names[role]
        columns.names["id"], columns.why["id"] = best, "its values name the pictures"
