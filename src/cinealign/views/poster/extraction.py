"""Looking at posters through the feature store: each once, a batch at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from cinealign.data.posters import Poster
from cinealign.views.store import FeatureStore

BATCH = 32
"""Posters that go into the store together: what a killed run has to do again."""


def looked_at(
    posters: Sequence[Poster],
    store: FeatureStore,
    view: str,
    settings: Mapping[str, Any],
    look: Callable[[list[Poster]], NDArray[Any]],
) -> NDArray[Any]:
    """What `look` makes of every poster, (N, ...), from the store where it has it under `view` and `settings`."""
    return store.arrays(
        view,
        settings,
        [poster.digest for poster in posters],
        lambda rows: look([posters[row] for row in rows]),
        batch_size=BATCH,
    )
