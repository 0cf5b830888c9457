"""Several tables that are parts of one data set, such as train and test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from cinealign.data.importing.source import Record, Source, cell_text

SPLIT = "split"
"""Column that says which part a row is from."""
PARTS = ("train", "training", "test", "testing", "val", "valid", "validation", "dev", "eval")
"""Names of parts, in lower case."""
_FILE_NAME = "file_name"  # what Hugging Face's imagefolder calls the column of paths, which start at the part's folder


class JoinedTable(Source):
    """The rows of every part, one part after the other; `split` names the part.

    Args:
        path: the folder that was named.
        parts: name of a part -> its table.
    """

    def __init__(self, path: Path, parts: Mapping[str, Source]) -> None:
        self.path = self.folder = path
        self._parts = dict(parts)
        titles = dict.fromkeys(title for part in parts.values() for title in part.columns)
        self._tells_part = SPLIT not in titles
        self.columns = (*titles, SPLIT) if self._tells_part else tuple(titles)
        self.count = sum(part.count for part in parts.values())
        one = next(iter(parts.values()))
        self.described = f"{len(parts)} parts ({', '.join(parts)}), {one.described}"
        self.notes = tuple(note for part in parts.values() for note in part.notes)
        self._places: dict[int, str] = {}

    def rows(self, columns: Sequence[str] | None = None) -> Iterator[Record]:
        """The rows; a column that a part lacks is None, and paths start at `folder`."""
        wanted = self.columns if columns is None else columns
        number = 0
        for name, part in self._parts.items():
            inside = part.folder.relative_to(self.folder)
            for record in part.rows([title for title in wanted if title in part.columns]):
                number += 1
                values = {title: record.values.get(title) for title in wanted}
                if self._tells_part and SPLIT in wanted:
                    values[SPLIT] = name
                if (path := cell_text(values.get(_FILE_NAME)).strip()) and inside.parts:
                    values[_FILE_NAME] = str(PurePosixPath(inside.as_posix()) / path)
                self._places[number] = f"{inside.as_posix()}/{part.place(record.number)}".removeprefix("./")
                yield Record(number, values)

    def place(self, number: int) -> str:
        """The row in the part's own table."""
        return self._places.get(number, f"{self.path.name} row {number}")
