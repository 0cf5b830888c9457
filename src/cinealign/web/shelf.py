"""What is served: an index, the run that it was made from, other runs of the same data, and the model, warm."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cinealign.errors import DataError, as_argument
from cinealign.evaluation.metrics import ranks_both_ways
from cinealign.progress import say
from cinealign.run import Run
from cinealign.run_data import RunData
from cinealign.search.answer import Answer
from cinealign.search.build import build_index
from cinealign.search.calibration import FEWEST
from cinealign.search.folder import is_index
from cinealign.search.index import Index
from cinealign.search.items import SPLIT, TRAIN, Item
from cinealign.search.map import Map, draw_map, stored_map
from cinealign.search.run_index import PLACE
from cinealign.web.audits import AuditDesk
from cinealign.web.pictures import PosterShelf
from cinealign.web.questions import Question

ALL_RANKED = 20_000
"""Items up to which the place of every partner is counted where no run has it."""
NEAREST_TRAIN = 5
"""Train items that stand beside each side of a pair."""


class Shelf:
    """Read by every request; what it makes on demand is made once."""

    def __init__(self, index: Index, run: Run | None = None, others: Sequence[Run] = ()) -> None:
        """Args:
        index: what is searched.
        run: that it was made from.
        others: further runs of the same data, for comparing.
        """
        self.index, self.run = index, run
        self.posters, self.audits = PosterShelf(), AuditDesk()
        self.runs = {each.folder.resolve().name: each for each in [*([run] if run else []), *others]}
        self._mapping = threading.Lock()
        self._map: Map | None = None
        self._map_error: str | None = None
        self._map_thread: threading.Thread | None = None
        self.map_progress = 0.0
        """Share of the map that is drawn, while it is being drawn."""

    @classmethod
    def of(cls, folder: Path, *, data: Path | None = None, compare: Sequence[Path] = ()) -> Shelf:
        """What is in `folder`: an index, or a run, whose index is made first where it has none.

        Args:
            folder: an index folder or a run directory.
            data: the data folder, where it is not at its place any more.
            compare: further runs; those beside the run are found by themselves.
        Raises:
            DataError: neither an index nor a run, or a run to compare of other data.
        """
        if is_index(folder):
            index = Index.open(folder)
            run = _run_of(index, folder)
        else:
            run = Run(folder)
            index = _index_of(run, data)
        others = [] if run is None else _beside(run)
        for each in map(Run, compare):
            if run is None or each.catalogue["digest"] != run.catalogue["digest"]:
                raise DataError(f"{each.folder} was made from other data than {folder}; compare runs of one catalogue")
            others.append(each)
        return cls(index, run, others)

    def warm(self) -> None:
        """Load and run all that a first search needs."""
        for side, what in (("intro", "texts"), ("poster", "pictures")):
            say(f"loading the model for {what}")
            self.index.encoder.warm(side)  # type: ignore[arg-type]
        self.index.search(text="a poster and its intro", limit=1)

    def item(self, item_id: str) -> Item | None:
        """The item of that id."""
        return self.index.items.of_id(item_id)

    def browse(self, question: Question) -> tuple[list[Item], int]:
        """Items that pass the filters, without a search: one page, and how many there are."""
        keys = self.index.items.matching(question.filters())
        page = keys[question.offset : question.offset + question.limit]
        items = self.index.items.of_keys(page.tolist())
        return [items[int(key)] for key in page], len(keys)

    @cached_property
    def genres(self) -> list[str]:
        """Of all items."""
        return self.index.items.facet_values("genre")

    @cached_property
    def splits(self) -> list[str]:
        """Of all items."""
        return self.index.items.facet_values("split")

    def nearest_train(self, item: Item, side: Literal["poster", "intro"]) -> Answer:
        """The train items most like one side of an item: what the model has learned from; empty where none is known."""
        if TRAIN not in self.splits:
            return Answer()
        like = f"{item.item_id}:{side}"
        return self.index.search(like=like, side=side, where={SPLIT: TRAIN}, limit=NEAREST_TRAIN)

    @cached_property
    def years(self) -> tuple[int, int] | None:
        """The first and the last; None where none is known."""
        known = [item.year for item in self.all_items if item.year is not None]
        return (min(known), max(known)) if known else None

    @cached_property
    def all_items(self) -> list[Item]:
        """By key."""
        return list(self.index.items.all())

    @cached_property
    def ranks(self) -> dict[str, dict[str, int]] | None:
        """Direction -> id -> place of its partner, as the run has it, else by the index; None for more than 20,000 items."""
        if self.run is not None and self.run.has_vectors:
            ids = [str(each) for each in self.run.ids.tolist()]
            found = ranks_both_ways(*self.run.vectors, self.run.ids)
        else:
            both = [item for item in self.all_items if item.poster_digest and item.intro_digest]
            if not 1 < len(both) <= ALL_RANKED:
                return None
            ids = [item.item_id for item in both]
            found = ranks_both_ways(self._rows("poster", both), self._rows("intro", both), np.arange(len(both)))
        return {direction: dict(zip(ids, ranks.tolist(), strict=True)) for direction, ranks in found.items()}

    def _rows(self, side: Any, items: Sequence[Item]) -> NDArray[np.float32]:
        keys = np.array([item.key for item in items], dtype=np.int64)
        return self.index.space.unstored(side, self.index.engines[side].take(keys))

    def run_data(self) -> RunData:
        """The run with its data folder.

        Raises:
            DataError: no run, or its data is gone or another.
        """
        if self.run is None:
            raise DataError("this index stands without the run that it was made from")
        return RunData.find(self.run)

    def map(self) -> Map | None:
        """The map, if it is drawn; else it is begun in the background, once.

        Raises:
            DataError: it could not be drawn.
        """
        with self._mapping:
            if self._map_error is not None:
                raise DataError(self._map_error)
            if self._map is None and self._map_thread is None:
                self._map = stored_map(self.index)
                if self._map is None:
                    self._map_thread = threading.Thread(target=self._draw_map, name="cinealign map", daemon=True)
                    self._map_thread.start()
            return self._map

    def _heard(self, share: float) -> None:
        self.map_progress = share

    def _draw_map(self) -> None:
        try:
            made, error = draw_map(self.index, heard=self._heard), None
        except Exception as caught:  # a page says so; the thread has nobody to raise it to
            made, error = None, f"the map cannot be drawn: {caught}"
        with self._mapping:
            self._map, self._map_error = made, error


def _run_of(index: Index, folder: Path) -> Run | None:
    """The run in whose directory an index lies, if it is the one that it was made from."""
    home = folder.resolve().parent
    if not (home / "metrics.json").is_file():
        return None
    run = Run(home)
    return run if run.catalogue["digest"] == index.card.get("run", {}).get("digest") else None


def _index_of(run: Run, data: Path | None) -> Index:
    place = run.folder / PLACE
    if is_index(place):
        index = Index.open(place)
        if index.card["run"]["digest"] == run.catalogue["digest"]:
            return index
        raise DataError(
            f"{place} is of other data than {run.folder}; make it again: cinealign index {as_argument(run.folder)} --force"
        )
    chances = len(run.train_rows) >= FEWEST
    say(f"{run.folder} has no index yet; making it now, once, in {place}; Ctrl-C stops, the same command goes on")
    if chances:
        folds = run.recipe.fusion.folds
        say(
            f"its chances need {folds} more trainings on parts of the {len(run.train_rows):,} train pairs, about {folds} times "
            f"as long as training took; an index without chances takes seconds: "
            f"cinealign index {as_argument(run.folder)} --no-chances"
        )
    else:
        say(f"it has no chances, for which {FEWEST} train pairs are needed")
    return build_index(RunData.find(run, data), place, chances=chances)


def _beside(run: Run) -> list[Run]:
    """Finished runs of the same data in the same folder."""
    found = []
    for path in sorted(run.folder.resolve().parent.iterdir()):
        if path == run.folder.resolve() or not (path / "metrics.json").is_file():
            continue
        other = Run(path)
        try:
            same = other.catalogue["digest"] == run.catalogue["digest"] and other.has_vectors
        except (DataError, KeyError):  # half a run, or something else; it cannot be compared
            continue
        if same:
            found.append(other)
    return found
