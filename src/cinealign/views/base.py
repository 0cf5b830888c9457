"""What a view is: one way of looking at one side of a movie, giving features (N, F).

A view works in two steps, so that nothing learned can see a held-out item and nothing frozen is computed twice:

1. `extract` looks at each item alone (a forward pass of frozen weights, reading the lettering, splitting into tokens).
   Its result for an item depends on that item and the settings only, so it is cached by content and may run over all
   items.
2. `fit` learns from the extracted *train* items (a vocabulary, document frequencies); `transform` applies it to any
   item. A view with nothing to learn keeps the defaults, which pass extracted arrays through.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Generic, Literal, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field

from cinealign.data.posters import Poster
from cinealign.registry import PartOptions
from cinealign.state import State
from cinealign.views.store import FeatureStore

Side = Literal["poster", "intro"]
Features = NDArray[Any]
"""(N, ...) array, row i belongs to item i; float32 (N, F) unless the view's docstring says otherwise."""
Extracted = NDArray[Any] | list[Any]
"""What `extract` gives: an array or a list with one entry an item."""
Origin = dict[str, Any]
"""Which network a view's features come out of and where, as JSON values, for the tower that goes on from there."""


class ViewOptions(PartOptions):
    """Settings of a view as a recipe gives them; unknown keys are refused."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    view: str = Field("", description="its kind")


Item = TypeVar("Item")


class View(ABC, Generic[Item]):
    """One way of looking at one side. Subclasses set `side` and `Options` and are registered in `views.registry`."""

    side: ClassVar[Side]
    Options: ClassVar[type[ViewOptions]] = ViewOptions

    @abstractmethod
    def extract(self, items: Sequence[Item], store: FeatureStore) -> Extracted:
        """The frozen, item by item part of the view.

        Args:
            items: N posters (`Poster`) or N texts (`str`).
            store: where finished items are kept and looked up.
        Returns:
            N extracted items in the order of `items`.
        """

    def fit(self, extracted: Extracted) -> Self:
        """Learn from extracted train items only; a view that learns nothing returns itself."""
        return self

    def transform(self, extracted: Extracted) -> Features:
        """Features of extracted items; row i belongs to item i."""
        assert isinstance(extracted, np.ndarray)
        return extracted

    def words(self) -> list[str] | None:
        """For a fitted view whose features are numbers of words: the word of every number; None for others."""
        return None

    def origin(self) -> Origin | None:
        """For a view whose features are states inside a network: which network, and where; None for others."""
        return None

    def state(self) -> State:
        """What `fit` has learned; empty for a frozen view."""
        return State()

    def load_state(self, state: State) -> Self:
        """Take over what an equal view has learned."""
        return self


class PosterView(View[Poster]):
    """A view of posters."""

    side: ClassVar[Side] = "poster"


class TextView(View[str]):
    """A view of texts: of intros, and, through the lettering view, of the words on a poster."""

    side: ClassVar[Side] = "intro"


def take(extracted: Extracted, rows: NDArray[np.int64]) -> Extracted:
    """The extracted items of `rows` (int64), in that order."""
    if isinstance(extracted, np.ndarray):
        return extracted[rows]
    return [extracted[int(row)] for row in rows]
