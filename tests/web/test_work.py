"""The queue: in order, bounded, patient for so long, and texts together."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from cinealign.errors import DataError
from cinealign.web.work import BusyError, WorkQueue
from tests.web.loops import run


def test_results_and_errors_come_back_to_who_asked() -> None:
    async def ask() -> None:
        queue = WorkQueue()
        assert await queue.run(lambda: 7) == 7
        with pytest.raises(DataError, match="no such"):
            await queue.run(_raise)
        assert await asyncio.gather(*(queue.run(lambda n=n: n * n) for n in range(50))) == [n * n for n in range(50)]  # type: ignore[misc]
        queue.close()

    run(ask())


def _raise() -> None:
    raise DataError("no such thing")


def test_a_full_queue_and_a_long_wait_are_busy() -> None:
    gate = threading.Event()
    done: list[int] = []

    async def ask() -> None:
        queue = WorkQueue(waiting=2, patience=0.2, threads=1)
        first = asyncio.create_task(queue.run(gate.wait))
        await asyncio.sleep(0.05)  # it is taken, and holds the one thread
        waiting = [asyncio.create_task(queue.run(lambda n=n: done.append(n))) for n in (1, 2)]  # type: ignore[misc]
        await asyncio.sleep(0)
        with pytest.raises(BusyError):
            await queue.run(lambda: None)  # the third in waiting
        for task in (first, *waiting):
            with pytest.raises(BusyError):
                await task  # patience is at an end
        gate.set()
        assert await queue.run(lambda: 1) == 1
        queue.close()

    run(ask())
    assert done == []  # nobody waited any more, so it was not done


def test_texts_in_waiting_are_encoded_together() -> None:
    seen: list[list[str]] = []
    gate = threading.Event()

    def encode(texts: Sequence[str]) -> None:
        seen.append(list(texts))

    async def ask() -> None:
        queue = WorkQueue(encode, threads=1)
        first = asyncio.create_task(queue.run(gate.wait))
        await asyncio.sleep(0.05)
        others = [asyncio.create_task(queue.run(lambda: None, [text])) for text in ("a", "b", "a", "c")]
        await asyncio.sleep(0.05)
        gate.set()
        await asyncio.gather(first, *others)
        queue.close()

    run(ask())
    assert seen[0] == ["a", "b", "c"]


def test_a_text_that_cannot_be_encoded_is_its_own_askers_error() -> None:
    def encode(texts: Sequence[str]) -> None:
        if "bad" in texts:
            raise DataError("bad text")

    async def ask() -> None:
        queue = WorkQueue(encode, threads=1)
        good, bad = queue.run(lambda: "good", ["fine"]), queue.run(_raise, ["bad"])
        found = await asyncio.gather(good, bad, return_exceptions=True)
        assert found[0] == "good"
        assert isinstance(found[1], DataError)
        queue.close()

    run(ask())
