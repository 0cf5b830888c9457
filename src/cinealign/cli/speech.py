"""The screen: our lines are looked up in Chinese and folded between words on their way to it; tables do both themselves."""

from __future__ import annotations

import io
import re
from shutil import get_terminal_size
from typing import TextIO

from rich.cells import cell_len

from cinealign.phrases import word

_WIDE = "\u2e80-\u9fff\uff00-\uffef"
_OPEN, _CLOSE = "[\uff08\u201c\u300a]*", "[\uff0c\u3002\uff1b\uff1a\u3001\uff09\uff01\uff1f\u201d\u300b]*"
_PIECE = re.compile(rf"\s+|{_OPEN}(?:[^\s{_WIDE}]*\d %|[^\s{_WIDE}]+|[{_WIDE}]){_CLOSE}")
"""White space, a number with its %, a word, or one Chinese character; what opens or closes a phrase stays with it."""


_COLUMN = re.compile(r" *\S+(?: \S+)* {2,}(?=\S)")
"""What stands before the second column of a line in columns."""


def folded(line: str, columns: int) -> list[str]:
    """`line` in parts of at most `columns`, broken between words.

    All parts but the first are indented: to the line's second column where it has one, else by two more than the line.

    Lines with control codes (bars) stay as they are, and so does a word that is longer than a line.
    """
    if cell_len(line) <= columns or "\x1b" in line or "\r" in line:
        return [line]
    column = _COLUMN.match(line)
    indent = " " * (len(line) - len(line.lstrip(" ")) + 2)
    if column and cell_len(column[0]) <= columns // 2:
        indent = " " * cell_len(column[0])
    parts, part = [], ""
    for piece in _PIECE.findall(line):
        if part.strip() and cell_len(part) + cell_len(piece.rstrip()) > columns:
            parts.append(part.rstrip())
            part = indent + piece.lstrip()
        else:
            part += piece
    return [*parts, part] if part.strip() else parts


class Screen(io.TextIOBase):
    """Stands for stdout or stderr and writes there: lines in the language of the terminal, folded if it is one."""

    def __init__(self, screen: TextIO) -> None:
        self._screen = screen

    def write(self, text: str) -> int:
        """Look up and fold every line of `text`; bars and tables have no phrase, fit, and pass."""
        lines = list(map(word, text.split("\n")))
        if self.isatty():
            columns = get_terminal_size().columns
            lines = [part for line in lines for part in folded(line, columns)]
        self._screen.write("\n".join(lines))
        return len(text)

    def flush(self) -> None:
        """Of the screen."""
        self._screen.flush()

    def isatty(self) -> bool:
        """Of the screen."""
        return self._screen.isatty()

    def fileno(self) -> int:
        """Of the screen."""
        return self._screen.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Of the screen."""
        return self._screen.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        """Of the screen."""
        return self._screen.errors

    def writable(self) -> bool:
        """Yes."""
        return True
