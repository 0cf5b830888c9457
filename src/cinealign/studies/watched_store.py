"""A feature store that keeps count of what it had to compute, so that learning can be timed apart from looking."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cinealign.views.store import FeatureStore, Row


class WatchedStore(FeatureStore):
    """The store in a folder, with `computed` items and the `seconds` that they took."""

    def __init__(self, store: FeatureStore) -> None:
        super().__init__(store.folder)
        self.computed, self.seconds, self._depth = 0, 0.0, 0

    def _through(
        self,
        view: str,
        settings: Mapping[str, Any],
        digests: Sequence[str],
        compute: Callable[[list[int]], list[Row]],
        batch_size: int,
    ) -> dict[str, Row]:
        """Whatever is asked for, as arrays, sequences or records, goes through here."""

        def watched(rows: list[int]) -> list[Row]:
            self.computed += len(rows)
            self._depth += 1
            began = time.monotonic()
            try:
                return compute(rows)
            finally:
                self._depth -= 1
                if self._depth == 0:  # an inner one is part of the outer one's time
                    self.seconds += time.monotonic() - began

        return super()._through(view, settings, digests, watched, batch_size)
