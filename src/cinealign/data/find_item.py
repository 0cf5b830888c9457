"""Which item somebody means by an id, the id of the table that was imported, or a title."""

from __future__ import annotations

import re
from pathlib import Path

from cinealign.data.catalogue import Catalogue
from cinealign.data.movie_table import ID_COLUMNS, TABLES
from cinealign.data.tables import listed, read_table, whole_number
from cinealign.errors import DataError, meant

SOURCE_ID = "source_id"
"""Column of info.csv with the ids of the table that was imported, where these were no numbers."""
_YEAR = re.compile(r"\s*\(\d{4}\)$")


def find_item(catalogue: Catalogue, given: str) -> int:
    """The id of the item that `given` names: an id of the user's own table, an id of the catalogue, or a title.

    A title may leave out the year in parentheses and is compared without regard to case.

    Raises:
        DataError: nothing has that name, or several items have that title; then their ids are listed.
    """
    wanted = given.strip()
    kept = {movie.movie_id for movie in catalogue.movies}
    own = {name: movie_id for movie_id, name in source_ids(catalogue.folder).items() if movie_id in kept}
    if wanted in own:
        return own[wanted]
    ids = {str(movie.movie_id): movie.movie_id for movie in catalogue.movies}
    if wanted in ids:
        return ids[wanted]
    titles: dict[str, list[int]] = {}
    for movie in catalogue.movies:
        for name in {movie.title.casefold(), _YEAR.sub("", movie.title).casefold()}:
            titles.setdefault(name, []).append(movie.movie_id)
    found = titles.get(wanted.casefold(), [])
    if len(found) == 1:
        return found[0]
    if found:
        raise DataError(f"{len(found)} items are called {given!r}; name one by its id: {listed(found)}")
    near = meant(wanted.casefold(), [*titles, *own])
    raise DataError(f"no item has the id or title {given!r} in this catalogue of {len(catalogue)}{near}")


def source_ids(folder: Path) -> dict[int, str]:
    """Id of the catalogue in `folder` -> id of the imported table; empty where the two are the same."""
    path = next((folder / name for name in TABLES if (folder / name).is_file()), None)
    if path is None:
        return {}
    table = read_table(path)
    at, own = table.column(*ID_COLUMNS), table.column(SOURCE_ID)
    if at is None or own is None:
        return {}
    told = ((whole_number(row.cells[at]), row.cells[own].strip()) for row in table.rows)
    return {movie_id: name for movie_id, name in told if movie_id is not None and name}
