"""Tables in JSON: one object a line, an array of objects, COCO's captions, and what pandas writes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cinealign.data.encodings import check_encoding, find_encoding
from cinealign.data.importing.source import Record, Source
from cinealign.data.importing.text_tables import decoded_lines
from cinealign.data.tables import listed, whole_number
from cinealign.errors import DataError

MAX_BYTES = 2_000_000_000
"""A file that is one JSON value must fit in memory; a larger one is refused. One object a line has no limit."""
_HALF = re.compile("[\ud800-\udfff]")


class JsonTable(Source):
    """Objects whose keys are the columns: one a line, or in one array.

    Halves of characters (lone surrogates), which no text can hold, become U+FFFD; `notes` says where.
    """

    def __init__(self, path: Path, encoding: str | None) -> None:
        self.path, self.folder = path, path.parent
        self._encoding = check_encoding(encoding) if encoding else find_encoding(path)
        self._by_line = path.suffix.lower() in (".jsonl", ".ndjson") or _has_one_a_line(self._lines())
        self._halves: dict[int, None] = {}
        self._shape = "one object a line"
        columns: dict[str, None] = {}
        self.count = 0
        for _, entry in self._entries():
            self.count += 1
            columns.update(dict.fromkeys(entry))
        self.columns = tuple(columns)
        if not self.columns:
            raise DataError(f"{path.name} is empty; expected one JSON object an item")
        self.described = f"{self._shape}, {self._encoding}"
        if self._halves:
            where = listed(map(self.place, self._halves), 3)
            self.notes = (f"halves of characters (lone surrogates) became U+FFFD: {len(self._halves):,} ({where})",)

    def rows(self, columns: Sequence[str] | None = None) -> Iterator[Record]:
        """The rows; a key that an object lacks is None."""
        wanted = self.columns if columns is None else columns
        for number, entry in self._entries():
            yield Record(number, {title: entry.get(title) for title in wanted})

    def place(self, number: int) -> str:
        """The line, or the place in the array."""
        return f"{self.path.name} {'line' if self._by_line else 'object'} {number}"

    def _lines(self) -> Iterator[str]:
        return decoded_lines(self.path, self._encoding)

    def _entries(self) -> Iterator[tuple[int, dict[str, Any]]]:
        for number, entry in self._objects():
            if not isinstance(entry, dict):
                raise DataError(f'{self.place(number)} is no object; expected {{"column": value, ...}}')
            if _has_half(entry):
                self._halves[number] = None
                entry = _whole(entry)
            yield number, entry

    def _objects(self) -> Iterator[tuple[int, Any]]:
        if not self._by_line:
            yield from enumerate(self._array(), start=1)
            return
        for number, line in enumerate(self._lines(), start=1):
            if line.strip():
                try:
                    yield number, json.loads(line, object_pairs_hook=_once)
                except (ValueError, RecursionError) as error:
                    said = f" ({error})" if isinstance(error, _TwiceError) else ""
                    raise DataError(
                        f"{self.place(number)} is not valid JSON{said}; expected an object a line"
                    ) from None

    def _array(self) -> list[Any]:
        if self.path.stat().st_size > MAX_BYTES:
            raise DataError(f"{self.path.name} has more than {MAX_BYTES:,} bytes; write it with one object a line")
        try:
            content = json.loads("".join(self._lines()), object_pairs_hook=_once)
        except (ValueError, RecursionError) as error:
            said = f" ({error})" if isinstance(error, (_TwiceError, json.JSONDecodeError)) else ""
            raise DataError(f"{self.path.name} is not valid JSON{said}; expected an array of objects") from None
        found, self._shape = objects_of(content)
        if found is None:
            raise DataError(f"{self.path.name} is {self._shape}; expected [{{...}}, ...], or one object a line")
        return found


class _TwiceError(ValueError):
    """A key that an object has twice."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entry = dict(pairs)
    if len(entry) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _TwiceError(f"an object has the key {next(k for k in keys if keys.count(k) > 1)!r} twice")
    return entry


def _has_one_a_line(lines: Iterator[str]) -> bool:
    """Whether the first line that holds anything is an object by itself and another line comes, or it is the only one."""
    first = ""
    for line in lines:
        if line.strip() and first:
            return line.lstrip().startswith("{")
        if line.strip():
            first = line
            try:
                if not isinstance(json.loads(first), dict):
                    return False
            except RecursionError:
                return False
            except ValueError:
                return first.lstrip().startswith("{") and first.rstrip().endswith("}")
    try:
        return bool(first) and not any(isinstance(v, (list, dict)) for v in json.loads(first).values())
    except (ValueError, RecursionError):
        return False


def objects_of(content: Any) -> tuple[list[Any] | None, str]:
    """The rows in one JSON value and what shape that is; None and what it is where it holds no rows.

    Known are an array of objects, COCO (annotations joined to their images), one list of objects under a key ("data"), and
    the forms of pandas: columns of cells, rows by index, and "split".
    """
    if isinstance(content, list):
        return content, "one array"
    if not isinstance(content, dict):
        return None, "no array"
    if _are_objects(content.get("images")) and _are_objects(content.get("annotations")):
        return _coco(content), "COCO: annotations with the file names of their images"
    if isinstance(content.get("columns"), list) and isinstance(content.get("data"), list):
        titles = [str(title) for title in content["columns"]]
        if len(set(titles)) == len(titles) and all(
            isinstance(r, list) and len(r) == len(titles) for r in content["data"]
        ):
            return [
                dict(zip(titles, row, strict=True)) for row in content["data"]
            ], "columns and data, as pandas writes"
    lists = [key for key, value in content.items() if _are_objects(value)]
    if len(lists) == 1:
        return content[lists[0]], f"the array {lists[0]!r}"
    if content and all(isinstance(value, dict) and value for value in content.values()):
        return _of_pandas(content)
    if content and all(isinstance(value, list) for value in content.values()):
        columns = list(content.values())
        if len({len(column) for column in columns}) == 1:
            rows = [dict(zip(content, cells, strict=True)) for cells in zip(*columns, strict=True)]
            return rows, "one array a column"
    if not any(isinstance(value, (list, dict)) for value in content.values()):
        return [content], "one object"
    return None, "no array"


def _of_pandas(content: dict[str, dict[str, Any]]) -> tuple[list[Any] | None, str]:
    """Rows by index ({"0": {"image": ...}}) or columns by index ({"image": {"0": ...}}), told by the whole numbers."""
    inner = list(content.values())
    if all(whole_number(key) is not None for key in content):
        return list(inner), "rows by index, as pandas writes"
    keys = list(inner[0])
    if all(list(each) == keys for each in inner) and all(whole_number(key) is not None for key in keys):
        return [{title: column[key] for title, column in content.items()} for key in keys], "columns, as pandas writes"
    return None, "an object of objects"


def _coco(content: dict[str, Any]) -> list[Any]:
    """One row an annotation, its image's values beside; an annotation of no image has none."""
    images = {image.get("id"): image for image in content["images"]}
    rows = []
    for annotation in content["annotations"]:
        image = {k: v for k, v in images.get(annotation.get("image_id"), {}).items() if k not in ("id", "image_id")}
        rows.append({**{f"image_{k}" if k in annotation else k: v for k, v in image.items()}, **annotation})
    return rows


def _are_objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) for each in value)


def _has_half(value: Any) -> bool:
    if isinstance(value, str):
        return not value.isascii() and _HALF.search(value) is not None
    if isinstance(value, dict):
        return any(_has_half(key) or _has_half(each) for key, each in value.items())
    return isinstance(value, list) and any(map(_has_half, value))


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return _HALF.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_whole(key): _whole(each) for key, each in value.items()}
    return [_whole(each) for each in value] if isinstance(value, list) else value
