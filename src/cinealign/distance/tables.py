"""D and its labels out of tables: .csv, .tsv and .txt in the dialects that people write, .parquet and .feather."""

from __future__ import annotations

import csv
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cinealign.data.tables import whole_number
from cinealign.distance.arrays import read
from cinealign.distance.labels import Label, LabelledMatrix, as_labels
from cinealign.errors import DataError

_DECIMAL_COMMA = re.compile(r"\s*[+-]?[0-9]*,[0-9]+([eE][+-]?[0-9]+)?\s*", re.ASCII)


@dataclass(frozen=True)
class _Dialect:
    """How a text file writes its table: lines to leave out before it, what parts cells, the decimal sign, the encoding."""

    skipped: int
    separator: str
    decimal: str
    encoding: str = "utf-8-sig"

    def options(self) -> dict[str, Any]:
        """For `pandas.read_csv`."""
        separator = {"sep": r"\s+"} if self.separator == " " else {"sep": self.separator}
        return {**separator, "decimal": self.decimal, "header": None, "encoding": self.encoding}


def read_text_table(path: Path) -> LabelledMatrix:
    """D out of text: plain numbers, or with a header line, an index column, or both; the corner may hold anything.

    Cells are parted by commas, semicolons, tabs or (.txt) blanks; with semicolons or tabs the decimal sign may be a comma.
    """
    found: LabelledMatrix = read(path, _read_text)
    return found


def _read_text(path: Path) -> LabelledMatrix:
    import pandas as pd

    try:
        dialect, first, second = _look(path)
        first_column = {"skiprows": dialect.skipped, "usecols": [0], "dtype": str, "keep_default_na": False}
        options = dialect.options()
        if len(second) == len(first) + 1:  # R writes a header without a corner
            first_column["skiprows"] = options["skiprows"] = dialect.skipped + 1
            down = pd.read_csv(path, **options | first_column).iloc[:, 0].tolist()
            if len(down) == len(first):
                body = pd.read_csv(path, usecols=range(1, len(second)), **options)
                return LabelledMatrix(_numbers(path, body), as_labels(down), as_labels(first))
        down = pd.read_csv(path, **dialect.options() | first_column).iloc[:, 0].tolist()
        head, index = _frame(path, dialect, first, down)
        options = {**dialect.options(), "skiprows": dialect.skipped + head}
        body = pd.read_csv(path, **options)
    except UnicodeError:
        raise DataError(f"{path.name} is not text in UTF-8; save D as comma-separated numbers") from None
    rows = as_labels(down[head:]) if index else None
    columns = as_labels(first[index:]) if head else None
    return LabelledMatrix(_numbers(path, body.iloc[:, int(index) :]), rows, columns)


def read_lines(path: Path) -> LabelledMatrix:
    """(N, D) numbers, one item a line: plain, or with a header line, an index column, or both.

    The first line is a header where a cell of it is no number, or where it counts its columns; the first column is an index
    where the header leaves it without a title or calls it an id.
    """
    found: LabelledMatrix = read(path, _read_lines)
    return found


def _read_lines(path: Path) -> LabelledMatrix:
    import pandas as pd

    try:
        dialect, first, _ = _look(path)
        cells = [cell.strip() for cell in first]
        counted = cells in ([str(at) for at in range(len(cells))], ["", *(str(at) for at in range(len(cells) - 1))])
        head = counted or not all(_number(cell, dialect) for cell in cells)
        index = head and not counted and bool(re.fullmatch(r"(.*\W|.*_)?(movie_?|_)?ids?|", cells[0], re.IGNORECASE))
        index = index or (head and cells[0] == "")
        table = pd.read_csv(path, **{**dialect.options(), "skiprows": dialect.skipped + head})
    except UnicodeError:
        raise DataError(f"{path.name} is not text in UTF-8; save comma-separated numbers") from None
    labels = as_labels(table.iloc[:, 0].tolist()) if index else None
    return LabelledMatrix(_numbers(path, table.iloc[:, int(index) :]), labels)


def read_parquet(path: Path) -> LabelledMatrix:
    """D out of what pandas wrote with `to_parquet`: its columns' names and its index are labels."""
    return _framed(path, "read_parquet")


def read_feather(path: Path) -> LabelledMatrix:
    """The same with `to_feather`, where the index is a column."""
    return _framed(path, "read_feather")


def _framed(path: Path, reader: str) -> LabelledMatrix:
    import pandas as pd

    try:
        import pyarrow  # noqa: F401
    except ImportError:
        raise DataError(f"{path.name} needs pyarrow: pip install 'cinealign[data]', or save D as .npy") from None
    table = read(path, getattr(pd, reader))
    down: Sequence[Any] | None = None if isinstance(table.index, pd.RangeIndex) else table.index.tolist()
    if down is None and table.shape[1] == len(table) + 1:
        down, table = table.iloc[:, 0].tolist(), table.iloc[:, 1:]
    rows = None if down is None else as_labels(down)
    return LabelledMatrix(_numbers(path, table), rows, as_labels(table.columns.tolist()))


def _look(path: Path) -> tuple[_Dialect, list[str], list[str]]:
    """The dialect and the first two lines of a text file, as cells."""
    with path.open("rb") as beginning:
        encoding = (
            "utf-16" if beginning.read(2) in (BOM_UTF16_LE, BOM_UTF16_BE) else "utf-8-sig"
        )  # Excel's "Unicode text"
    with path.open(encoding=encoding, newline="") as file:
        lines = list(islice(file, 20))
    skipped = 0
    for line in lines:
        if line.strip() and not line.startswith(("#", "sep=")):
            break
        skipped += 1
    lines = lines[skipped:]
    head = lines[0] if lines else ""
    separator = next((mark for mark in ("\t", ";", ",") if mark in head), " " if path.suffix.lower() == ".txt" else ",")
    rows = [
        line.split() if separator == " " else next(csv.reader([line.rstrip("\r\n")], delimiter=separator))
        for line in lines
        if line.strip()
    ]
    first, second = (rows[at] if len(rows) > at else [] for at in (0, 1))
    comma = separator != "," and any(_DECIMAL_COMMA.fullmatch(cell) for cell in second)
    return _Dialect(skipped, separator, "," if comma else ".", encoding), first, second


def _frame(path: Path, dialect: _Dialect, first: Sequence[str], down: Sequence[str]) -> tuple[bool, bool]:
    """Whether the first line is a header and the first column an index: by the shape, the corner, and what they hold."""
    lines, width = len(down), len(first)
    if lines == width + 1 and width > 1:
        return _labels_like(first), False
    if width == lines + 1 and lines > 1:
        return False, _labels_like(down)
    if lines != width or lines < 2:
        return False, False
    corner = first[0].strip()
    if corner == "" or not _number(corner, dialect):
        return True, True
    across, below = as_labels(first[1:]), as_labels(down[1:])
    framed = _whole(across) and _whole(below) and set(across) == set(below) and not _whole_body(path, dialect)
    return framed, framed


def _labels_like(cells: Sequence[str]) -> bool:
    labels = as_labels([cell.strip() for cell in cells])
    return len(set(labels)) == len(labels) and (
        _whole(labels) or not any(_number(cell, _Dialect(0, ";", ",")) for cell in cells)
    )


def _whole(labels: Sequence[Label]) -> bool:
    return all(isinstance(label, int) for label in labels) and len(set(labels)) == len(labels)


def _whole_body(path: Path, dialect: _Dialect) -> bool:
    """Whether the cells inside the frame are whole numbers too, so that it may be no frame."""
    with path.open(encoding=dialect.encoding, newline="") as file:
        lines = list(islice(file, dialect.skipped + 1, dialect.skipped + 4))
    mark = None if dialect.separator == " " else dialect.separator
    return all(whole_number(cell) is not None for line in lines for cell in line.split(mark)[1:])


def _number(cell: str, dialect: _Dialect) -> bool:
    try:
        float(cell.replace(",", ".") if dialect.decimal == "," else cell)
    except ValueError:
        return False
    return True


def _numbers(path: Path, table: Any) -> NDArray[np.float64]:
    """The cells of a pandas table, all of which must be numbers."""
    import pandas as pd

    for column, kind in enumerate(table.dtypes):
        if kind.kind not in "fiu":
            cells = pd.to_numeric(table.iloc[:, column], errors="coerce").isna()
            row = int(cells.to_numpy().argmax())
            cell = str(table.iloc[row, column])[:40]
            raise DataError(f"{path.name} row {row}, column {column} is not a number: {cell!r}; save plain distances")
    values: NDArray[np.float64] = table.to_numpy(dtype=np.float64, na_value=np.nan)
    return values
