"""Names in metrics.json, and the ratios that are measured: what reads numbers needs no more than this."""

from __future__ import annotations

from typing import Any, Generic, TypeVar, cast

DIRECTIONS = ("poster_to_intro", "intro_to_poster")
SPLITS = ("all", "train", "held_out")
TASK_RATIO = 0.05
"""The assignment's task: every headline means it."""
TEST_STEP_RATIO = 0.5
"""The assignment's test step calls `get_acc` with it: shown beside the headline, never instead."""
RECALL_AT = (1, 5, 10)

T = TypeVar("T")


class BothWays(Generic[T]):
    """What has a field for each direction: `found[direction]` is the one of that name."""

    def __getitem__(self, direction: str) -> T:
        if direction not in DIRECTIONS:
            raise KeyError(direction)
        return cast(T, getattr(self, direction))


Metrics = dict[str, Any]
"""What `metrics.score` returns: str keys, plain floats and ints, lists and None, ready for JSON."""
