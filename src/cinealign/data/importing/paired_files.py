"""A folder of pictures and texts that belong together by name, such as 7.jpg and 7.txt, read as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from cinealign.data.importing.source import Record, Source
from cinealign.data.one_side import files_by_name
from cinealign.data.tables import read_text


def named_alike(folder: Path) -> bool:
    """Whether `folder` holds a picture and a .txt file of one name, so that its texts are those of its pictures."""
    if not any(folder.rglob("*.txt")):
        return False
    found = files_by_name(folder)
    return bool(found.pictures.keys() & found.texts.keys())


class PairedFiles(Source):
    """A row for every name that a picture or a text has.

    Args:
        path: the folder; folders inside it are looked through.
    Raises:
        DataError: two pictures or two texts of one folder have one name.
    """

    columns = ("id", "image", "text")

    def __init__(self, path: Path) -> None:
        self.path = self.folder = path
        self._files = files_by_name(path)
        self._names = sorted({*self._files.pictures, *self._files.texts})
        self.count = len(self._names)
        self.described = "pictures and texts named alike"

    def rows(self, columns: Sequence[str] | None = None) -> Iterator[Record]:
        """The rows by name; the picture is a path that starts at the folder."""
        wanted = self.columns if columns is None else columns
        for number, name in enumerate(self._names, 1):
            picture, text = self._files.pictures.get(name), self._files.texts.get(name)
            values = {"id": name}
            if "image" in wanted:
                values["image"] = "" if picture is None else picture.relative_to(self.folder).as_posix()
            if "text" in wanted:
                values["text"] = "" if text is None else read_text(text).text
            yield Record(number, {column: values[column] for column in wanted})

    def place(self, number: int) -> str:
        """The item's name."""
        return f"{self.path.name} item {self._names[number - 1]}"
