"""The same work on many items by a few threads; it pays where the work lets other threads run, as decoding pictures does."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST_THREADS = 4
"""More of them wait for the disk and for each other."""

_limit: int | None = None


def limit_threads(count: int | None) -> None:
    """From now on this process works on at most `count` items at once, however many processors there are; None lifts that."""
    global _limit
    _limit = count


def thread_count() -> int:
    """Processors that this process may use, or the limit that it was given where that is less."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return allowed if _limit is None else min(allowed, _limit)


def on_threads(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """`work` of each item, in the order of the items.

    Raises:
        Exception: what `work` raises, at its item; what was begun is finished first.
    """
    threads = min(MOST_THREADS, thread_count())
    if threads == 1:
        yield from map(work, items)
        return
    with ThreadPoolExecutor(threads) as pool:
        yield from pool.map(work, items)
