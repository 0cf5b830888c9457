"""How a delimited text is laid out: separator and quotes, decided by what makes every row as wide as the header.

A quote that is never closed makes a CSV reader swallow the rows after it without an error. So a cell of several lines is
looked at line by line: one that has the table's number of separators, and numbers where the table has numbers, is a row.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from cinealign.errors import DataError

SEPARATORS = {",": "','", "\t": "tabs", ";": "';'", "|": "'|'", " ": "blanks"}
"""Separator -> what it is called."""
QUOTINGS = ("double", "backslash", "none")
"""How a quote inside a cell is written that the user may name: doubled, after a backslash, or quotes mean nothing."""
_SEP_LINE = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
_ALL_QUOTED = re.compile(r'"[^"]*"(?: "[^"]*")+\s*')
_TRAITS = {
    "a whole number": re.compile(r"\s*[+-]?\d+(?:\.0*)?\s*", re.ASCII),
    "with a digit": re.compile(r"\D*\d.*", re.DOTALL),
    "with a suffix": re.compile(r".*\.\w{2,5}\s*", re.DOTALL),
    "without blanks": re.compile(r"\s*\S{1,200}\s*"),
}
"""What all cells of a column may have in common."""
_ENOUGH = 8
"""Different cells of a column from which on what they have in common is no accident."""
_STANDINS = "\ue0f1\ue0f2\uf8f1\U000f0001"
_NULL = r"\N"
_UNESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "\\": "\\"}

Lines = Callable[[], Iterator[str]]
"""The physical lines with their ends, from the first, each time it is called."""


@dataclass(frozen=True)
class Dialect:
    """The layout of a delimited text.

    Attributes:
        separator: one of `SEPARATORS`.
        quoting: one of `QUOTINGS`, or "escaped": no quotes, tabs and line ends written as databases do (`\\t`, `\\n`, `\\N`).
        after_blank: a quote opens a cell also after a blank.
        skipped: lines before the header.
        row_names: rows have one cell more than the header, the first, as R writes them.
        standin: a character that the text lacks, for quotes after a backslash.
        doubled: a backslash in a cell is written as two.
    """

    separator: str = ","
    quoting: str = "double"
    after_blank: bool = False
    skipped: int = 0
    row_names: bool = False
    standin: str = _STANDINS[0]
    doubled: bool = False

    def described(self) -> str:
        """For the user."""
        quotes = {
            "backslash": ", quotes after a backslash",
            "none": ", quotes are letters",
            "escaped": ", escapes as databases write them",
        }.get(self.quoting, "")
        return f"separated by {SEPARATORS[self.separator]}{quotes}{', row names' if self.row_names else ''}"


@dataclass(frozen=True)
class Cells:
    """One record: its number as spreadsheets count, its first line, and its cells."""

    number: int
    line: int
    cells: list[str]
    lines: tuple[str, ...]


class _UnfitError(Exception):
    """A dialect that a text does not fit, for the reason given."""


def read_cells(lines: Iterable[str], dialect: Dialect) -> Iterator[Cells]:
    """The records of a text, blank ones passed over.

    Raises:
        csv.Error: a quote is not closed, or letters follow one.
    """
    given, line = _Counted(lines, dialect), 1
    if dialect.quoting in ("double", "backslash"):
        reader: Iterator[list[str]] = csv.reader(
            given, delimiter=dialect.separator, strict=True, skipinitialspace=dialect.after_blank
        )
    else:
        reader = (text.rstrip("\r\n").split(dialect.separator) for text in given)
    for number, cells in enumerate(reader, start=1):
        held, start = tuple(given.since), line
        line += given.physical
        given.begin()
        if number <= dialect.skipped or not any(cell.strip() for cell in cells):
            continue
        yield Cells(number, start, [_plain(cell, dialect) for cell in cells], held)


class _Counted:
    """Lines as the reader wants them, and those that it has taken since the record began."""

    def __init__(self, lines: Iterable[str], dialect: Dialect) -> None:
        self._lines, self._dialect = iter(lines), dialect
        self.begin()

    def begin(self) -> None:
        """A record begins."""
        self.since: list[str] = []
        self.physical = 0

    def __iter__(self) -> _Counted:
        return self

    def __next__(self) -> str:
        text = next(self._lines)
        self.physical += 1
        if self._dialect.quoting == "escaped":  # an escaped line end goes on
            while _ends_escaped(text) and (more := next(self._lines, None)) is not None:
                text, self.physical = text + more, self.physical + 1
        self.since.append(text)
        if self._dialect.quoting == "backslash" and "\\" in text:
            return re.sub(r'\\(?:\\|")', lambda found: self._dialect.standin if found[0] == '\\"' else found[0], text)
        return text


def _ends_escaped(text: str) -> bool:
    body = text.rstrip("\r\n")
    return len(body) < len(text) and (len(body) - len(body.rstrip("\\"))) % 2 == 1


def _plain(cell: str, dialect: Dialect) -> str:
    if dialect.quoting == "backslash":
        cell = cell.replace("\\\\", "\\") if dialect.doubled else cell
        return cell.replace(dialect.standin, '"')
    if dialect.quoting == "escaped" and cell != _NULL:
        return re.sub(r"\\(.)", lambda found: _UNESCAPED.get(found[1], found[1]), cell, flags=re.DOTALL)
    return cell


def decide_dialect(name: str, lines: Lines, *, tabs: bool = False, quoting: str | None = None) -> Dialect:
    """The first layout in which every row fits the header and no cell swallows rows.

    Args:
        name: of the file, for messages.
        lines: gives the text.
        tabs: the file's name says that tabs separate.
        quoting: one of `QUOTINGS`, where the user names it.
    Raises:
        DataError: no layout fits; the message says what is wrong with the likeliest one, and where.
    """
    skipped, separators = _separators(lines, tabs)
    failed: list[str] = []
    for separator in separators:
        for dialect in _candidates(lines, Dialect(separator, skipped=skipped), quoting):
            try:
                return _fitted(name, lines, dialect, named=quoting is not None)
            except _UnfitError as unfit:
                failed.append(str(unfit))
    raise DataError(failed[0])


def _separators(lines: Lines, tabs: bool) -> tuple[int, list[str]]:
    """Lines to skip, and the separators that the header may have, the likeliest first."""
    first, skipped = next(lines(), ""), 0
    if (said := _SEP_LINE.fullmatch(first)) is not None and said[1] in SEPARATORS:
        return 1, [said[1]]
    if tabs:
        return skipped, ["\t"]
    bare = re.sub(r'"[^"]*"', "", first)
    counts = {mark: (bare if '"' in first else first).count(mark) for mark in ",\t;|"}
    found = sorted((mark for mark in counts if counts[mark]), key=lambda mark: -counts[mark])
    if not found and _ALL_QUOTED.fullmatch(first):
        return skipped, [" "]
    return skipped, found or [","]


def _candidates(lines: Lines, plain: Dialect, quoting: str | None) -> Iterator[Dialect]:
    if quoting is None and plain.separator == "\t" and _is_escaped(lines):
        yield replace(plain, quoting="escaped")
    if quoting in (None, "double"):
        yield plain
        yield replace(plain, after_blank=True)
    if quoting in (None, "backslash"):
        escaped, lone, used = _backslashes(lines)
        if escaped or quoting == "backslash":
            free = next((c for c in _STANDINS if c not in used), None)
            if free is not None:
                yield replace(plain, quoting="backslash", standin=free, doubled=not lone)
    if quoting in (None, "none"):
        yield replace(plain, quoting="none")


def _is_escaped(lines: Lines) -> bool:
    """A cell that is `\\N`, and backslashes before nothing but what databases escape."""
    null = False
    for text in lines():
        if re.search(r'(?:^|\t)"[^\t\r\n]*"(?:[\t\r\n]|$)', text):
            return False
        if "\\" not in text:
            continue
        null = null or _NULL in text.rstrip("\r\n").split("\t")
        if re.search(r"[^\\ntrbfvN\r\n\t]", "".join(re.findall(r"\\(.|\n)", text))):
            return False
    return null


def _backslashes(lines: Lines) -> tuple[bool, bool, set[str]]:
    """Whether quotes stand after backslashes, whether a backslash stands alone, and the stand-ins that occur."""
    escaped = lone = False
    used: set[str] = set()
    for text in lines():
        if "\\" in text:
            followers = re.findall(r"\\(.|\n|\r|$)", text)
            escaped = escaped or '"' in followers
            lone = lone or any(follower not in ('"', "\\") for follower in followers)
        used.update(c for c in _STANDINS if c in text)
    return escaped, lone, used


def _fitted(name: str, lines: Lines, dialect: Dialect, *, named: bool) -> Dialect:
    """`dialect`, with row names where the rows have them; `named`: the user says that quotes are as they are."""
    width, row_names = 0, False
    shape: _Shape | None = None
    record: Cells | None = None
    torn = _Torn(lines, dialect) if dialect.quoting == "double" and not named else None
    try:
        for record in read_cells(lines(), dialect):
            if shape is None:
                width, shape = len(record.cells), _Shape(len(record.cells), dialect)
                continue
            if shape.rows == 0:
                row_names = _has_row_name(record, width, dialect)
                shape.width = width + row_names
            check_width(name, record, width + row_names, dialect.separator)
            if torn is not None and torn.is_torn(record):
                raise _UnfitError(
                    f"{name} line {record.line}: some quotes stand after backslashes and one in a cell without quotes; "
                    "--quoting double or backslash says which of them end a cell"
                )
            shape.add(record)
    except csv.Error as error:
        where = f"{name} line {record.line + len(record.lines) if record else 1}"
        raise _UnfitError(f"{where}: not valid CSV ({error}); look for a quote that is not closed") from None
    except DataError as error:
        raise _UnfitError(str(error)) from None
    if shape is not None and not named:
        if (line := shape.swallowed()) is not None:
            raise _UnfitError(
                f"{name} line {line}: a quote that is not closed swallows the rows after it; close it, or pass "
                "--quoting none if quotes mean nothing, or --quoting double if the text is as it should be"
            )
        if dialect.quoting == "none" and shape.quoted:
            raise _UnfitError(f"{name}: some cells stand in quotes and others hold lone ones; --quoting settles it")
    return replace(dialect, row_names=row_names)


class _Torn:
    """Finds rows that were cut at a quote which stands after a backslash and so, for its writer, ended no cell.

    What is left of such a cell has a quote and does not begin with one. Without any `\\"` such a cell is as it was written.
    """

    def __init__(self, lines: Lines, dialect: Dialect) -> None:
        self._escaped = any('\\"' in text for text in lines())
        mark = re.escape(dialect.separator)
        self._whole = re.compile(rf'(?:^|(?<={mark})) *"(?:[^"]|"")*"(?={mark}|[\r\n]*$)')

    def is_torn(self, record: Cells) -> bool:
        """Whether a quote is left once cells that stand in quotes are gone."""
        return self._escaped and '"' in self._whole.sub("", "".join(record.lines))


def check_width(name: str, record: Cells, width: int, separator: str) -> None:
    """Refuse a row that has other cells than the header; empty ones at its end are passed over.

    Raises:
        DataError: it has.
    """
    cells = record.cells
    if len(cells) < width or any(cell.strip() for cell in cells[width:]):
        raise DataError(
            f"{name} line {record.line}: {len(cells)} cells where the header has {width}; "
            f"put a text that holds {_called(separator)} in double quotes"
        )


def _called(separator: str) -> str:
    return {",": "a comma", "\t": "a tab"}.get(separator, SEPARATORS[separator])


def _has_row_name(record: Cells, width: int, dialect: Dialect) -> bool:
    quoted = record.lines[0].startswith('"') or dialect.separator == "\t"
    told = record.cells[-1].strip() or record.lines[-1].rstrip("\r\n").endswith('"')
    return quoted and len(record.cells) == width + 1 and bool(told)


class _Shape:
    """What the rows of a table look like, so that a line inside a cell can be told from a row."""

    def __init__(self, width: int, dialect: Dialect) -> None:
        self.width, self._dialect = width, dialect
        self.rows = 0
        self.quoted = 0
        self._traits: list[set[str]] = []
        self._seen: list[set[str]] = []
        self._doubtful: list[tuple[int, list[str]]] = []

    def add(self, record: Cells) -> None:
        """One more row."""
        if not self._traits:
            self._traits = [set(_TRAITS) for _ in range(self.width)]
            self._seen = [set() for _ in range(self.width)]
        self.rows += 1
        for traits, seen, cell in zip(self._traits, self._seen, record.cells, strict=False):
            if len(seen) < _ENOUGH:
                seen.add(cell)
            if traits:
                several = "\n" in cell or "\r" in cell  # the cell in doubt says nothing of its column
                traits -= {name for name in traits if several or not _TRAITS[name].fullmatch(cell)}
        if self._dialect.quoting == "none":
            self.quoted += sum(len(c) > 1 and c[0] == c[-1] == '"' for c in map(str.strip, record.cells))
        elif self._dialect.quoting != "escaped":
            for offset, text in enumerate(record.lines[1:], start=1):
                cells = text.rstrip("\r\n").split(self._dialect.separator)
                if len(cells) == self.width:
                    self._doubtful.append((record.line + offset - 1, [cell.strip('" ') for cell in cells]))

    def swallowed(self) -> int | None:
        """The line before the first one that is a row inside a cell; None where there is none."""
        strict = any(self._traits)
        for line, cells in self._doubtful:
            told = [
                (all(_TRAITS[name].fullmatch(cell) for name in traits), len(seen) >= _ENOUGH)
                for traits, seen, cell in zip(self._traits, self._seen, cells, strict=True)
                if traits
            ]
            alike = sum(fit for fit, _ in told)
            fits = alike == len(told) or (alike > 1 and all(fit or not sure for fit, sure in told))
            if fits and (strict or self.width > 2):
                return line
        return None


def decide_whole(name: str, rows: Sequence[Cells]) -> None:
    """Refuse records of which one has swallowed others; the first is the header.

    Raises:
        DataError: one has; the message says where it begins.
    """
    shape = _Shape(len(rows[0].cells) if rows else 0, Dialect())
    for record in rows[1:]:
        shape.add(record)
    if (line := shape.swallowed()) is not None:
        raise DataError(f"{name} line {line}: a quote that is not closed swallows the rows after it; close it")
