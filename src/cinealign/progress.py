"""Progress of long work on stderr: rate, time left, and a notice when work stalls."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PLAIN_LINE_EVERY_S = 10.0
STANDS_STILL_AFTER_S = 300.0
"""Work without progress for so long is said to stand still, and again after twice as long, and so on; nothing is stopped."""
_LOOK_EVERY_S = 10.0

clock: Callable[[], float] = time.monotonic


class Progress:
    """How far one piece of work is; `advance` after every finished part."""

    def __init__(self, label: str, total: int, done: int) -> None:
        self.label, self.total, self.done = label, total, done
        self._found, self._began = done, clock()
        self._said = self.advanced = self._began
        """`advanced`: when the last part was finished, by `clock`."""
        self._next_word = STANDS_STILL_AFTER_S

    def advance(self, count: int = 1) -> None:
        """`count` more items are finished."""
        self.done += count
        self.advanced, self._next_word = clock(), STANDS_STILL_AFTER_S
        self.show()

    def show(self) -> None:
        """Say how far it is, if that was not said just now."""
        if self.advanced - self._said >= PLAIN_LINE_EVERY_S or self.done == self.total:
            self._said = self.advanced
            say(self.line())

    def line(self) -> str:
        """How far the work is, how fast, and how long the rest takes at that rate: for `done` items, without those found."""
        spent = self.advanced - self._began
        finished = self.done - self._found
        rate = finished / spent if spent > 0 else 0.0
        where = f"{self.label} {self.done:,} of {self.total:,}"
        if self.done >= self.total or not rate:
            return f"{where}, {lasting(spent)}"
        return f"{where}, {rate:.{1 if rate < 100 else 0}f}/s, {lasting((self.total - self.done) / rate)} left"

    def stands_still(self, now: float) -> str | None:
        """One line if the work has stood still for long enough at `now` to say so (again), else None."""
        still = now - self.advanced
        if still < self._next_word:
            return None
        self._next_word = 2 * still
        since = time.strftime("%H:%M:%S", time.localtime(time.time() - still))
        return f"{self.label} stands still at {self.done:,} of {self.total:,} since {since} ({lasting(still)})"


class _Bar(Progress):
    """The same on a terminal."""

    def __init__(self, label: str, total: int, done: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
        from rich.progress import Progress as RichProgress

        super().__init__(label, total, done)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
        )
        self.rich = RichProgress(*columns, console=Console(stderr=True))
        self._task = self.rich.add_task(label, total=total, completed=done, rate="")

    def show(self) -> None:
        """Move the bar; the rate and the time left stand beside it."""
        self.rich.update(self._task, completed=self.done, rate=self.line().partition(", ")[2])


class Watch:
    """Looks at all work under way from a thread of its own; says where it stands still, and keeps the threads' stacks."""

    def __init__(self) -> None:
        self._works: list[Progress] = []
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @contextmanager
    def over(self, work: Progress) -> Iterator[None]:
        """Inside, `work` is looked at."""
        with self._lock:
            self._works.append(work)
            if self._thread is None:
                self._thread = threading.Thread(target=self._looking, name="watch", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                self._works = [other for other in self._works if other is not work]

    def look(self, now: float) -> None:
        """Say of the work that began last, which is what the others wait for, if it stands still at `now`."""
        with self._lock:
            work = self._works[-1] if self._works else None
        line = work.stands_still(now) if work else None
        if line:
            say(f"{line}; what every thread was doing: {_write_stacks()}")

    def _looking(self) -> None:
        while True:
            time.sleep(_LOOK_EVERY_S)
            self.look(clock())


watch = Watch()


@contextmanager
def progress(label: str, total: int, done: int = 0) -> Iterator[Progress]:
    """Report `total` items of work called `label`, `done` of them finished before (found in the store, say).

    Work that stands still for `STANDS_STILL_AFTER_S` is said to, in one line that names a file with the stacks of all threads.
    """
    if sys.stderr.isatty():
        bar = _Bar(label, total, done)
        with bar.rich, watch.over(bar):
            yield bar
    else:
        work = Progress(label, total, done)
        with watch.over(work):
            yield work


def say(line: str) -> None:
    """One line of log on stderr; results go to stdout."""
    print(line, file=sys.stderr, flush=True)


def lasting(seconds: float) -> str:
    """A length of time for people: "12 s", "4 min 40 s", "2 h 5 min"."""
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes_of_hour = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes_of_hour} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _write_stacks() -> str:
    """Append the stacks of all threads to a file of this process and name it; why not, where that cannot be done."""
    import faulthandler

    path = Path(tempfile.gettempdir()) / f"cinealign-{os.getpid()}-stacks.txt"
    try:
        with path.open("a", encoding="utf-8") as file:
            faulthandler.dump_traceback(file, all_threads=True)
    except OSError as error:
        return f"cannot be written ({error.strerror})"
    return str(path)
