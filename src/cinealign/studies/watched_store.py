"""A feature store that keeps count of what it had to compute, so that learning can be timed apart from looking."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from numpy.typing import NDArray

from cinealign.views.store import FeatureStore

Found = TypeVar("Found")


class WatchedStore(FeatureStore):
    """The store in a folder, with `computed` items and the `seconds` that they took."""

    def __init__(self, store: FeatureStore) -> None:
        super().__init__(store.folder)
        self.computed, self.seconds, self._depth = 0, 0.0, 0

    def arrays(
        self,
        view: str,
        settings: Mapping[str, Any],
        digests: Sequence[str],
        compute: Callable[[list[int]], NDArray[Any]],
        *,
        batch_size: int = 32,
    ) -> NDArray[Any]:
        """As `FeatureStore.arrays`."""
        return super().arrays(view, settings, digests, self._watched(compute), batch_size=batch_size)

    def sequences(
        self,
        view: str,
        settings: Mapping[str, Any],
        digests: Sequence[str],
        compute: Callable[[list[int]], Sequence[NDArray[Any]]],
        *,
        batch_size: int = 32,
    ) -> list[NDArray[Any]]:
        """As `FeatureStore.sequences`."""
        return super().sequences(view, settings, digests, self._watched(compute), batch_size=batch_size)

    def records(
        self,
        view: str,
        settings: Mapping[str, Any],
        digests: Sequence[str],
        compute: Callable[[list[int]], Sequence[Any]],
        *,
        batch_size: int = 32,
    ) -> list[Any]:
        """As `FeatureStore.records`."""
        return super().records(view, settings, digests, self._watched(compute), batch_size=batch_size)

    def _watched(self, compute: Callable[[list[int]], Found]) -> Callable[[list[int]], Found]:
        def watched(rows: list[int]) -> Found:
            self.computed += len(rows)
            self._depth += 1
            began = time.monotonic()
            try:
                return compute(rows)
            finally:
                self._depth -= 1
                if self._depth == 0:  # an inner one is part of the outer one's time
                    self.seconds += time.monotonic() - began

        return watched
