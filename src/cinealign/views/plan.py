"""What a run has before it: which steps are in the feature store, and how long the others take on this machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from cinealign.errors import ModelError
from cinealign.progress import lasting
from cinealign.views.base import View
from cinealign.views.pace import foretold_rate
from cinealign.views.store import FeatureStore

_MADE_BY = ("engine", "reader")
"""Settings that no recipe chooses: where they differ, another version of the program computed the values."""


@dataclass(frozen=True)
class Step:
    """One kind of value that a view asks the store for."""

    view: str
    items: int
    missing: int
    rate: float | None
    """Items a second when this was last computed here, else as foretold; None where neither is known."""
    outdated: int
    """Items of the missing ones that another version has computed."""

    def line(self) -> str:
        """The step in words: "lettering: 2,938 to compute, about 4 min 40 s"."""
        if not self.missing:
            return f"{self.view}: all {self.items:,} in the feature store"
        found = f", {self.items - self.missing:,} in the feature store" if self.missing < self.items else ""
        time = f"about {lasting(self.missing / self.rate)}" if self.rate else "time not known before it begins"
        why = (
            f" ({self.outdated:,} were computed by another version with other settings; these are kept but not used)"
            if self.outdated
            else ""
        )
        return f"{self.view}: {self.missing:,} to compute{found}, {time}{why}"


def planned_steps(
    views: Mapping[str, View[Any]], items: Mapping[str, Sequence[Any]], store: FeatureStore
) -> list[Step]:
    """The steps of `views` in turn, each once; nothing is computed.

    A step that needs the result of another one is known only where that one is in the store: an encoder sees the lettering.

    Args:
        views: by name in the recipe.
        items: the posters and intros of all movies, by the side of a view.
        store: where values are looked up.
    """
    looking = _Looking(store)
    for view in views.values():
        try:
            view.extract(items[view.side], looking)
        except (_NotKnownError, ModelError):  # missing weights are said when they are wanted
            continue
    return list(looking.steps.values())


class _NotKnownError(Exception):
    """Thrown where a view wants a value that is not there, or that says nothing of further steps."""


class _Looking(FeatureStore):
    """A store that counts what it is asked for, and gives records that are all there."""

    def __init__(self, store: FeatureStore) -> None:
        super().__init__(store.folder)
        self.steps: dict[tuple[str, frozenset[str]], Step] = {}

    def records(
        self,
        view: str,
        settings: Mapping[str, Any],
        digests: Sequence[str],
        compute: Callable[[list[int]], Sequence[Any]],
        *,
        batch_size: int = 32,
    ) -> list[Any]:
        """The records, where all are there."""
        if self._count(view, settings, digests):
            raise _NotKnownError
        return super().records(view, settings, digests, compute, batch_size=batch_size)

    def arrays(self, view: str, settings: Mapping[str, Any], digests: Sequence[str], *_: Any, **__: Any) -> NoReturn:
        """Counts only."""
        self._count(view, settings, digests)
        raise _NotKnownError

    def sequences(self, view: str, settings: Mapping[str, Any], digests: Sequence[str], *_: Any, **__: Any) -> NoReturn:
        """Counts only."""
        self.arrays(view, settings, digests)

    def _count(self, view: str, settings: Mapping[str, Any], digests: Sequence[str]) -> int:
        missing = self.missing(view, settings, digests)
        key = (self.path(view, settings).name, frozenset(digests))
        if key not in self.steps:
            outdated = self._outdated(view, settings, digests) if missing else 0
            rate = (self.rate(view, settings) or foretold_rate(view, settings)) if missing else None
            self.steps[key] = Step(view, len(set(digests)), missing, rate, min(outdated, missing))
        return missing

    def _outdated(self, view: str, settings: Mapping[str, Any], digests: Sequence[str]) -> int:
        """The most items that a file of the same view by another version holds."""
        made_by = [settings.get(key) for key in _MADE_BY]
        held = [0]
        for entry in self.info():
            old = entry.settings
            if entry.view == view and old is not None and [old.get(key) for key in _MADE_BY] != made_by:
                held.append(len(set(digests)) - self.missing(view, old, digests))
        return max(held)
