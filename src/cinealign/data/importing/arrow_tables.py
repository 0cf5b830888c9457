"""Tables in Arrow's formats: Parquet files, and data sets that Hugging Face's `datasets` saved to disk."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cinealign.data.importing.joined import SPLIT
from cinealign.data.importing.source import Record, Source, checked_columns, needed_package
from cinealign.data.tables import listed
from cinealign.errors import DataError

BATCH_ROWS = 64
"""Rows that are in memory at a time; each may hold a picture."""
_SHARD = re.compile(r"(?P<part>.+?)-\d+-of-\d+")


class ArrowTable(Source):
    """Files of one table, read batch by batch; class labels are given by name.

    Args:
        path: what was named.
        parts: name of a part ("" where there is one only) -> its files.
        opened: opens a file; the result has `schema`, `rows` and `batches(columns)`.
        described: the format.
        labels: names of the classes by column; the files' own metadata may say more.
    """

    def __init__(
        self,
        path: Path,
        parts: Mapping[str, Sequence[Path]],
        opened: Callable[[Path], ArrowFile],
        described: str,
        labels: Mapping[str, Sequence[str]],
    ) -> None:
        self.path = path
        self.folder = path if path.is_dir() else path.parent
        self._parts, self._open = parts, opened
        files = [(file, self._open(file)) for each in parts.values() for file in each]
        titles = checked_columns(files[0][0].name, files[0][1].schema.names)
        for file, other in files:
            if sorted(other.schema.names) != sorted(files[0][1].schema.names):
                differing = set(other.schema.names) ^ set(files[0][1].schema.names)
                raise DataError(
                    f"{file.name} has other columns than {files[0][0].name} ({listed(sorted(differing), 3)}); "
                    "import them one by one"
                )
        self._labels = {**_label_names(files[0][1].schema.metadata), **labels}
        self._tells_part = len(parts) > 1 and SPLIT not in titles
        self.columns = (*titles, SPLIT) if self._tells_part else titles
        self.count = sum(other.rows for _, other in files)
        self.described = f"{described}, {len(files)} file{'s' if len(files) > 1 else ''}"

    def rows(self, columns: Sequence[str] | None = None) -> Iterator[Record]:
        """The rows, part by part; `split` names the part where there are several."""
        wanted = list(self.columns if columns is None else columns)
        read = [title for title in wanted if not (self._tells_part and title == SPLIT)]
        number = 0
        for part, files in self._parts.items():
            for file in files:
                for batch in self._open(file).batches(read):
                    for values in self._named(batch, read, number):
                        number += 1
                        if self._tells_part and SPLIT in wanted:
                            values[SPLIT] = part
                        yield Record(number, values)

    def _named(self, batch: Any, columns: Sequence[str], before: int) -> Iterator[dict[str, Any]]:
        lists = [self._values(batch.column(title), title, before) for title in columns]
        for row in range(batch.num_rows):
            yield {title: values[row] for title, values in zip(columns, lists, strict=True)}

    def _values(self, cells: Any, column: str, before: int) -> list[Any]:
        """The column's cells as Python values, classes by name."""
        try:
            values = cells.to_pylist()
        except Exception:  # look for the cell
            values = [self._value(cell, column, before + place) for place, cell in enumerate(cells, start=1)]
        names = self._labels.get(column)
        return values if names is None else [_class_name(value, names) for value in values]

    def _value(self, cell: Any, column: str, number: int) -> Any:
        try:
            return cell.as_py()
        except Exception as error:  # Arrow's kinds of value raise errors of many kinds
            said = " ".join(str(error).split())[:80]
            raise DataError(
                f"{self.place(number)}, column {column!r}: a value that is no {cell.type} ({said}); mend or remove it"
            ) from None


def _class_name(value: Any, names: Sequence[str]) -> Any:
    if isinstance(value, list):
        return [_class_name(each, names) for each in value]
    return names[value] if isinstance(value, int) and 0 <= value < len(names) else None


class ArrowFile:
    """One file of Arrow data: its schema, how many rows it has, and its batches."""

    schema: Any
    rows: int

    def batches(self, columns: Sequence[str]) -> Iterable[Any]:
        """Record batches of at most `BATCH_ROWS` rows."""
        raise NotImplementedError


class _Parquet(ArrowFile):
    def __init__(self, path: Path) -> None:
        parquet = needed_package("pyarrow.parquet", "reading Parquet")
        self._file = _tried(path, lambda: parquet.ParquetFile(path))
        self._path, self.schema, self.rows = path, self._file.schema_arrow, self._file.metadata.num_rows

    def batches(self, columns: Sequence[str]) -> Iterable[Any]:
        batches = self._file.iter_batches(batch_size=BATCH_ROWS, columns=list(columns))
        while (batch := _tried(self._path, lambda: next(batches, None))) is not None:
            yield batch


class _Stream(ArrowFile):
    """An Arrow stream, as `datasets` writes it; the file is mapped, not read into memory."""

    def __init__(self, path: Path) -> None:
        self._arrow = needed_package("pyarrow", "reading a Hugging Face data set")
        self._ipc = needed_package("pyarrow.ipc", "reading a Hugging Face data set")
        self._path = path
        self.schema = self._opened().schema
        self.rows = sum(batch.num_rows for batch in self._each())

    def batches(self, columns: Sequence[str]) -> Iterable[Any]:
        for batch in self._each():
            for start in range(0, batch.num_rows, BATCH_ROWS):
                yield batch.slice(start, BATCH_ROWS)

    def _opened(self) -> Any:
        return _tried(self._path, lambda: self._ipc.open_stream(self._arrow.memory_map(str(self._path), "r")))

    def _each(self) -> Iterator[Any]:
        reader = self._opened()
        batches = iter(reader)
        while (batch := _tried(self._path, lambda: next(batches, None))) is not None:
            yield batch


def parquet_table(path: Path) -> ArrowTable:
    """A Parquet file, or a folder of them; shards named as in train-00000-of-00002.parquet tell their part.

    Raises:
        DataError: a file is damaged, or they are not of one table.
    """
    if path.is_file():
        return ArrowTable(path, {"": [path]}, _Parquet, "Parquet", {})
    parts: dict[str, list[Path]] = {}
    for file in sorted(path.glob("*.parquet")):
        shard = _SHARD.fullmatch(file.stem)
        parts.setdefault(shard["part"] if shard else file.stem, []).append(file)
    return ArrowTable(path, parts, _Parquet, "Parquet", {})


def saved_dataset(path: Path) -> ArrowTable:
    """A data set, or a dictionary of them by split, that `datasets` wrote with `save_to_disk`.

    Raises:
        DataError: a file that the data set names is missing, damaged, or outside its folder.
    """
    described = "Hugging Face data set"
    if not (path / "dataset_dict.json").is_file():
        return ArrowTable(path, {"": _data_files(path)}, _Stream, described, _info_labels(path))
    splits = _json(path / "dataset_dict.json").get("splits")
    if not isinstance(splits, list) or not splits or not all(_plain_name(name) for name in splits):
        raise DataError(f"{path.name}/dataset_dict.json names no splits; was it saved by save_to_disk?")
    parts = {name: _data_files(path / name) for name in splits}
    return ArrowTable(path, parts, _Stream, f"{described} with {len(parts)} splits", _info_labels(path / splits[0]))


def _data_files(folder: Path) -> list[Path]:
    state = _json(folder / "state.json")
    named = [entry.get("filename") for entry in state.get("_data_files") or [] if isinstance(entry, dict)]
    if not named or not all(_plain_name(name) for name in named):
        raise DataError(f"{folder.name}/state.json names no data files of its folder; was it saved by save_to_disk?")
    if state.get("_indices_files") or state.get("_indices_data_files"):
        raise DataError(f"{folder.name} keeps its rows by an index file; save it again after flatten_indices()")
    if missing := [name for name in named if not (folder / str(name)).is_file()]:
        raise DataError(f"{folder.name} lacks {missing[0]}, which its state.json names; copy the whole folder")
    return [folder / str(name) for name in named]


def _plain_name(name: Any) -> bool:
    return isinstance(name, str) and bool(name) and Path(name).name == name and name not in (".", "..")


def _info_labels(folder: Path) -> dict[str, list[str]]:
    return _class_labels(_json(folder / "dataset_info.json").get("features"))


def _label_names(metadata: Mapping[bytes, bytes] | None) -> dict[str, list[str]]:
    """Class names that `datasets` writes into the schema of its files."""
    try:
        about = json.loads((metadata or {}).get(b"huggingface", b"{}"))
        return _class_labels(about.get("info", {}).get("features"))
    except (ValueError, AttributeError):
        return {}


def _class_labels(features: Any) -> dict[str, list[str]]:
    found = {}
    for column, feature in features.items() if isinstance(features, dict) else ():
        while isinstance(feature, dict) and feature.get("_type") in ("Sequence", "List", "LargeList"):
            feature = feature.get("feature")
        names = feature.get("names") if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" else None
        if isinstance(names, list):
            found[str(column)] = [str(name) for name in names]
    return found


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path.parent.name}/{path.name} cannot be read ({error}); copy the whole folder") from None
    if not isinstance(content, dict):
        raise DataError(f"{path.parent.name}/{path.name} is not what save_to_disk writes; copy the whole folder")
    return content


def _tried(path: Path, action: Callable[[], Any]) -> Any:
    arrow = needed_package("pyarrow", "reading Arrow data")
    try:
        return action()
    except (arrow.ArrowException, OSError, ValueError) as error:
        said = " ".join(str(error).split())[:120]
        raise DataError(f"{path.name} is damaged or no such file of Arrow data ({said}); save it again") from None
