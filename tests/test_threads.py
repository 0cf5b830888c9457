"""The same work on many items by a few threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from cinealign import threads
from cinealign.threads import limit_threads, on_threads, thread_count
from cinealign.views.poster.reading.reader import worker_count


@pytest.fixture(autouse=True)
def several(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(threads.os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    yield
    limit_threads(None)


def test_a_limit_holds_for_all_that_uses_threads() -> None:
    assert thread_count() == 8 and worker_count() > 1
    limit_threads(1)
    assert thread_count() == 1 and worker_count() == 1
    here = threading.get_ident()
    assert list(on_threads(lambda item: (item, threading.get_ident()), [3, 1, 2])) == [(3, here), (1, here), (2, here)]


def test_results_come_in_the_order_of_the_items() -> None:
    turn = threading.Barrier(2, timeout=30)  # passes only where two items are worked on at once
    assert list(on_threads(lambda item: (turn.wait(), item)[1], range(6))) == list(range(6))
