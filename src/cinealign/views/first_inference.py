"""No two networks compile or make their first inference at the same moment.

OpenVINO's Python side sets static variables on the first use of a kind of call, behind a C++ guard. A thread can wait for
that guard with the interpreter lock held while the thread that has the guard waits for the interpreter lock: the process
then sleeps for ever. Whatever was used once in the process is safe.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

ALONE = threading.RLock()
"""Held in the whole process while a network compiles (`with ALONE:`) or makes its first inference."""


def first_alone(infer: Callable[P, R]) -> Callable[P, R]:
    """`infer`, whose calls hold `ALONE` until one of them has returned; later calls take no lock.

    Args:
        infer: runs one compiled network, and always by the same kind of call.
    """
    ran = False

    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        nonlocal ran
        if ran:
            return infer(*args, **kwargs)
        with ALONE:
            found = infer(*args, **kwargs)
            ran = True
            return found

    return run
