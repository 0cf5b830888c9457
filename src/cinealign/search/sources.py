"""What can be added to an index: a folder or a table, whose items may have both sides or one."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cinealign.data.find_item import source_ids
from cinealign.data.importing.open_source import TABLES as TABLE_SUFFIXES
from cinealign.data.importing.pictures import fit_picture, read_picture
from cinealign.data.importing.plan import LONGEST_SIDE, ImportOptions, ImportPlan, plan_import
from cinealign.data.importing.plan import Row as PlannedRow
from cinealign.data.intros import clean_text
from cinealign.data.movie_table import TABLES, read_movie_table
from cinealign.data.one_side import files_by_name
from cinealign.data.posters import SUFFIXES, find_posters
from cinealign.data.tables import read_text
from cinealign.errors import DataError
from cinealign.search.growth import NewItem
from cinealign.search.items import GENRE

_TABLES = frozenset(TABLE_SUFFIXES) - {".txt"}
"""In a folder a .txt is the text of the item that it is named after."""
_PEOPLE = ("directors", "writers", "cast")


def new_items(path: Path, options: ImportOptions) -> Iterator[NewItem]:
    """The items of a folder or table, one after another; pictures are read when an item is reached.

    Args:
        path: a catalogue folder (info.csv or movies.csv), a folder that holds a table, a folder of pictures and texts named
            by id (7.jpg, 7.txt), or of one of the two, or a table as `cinealign data import` reads it.
        options: of a table, as for an import.
    Raises:
        DataError: nothing there can be read.
    """
    if path.is_dir():
        if any((path / name).is_file() for name in TABLES) and not options.columns and options.images is None:
            return _catalogue(path)
        if not _holds_table(path):
            return _files(path)
    return _table(plan_import(path, options))


def _holds_table(folder: Path) -> bool:
    marks = ("dataset_dict.json", "state.json")
    homes = [folder, folder / "data"]
    return any((folder / mark).is_file() for mark in marks) or any(
        entry.suffix.lower() in _TABLES for home in homes if home.is_dir() for entry in home.iterdir()
    )


def _catalogue(folder: Path) -> Iterator[NewItem]:
    """Every row of the table, whichever of its sides are there; no split is needed."""
    table = read_movie_table(folder, needs_intros=False)
    homes = [entry for entry in folder.iterdir() if entry.is_dir() and entry.name.lower() in ("poster", "posters")]
    files = find_posters(folder).files if homes else {}
    own = source_ids(folder)
    for row in table.rows:
        people = {name: getattr(row, name) for name in _PEOPLE if getattr(row, name)}
        picture = files.get(row.movie_id)
        yield NewItem(
            item_id=own.get(row.movie_id, str(row.movie_id)),
            title=row.title,
            year=row.year,
            intro=row.intro or None,
            **_picture(picture),
            facets={**people, **({GENRE: row.genres} if row.genres else {})},
        )


def _files(folder: Path) -> Iterator[NewItem]:
    """Pictures and texts by their names without suffix."""
    files = files_by_name(folder)
    if not files.pictures and not files.texts:
        raise DataError(f"{folder} holds no table, no pictures and no .txt files; nothing there can be added")
    for name in sorted({*files.pictures, *files.texts}):
        text = clean_text(read_text(files.texts[name]).text) if name in files.texts else ""
        yield NewItem(item_id=name, title=name, intro=text or None, **_picture(files.pictures.get(name)))


def _table(plan: ImportPlan) -> Iterator[NewItem]:
    for row in plan.rows():
        if not row.source_id:
            continue
        found = plan.pictures.find(row.image, row.source_id, plan.source.place(row.number))
        facets = {role: tuple(filter(None, row.texts.get(role, "").split("|"))) for role in (GENRE, *_PEOPLE)}
        kept = {name: tuple(filter(None, value.split("|"))) for name, value in row.kept.items() if len(value) <= 300}
        text = row.texts.get("text", "")
        yield NewItem(
            item_id=row.source_id,
            title=row.texts.get("title", ""),
            year=_year(row),
            intro=text or None,
            **(_fitted(row.source_id, found) if isinstance(found, bytes) else _picture(found)),
            facets={name: values for name, values in {**kept, **facets}.items() if values},
        )


def _picture(path: Path | None) -> dict[str, Any]:
    """Fields of a `NewItem`; a file that cannot be read is found out when it is encoded."""
    if path is None:
        return {}
    content = read_picture(path, path.name)
    digest = hashlib.sha256(content).hexdigest()
    if path.suffix.lower() not in SUFFIXES:
        return {**_fitted(path.name, content), "path": str(path.resolve())}
    return {"picture": path, "picture_digest": digest, "path": str(path.resolve())}


def _fitted(name: str, content: bytes) -> dict[str, Any]:
    """Of a picture in a format that views do not open, or one that lies in a table."""
    try:
        fitted = fit_picture(name, content, LONGEST_SIDE).content
    except DataError:
        fitted = content  # said when it is encoded
    return {"picture": fitted, "picture_digest": hashlib.sha256(content).hexdigest()}


def _year(row: PlannedRow) -> int | None:
    found = re.search(r"(?<!\d)(?:18|19|20)\d\d(?!\d)", row.texts.get("release", "") or row.texts.get("title", ""))
    return int(found.group()) if found else None
