"""One queue for all that asks the model, so that many browsers cannot ask for more than the machine can do."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from cinealign.errors import CineAlignError
from cinealign.web.settings import PATIENCE, WAITING

T = TypeVar("T")
TOGETHER = 32
"""Texts of requests in waiting that are encoded in one go."""


class BusyError(Exception):
    """Too many requests wait, or this one waited too long; the browser should ask again later."""


@dataclass(eq=False)
class _Job:
    work: Callable[[], Any]
    texts: tuple[str, ...]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]


class WorkQueue:
    """Work is done by threads of its own, in order; texts of what waits are encoded together first.

    The threads are daemons: a stopped server does not wait for an answer that nobody reads any more.
    """

    def __init__(
        self,
        encode: Callable[[Sequence[str]], Any] | None = None,
        *,
        waiting: int = WAITING,
        patience: float = PATIENCE,
        threads: int = 2,
    ) -> None:
        """Args:
        encode: encodes texts and remembers them; one thread does so at a time.
        waiting: requests that may wait.
        patience: seconds that one may take, waiting included.
        threads: that work.
        """
        self._encode, self._most, self._patience = encode, waiting, patience
        self._jobs: deque[_Job] = deque()
        self._there = threading.Condition()
        self._encoding = threading.Lock()
        self._closed = False
        for _ in range(threads):
            threading.Thread(target=self._serve, name="cinealign work", daemon=True).start()

    async def run(self, work: Callable[[], T], texts: Sequence[str] = (), *, patience: float | None = None) -> T:
        """What `work` returns or raises.

        Args:
            work: called in a thread of the queue.
            texts: what it will ask the model to encode.
            patience: seconds that it may take, where that is not as usual.
        Raises:
            BusyError: the queue is full, or patience is at an end.
        """
        loop = asyncio.get_running_loop()
        job = _Job(work, tuple(texts), loop, loop.create_future())
        with self._there:
            if len(self._jobs) >= self._most:
                raise BusyError
            self._jobs.append(job)
            self._there.notify()
        try:
            found: T = await asyncio.wait_for(job.future, patience or self._patience)
        except TimeoutError:
            raise BusyError from None
        finally:
            self._leave(job)
        return found

    def close(self) -> None:
        """No more work is begun."""
        with self._there:
            self._closed = True
            self._there.notify_all()

    def _leave(self, job: _Job) -> None:
        """Whoever waits no longer takes no place."""
        with self._there:
            if job in self._jobs:
                self._jobs.remove(job)

    def _serve(self) -> None:
        while True:
            with self._there:
                while not self._jobs and not self._closed:
                    self._there.wait()
                if self._closed:
                    return
                job = self._jobs.popleft()
                texts = list(dict.fromkeys([*job.texts, *(text for other in self._jobs for text in other.texts)]))
            if job.future.cancelled():  # nobody waits for it any more
                continue
            if job.texts and self._encode is not None:
                self._encode_together(texts[: max(TOGETHER, len(job.texts))])
            self._finish(job)

    def _encode_together(self, texts: list[str]) -> None:
        assert self._encode is not None
        with self._encoding:
            try:
                self._encode(texts)
            except CineAlignError:  # of somebody's text; each request then meets its own error
                return

    def _finish(self, job: _Job) -> None:
        try:
            found = job.work()
        except Exception as error:  # raised again where it was asked for
            _tell(job, partial(job.future.set_exception, error))
        else:
            _tell(job, partial(job.future.set_result, found))


def _tell(job: _Job, what: Callable[[], None]) -> None:
    def told() -> None:
        if not job.future.done():
            what()

    if not job.loop.is_closed():
        job.loop.call_soon_threadsafe(told)
