"""The screen in Chinese: our lines are looked up on their way to it; tables look up their own cells."""

from __future__ import annotations

import io
from typing import TextIO

from cinealign.phrases import word


class Translated(io.TextIOBase):
    """Stands for stdout or stderr and writes there; whole lines that have a Chinese phrase are written in it."""

    def __init__(self, screen: TextIO) -> None:
        self._screen = screen

    def write(self, text: str) -> int:
        """Look up every line of `text`; bars and tables have no phrase and pass."""
        lines = text.split("\n")
        self._screen.write("\n".join(map(word, lines)))
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
