from __future__ import annotations

import random
import threading
import time
from collections import Counter

import pytest

from cinealign.data.download.queue import LONGEST_WAIT_S, BackOff, run_job, run_jobs
from cinealign.data.download.web import RefusedError, UnavailableError

QUICK = BackOff(tries=3, first_s=0.001)


def test_every_job_is_finished_once_and_tried_as_often_as_it_needs() -> None:
    tries: Counter[int] = Counter()
    lock = threading.Lock()

    def attempt(job: int) -> int:
        with lock:
            tries[job] += 1
            tried = tries[job]
        if job % 3 == 0 and tried < 3:
            raise UnavailableError("later")
        if job % 10 == 1:
            raise RefusedError("never")
        if job == 50:
            raise UnavailableError("always")
        return job * 2

    done = {one.job: one for one in run_jobs(range(60), attempt, workers=7, back_off=QUICK)}
    assert set(done) == set(range(60))
    for job, one in done.items():
        if job == 50 or job % 10 == 1:
            assert one.result is None and one.failure is not None
        else:
            assert one.result == job * 2 and one.failure is None
        assert tries[job] == (3 if job % 3 == 0 or job == 50 else 1)


def test_back_off_doubles_with_jitter_and_honours_the_server() -> None:
    back_off, dice = BackOff(tries=9, first_s=1, most_s=10), random.Random(0)
    for tried, longest in ((1, 1), (2, 2), (3, 4), (4, 8), (5, 10), (9, 10)):
        waits = [back_off.wait_s(tried, None, dice) for _ in range(200)]
        assert longest / 2 <= min(waits) < max(waits) <= longest
    assert back_off.wait_s(1, 60, dice) == 60
    assert back_off.wait_s(3, 0.1, dice) >= 2


def test_server_that_asks_for_too_long_a_wait_is_not_asked_again() -> None:
    tries = []

    def attempt(_: int) -> int:
        tries.append(1)
        raise UnavailableError("HTTP 503", wait_s=LONGEST_WAIT_S + 1)

    (done,) = run_jobs([1], attempt, workers=1, back_off=QUICK)
    assert len(tries) == 1 and done.failure is not None


def test_a_waiting_job_keeps_no_worker_busy() -> None:
    order = []

    def attempt(job: str) -> str:
        order.append(job)
        if job == "waits" and order.count("waits") == 1:
            raise UnavailableError("later", wait_s=0.2)
        return job

    began = time.monotonic()
    list(run_jobs(["waits", "a", "b", "c"], attempt, workers=1, back_off=QUICK))
    assert order == ["waits", "a", "b", "c", "waits"]
    assert time.monotonic() - began >= 0.2, "the server's wait was cut short"


def test_a_mistake_of_ours_is_raised_and_not_retried() -> None:
    def attempt(job: int) -> int:
        if job == 3:
            raise ZeroDivisionError("a bug")
        return job

    with pytest.raises(ZeroDivisionError, match="a bug"):
        list(run_jobs(range(10), attempt, workers=2, back_off=QUICK))


def test_nothing_is_begun_once_the_caller_has_stopped() -> None:
    begun = []

    def attempt(job: int) -> int:
        begun.append(job)
        time.sleep(0.01)
        return job

    jobs = run_jobs(range(1000), attempt, workers=2, back_off=QUICK)
    next(jobs)
    jobs.close()
    time.sleep(0.05)
    had = len(begun)
    time.sleep(0.05)
    assert len(begun) == had < 20


def test_single_job() -> None:
    answers = iter([UnavailableError("later"), None])

    def attempt() -> str:
        if error := next(answers):
            raise error
        return "there"

    assert run_job(attempt, QUICK) == "there"
    with pytest.raises(RefusedError, match="never"):
        run_job(_never, QUICK)


def _never() -> str:
    raise RefusedError("never")
