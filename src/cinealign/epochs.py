"""Training in progress: the numbers of every epoch, on the screen and for listeners."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from cinealign.phrases import word
from cinealign.progress import Progress, lasting, watch

Listener = Callable[[tuple[str, ...], Mapping[str, Any]], None]
"""Told of every epoch: the parts that are being trained, from the outermost, and the epoch's entry in the history."""
SHOWN = {
    "loss": ("loss", ".3f"),
    "inner_loss": ("inner loss", ".3f"),
    "temperature": ("temperature", ".3f"),
    "inner_accuracy": ("inner accuracy", ".3f"),
    "inner_log_rank": ("inner log rank", ".3f"),
}
"""Key of an entry -> heading and format on the screen; history.jsonl and the listeners have all keys."""
WHOLE = "all"
"""The part that holds all train pairs, where others hold a fold."""
ROWS = 8
"""Epochs that stay in sight on a terminal."""

_parts: ContextVar[tuple[str, ...]] = ContextVar("parts that are being trained", default=())
_listeners: ContextVar[tuple[Listener, ...]] = ContextVar("listeners", default=())
_open: ContextVar[Epochs | None] = ContextVar("training on the screen", default=None)


@contextmanager
def training_part(name: str) -> Iterator[None]:
    """What is trained inside belongs to a part of the whole called `name`, such as an expert or a fold."""
    token = _parts.set((*_parts.get(), name))
    try:
        yield
    finally:
        _parts.reset(token)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Inside, `listener` is told of every epoch."""
    token = _listeners.set((*_listeners.get(), listener))
    try:
        yield
    finally:
        _listeners.reset(token)


@contextmanager
def epochs(each: int, times: int = 1, *, mean: bool = False) -> Iterator[Epochs]:
    """Report `times` trainings, one after the other, of at most `each` epochs.

    A terminal shows the last epochs as a table that grows; elsewhere there is a plain line every ten seconds and one at the
    end. Inside another `epochs` the outer one is given: members of one network count as one training. With `mean` an epoch is
    shown as the mean of the trainings that have come to it, as the history of a network of averaged members keeps it;
    listeners are told of each training.
    """
    outer = _open.get()
    if outer is not None:
        yield outer
        return
    shown = (_Table if sys.stderr.isatty() else Epochs)(each, times, mean)
    token = _open.set(shown)
    try:
        with watch.over(shown), shown:
            yield shown
    finally:
        _open.reset(token)


class Epochs(Progress):
    """The epochs of one training so far; `entry` after every one of them."""

    def __init__(self, each: int, times: int, mean: bool = False) -> None:
        super().__init__(_called(_parts.get()), each * times, 0)
        self.each, self.times, self.mean = each, times, mean
        self.entries: list[tuple[str, Mapping[str, Any]]] = []
        """What was trained, and the entry, of the last `ROWS` epochs."""
        self._of_epoch: dict[int, list[Mapping[str, Any]]] = {}

    def entry(self, entry: Mapping[str, Any]) -> None:
        """An epoch is finished; epoch 0, the start of a network, takes no time and is not counted."""
        parts = _parts.get()
        for listener in _listeners.get():
            listener(parts, dict(entry))
        shown = dict(entry)
        if self.mean:
            trained = self._of_epoch.setdefault(entry["epoch"], [])
            trained.append(shown)
            shown = {**mean_entry(trained), "epoch": entry["epoch"], "members": len(trained)}
            self.entries = [(label, last) for label, last in self.entries if last["epoch"] < entry["epoch"]]
        else:
            self.label = _called(parts)
        self.entries = [*self.entries, (self.label, shown)][-ROWS:]
        if entry["epoch"]:
            self.advance()

    def line(self) -> str:
        """The last epoch's numbers, and how long the rest takes."""
        if not self.entries:
            return super().line()
        _, entry = self.entries[-1]
        numbers = ", ".join(f"{SHOWN[key][0]} {text}" for key, text in _told(entry).items())
        members = f"mean of members 1 to {entry['members']} of {self.times}, " if entry.get("members", 1) > 1 else ""
        return f"{self.label}: epoch {entry['epoch']} of {self.each}, {members}{numbers}, {self.time_left()}"

    def time_left(self) -> str:
        """Of all trainings, at the rate so far; the time spent where nothing is left."""
        spent = self.advanced - self._began
        if not self.done or self.done >= self.total:
            return lasting(spent)
        return f"{lasting(spent / self.done * (self.total - self.done))} left"

    def __enter__(self) -> Epochs:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """A training that ended before its last epoch, by early stopping, has its last line too."""
        if kind is None and self.entries and self.done < self.total:
            self.total = self.done
            self.show()


class _Table(Epochs):
    """The same on a terminal."""

    def __init__(self, each: int, times: int, mean: bool = False) -> None:
        from rich.console import Console
        from rich.live import Live

        super().__init__(each, times, mean)
        self.live = Live(console=Console(stderr=True), get_renderable=self.table, refresh_per_second=4)

    def __enter__(self) -> Epochs:
        self.live.__enter__()
        return self

    def __exit__(self, kind: Any, *others: Any) -> None:
        super().__exit__(kind, *others)
        self.live.__exit__(kind, *others)

    def show(self) -> None:
        """Nothing to say: the table is drawn again by itself."""

    def table(self) -> Any:
        """The last epochs of what is trained now, the newest at the bottom, and the time left of all."""
        from rich.cells import cell_len
        from rich.table import Table

        rows = [(entry, _told(entry)) for label, entry in self.entries if label == self.label]
        keys = [key for key in SHOWN if any(key in told for _, told in rows)]
        members = ["members"] if self.mean else []
        caption = f"{self.done} of {self.total} epochs, {self.time_left()}" if self.done else ""
        label, caption = word(self.label), word(caption)
        table = Table(title=label, caption=caption, title_justify="left", caption_justify="left", box=None)
        table.min_width = max(cell_len(label), cell_len(caption))  # else they fold to the width of the numbers
        for heading in ("epoch", *members, *(SHOWN[key][0] for key in keys)):
            table.add_column(word(heading), justify="right")
        for entry, told in rows:
            counted = (str(entry[key]) for key in ("epoch", *members))
            table.add_row(*counted, *(told.get(key, "") for key in keys))
        return table


def mean_entry(entries: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The mean of every number that the first of some entries has."""
    return {key: sum(entry[key] for entry in entries) / len(entries) for key in entries[0]}


def _called(parts: Sequence[str]) -> str:
    """Name of what is trained; that it is trained on all train pairs goes without saying."""
    return ", ".join(part for part in parts if part != WHOLE) or "training"


def _told(entry: Mapping[str, Any]) -> dict[str, str]:
    """Key -> what the screen says of it, for those keys of `SHOWN` that the entry has."""
    return {key: format(entry[key], form) for key, (_, form) in SHOWN.items() if entry.get(key) is not None}
