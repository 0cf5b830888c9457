"""Progress of long work on stderr: a bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

PLAIN_LINE_EVERY_S = 10.0


class Progress:
    """How far one piece of work is; `advance` after every finished part."""

    def __init__(self, label: str, total: int, done: int) -> None:
        self.label, self.total, self.done = label, total, done
        self._began = self._said = time.monotonic()

    def advance(self, count: int = 1) -> None:
        """`count` more items are finished."""
        self.done += count
        now = time.monotonic()
        if now - self._said >= PLAIN_LINE_EVERY_S or self.done == self.total:
            self._said = now
            print(f"{self.label}: {self.done}/{self.total} ({now - self._began:.0f} s)", file=sys.stderr, flush=True)


class _Bar(Progress):
    """The same on a terminal."""

    def __init__(self, label: str, total: int, done: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress

        super().__init__(label, total, done)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self.rich = RichProgress(*columns, console=Console(stderr=True))
        self._task = self.rich.add_task(label, total=total, completed=done)

    def advance(self, count: int = 1) -> None:
        self.done += count
        self.rich.update(self._task, completed=self.done)


@contextmanager
def progress(label: str, total: int, done: int = 0) -> Iterator[Progress]:
    """Report `total` items of work called `label`, `done` of them finished before (found in the store, say)."""
    if sys.stderr.isatty():
        bar = _Bar(label, total, done)
        with bar.rich:
            yield bar
    else:
        yield Progress(label, total, done)


def say(line: str) -> None:
    """One line of log on stderr; results go to stdout."""
    print(line, file=sys.stderr, flush=True)
