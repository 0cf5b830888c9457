"""Many jobs at once: workers take what is ready, and a job that must wait for its next try keeps no worker busy."""

from __future__ import annotations

import heapq
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Generic, TypeVar

from cinealign.data.download.web import LONGEST_WAIT_S, RefusedError, UnavailableError
from cinealign.errors import DataError

Job = TypeVar("Job")
Result = TypeVar("Result")


_GIVE_UP_AFTER = 25
"""So many jobs in a row without any connection, all tries made, mean that there is no network."""
_FAREWELL_S = 3.0
"""How long requests that are under way may take once nobody waits for them any more."""


@dataclass(frozen=True)
class BackOff:
    """Waits between tries: `first_s`, doubled each time, less a random part of up to half, at most `most_s`."""

    tries: int = 5
    first_s: float = 0.5
    most_s: float = 30.0

    def wait_s(self, tried: int, asked_s: float | None, dice: random.Random) -> float:
        """Seconds until the next try after `tried` of them; never less than the server asked for."""
        wait = min(self.most_s, self.first_s * 2.0 ** (tried - 1)) * dice.uniform(0.5, 1.0)
        return max(wait, asked_s or 0.0)


@dataclass(frozen=True)
class Done(Generic[Job, Result]):
    """A finished job: its result, or why there is none."""

    job: Job
    result: Result | None
    failure: RefusedError | UnavailableError | None


class _Pending(Generic[Job]):
    """Jobs not yet finished. Those whose wait is over go before fresh ones, so that few waits are left for the end."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._fresh = deque((job, 0) for job in jobs)
        self._waiting: list[tuple[float, int, Job, int]] = []
        self._open, self._count, self._stopped = len(jobs), 0, False
        self._changed = threading.Condition()

    def take(self) -> tuple[Job, int] | None:
        """The next job and how often it was tried; None when all are finished."""
        with self._changed:
            while self._open and not self._stopped:
                now = time.monotonic()
                if self._waiting and self._waiting[0][0] <= now:
                    _, _, job, tried = heapq.heappop(self._waiting)
                    return job, tried
                if self._fresh:
                    return self._fresh.popleft()
                self._changed.wait(self._waiting[0][0] - now if self._waiting else None)
            return None

    def again(self, job: Job, tried: int, wait_s: float) -> None:
        with self._changed:
            self._count += 1
            heapq.heappush(self._waiting, (time.monotonic() + wait_s, self._count, job, tried))
            self._changed.notify_all()

    def finish(self) -> None:
        with self._changed:
            self._open -= 1
            self._changed.notify_all()

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()


def run_jobs(
    jobs: Sequence[Job],
    attempt: Callable[[Job], Result],
    *,
    workers: int,
    back_off: BackOff,
    seed: int = 0,
) -> Iterator[Done[Job, Result]]:
    """Every job once it is finished, in the order in which they finish; nothing new is begun when the caller stops asking.

    Args:
        jobs: what there is to do.
        attempt: does one job, in a thread of its own; raises `UnavailableError` to be called again, `RefusedError` to give up.
            Any other exception ends everything and is raised here.
        workers: how many jobs are done at once.
        back_off: how often and how soon a job is tried again.
        seed: of the random part of the waits.
    Raises:
        DataError: no connection at all for many jobs in a row.
    """
    pending = _Pending(jobs)
    finished: SimpleQueue[Done[Job, Result] | BaseException] = SimpleQueue()
    dice = random.Random(seed)

    def work() -> None:
        while taken := pending.take():
            job, tried = taken
            result: Result | None = None
            failure: RefusedError | UnavailableError | None = None
            try:
                result = attempt(job)
            except RefusedError as error:
                failure = error
            except UnavailableError as error:
                wait_s = back_off.wait_s(tried + 1, error.wait_s, dice)
                if tried + 1 < back_off.tries and wait_s <= LONGEST_WAIT_S:
                    pending.again(job, tried + 1, wait_s)
                    continue
                failure = error
            except BaseException as error:
                finished.put(error)
                return
            pending.finish()
            finished.put(Done(job, result, failure))

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(workers, len(jobs)))]
    for thread in threads:
        thread.start()
    try:
        silent = 0
        for _ in jobs:
            done = finished.get()
            if isinstance(done, BaseException):
                raise done
            yield done
            silent = silent + 1 if isinstance(done.failure, UnavailableError) and done.failure.unreachable else 0
            if silent == _GIVE_UP_AFTER:
                raise DataError(
                    f"no connection for {silent} requests in a row, each tried {back_off.tries} times; is the network "
                    "there? The same command goes on from here"
                )
    finally:
        pending.stop()
        deadline = time.monotonic() + _FAREWELL_S
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))


def run_job(attempt: Callable[[], Result], back_off: BackOff) -> Result:
    """The result of a single job, tried as often as `back_off` says.

    Raises:
        RefusedError, UnavailableError: the last failure.
    """
    done = next(run_jobs([None], lambda _: attempt(), workers=1, back_off=back_off))
    if done.failure is not None:
        raise done.failure
    assert done.result is not None
    return done.result
