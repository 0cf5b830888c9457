"""What was read and what was dropped on the way to a catalogue: counted, named, nothing in silence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cinealign.data.split.record import SplitRecord
from cinealign.data.split.train_file import ReadAs
from cinealign.data.tables import listed

NO_POSTER = "items without a poster"
UNREADABLE = "posters that cannot be used"
NO_INTRO = "items without an intro"
REPEATED_ROW = "rows that repeat another word for word"
STRANGE_INTRO = "intros of ids that no item has"
STRANGE_POSTER = "posters without a row"
STRANGE_FILE = "files in the poster folder that are not named ID.jpg, ID.png or ID.webp"
REPEATED_NUMBER = "repeated numbers in train.txt"
LOST_NUMBER = "numbers in train.txt that point at a dropped item"


@dataclass(frozen=True)
class Drop:
    """Things left out for one reason; `names` has one entry each: a movie id, a row, a file with its fault."""

    reason: str
    names: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many were left out."""
        return len(self.names)


@dataclass(frozen=True)
class CatalogueReport:
    """How a folder became a catalogue.

    `read` counts rows of the movie table, `kept` the movies of the catalogue (N), `encodings` gives that of every text
    file, `train_read_as` says what train.txt holds and `train_asked` whether that was decided ("auto") or given;
    `missing_intro_asked` says what was to be done with items without an intro. `split` is how train.txt was made, where
    that is known, and `noun` what one thing of the catalogue is called;
    `assignment` is False for what `cinealign data import` made, of which there is no course score.
    """

    read: int
    kept: int
    train: int
    drops: tuple[Drop, ...]
    encodings: dict[str, str]
    train_read_as: ReadAs
    train_asked: str
    missing_intro_asked: str
    notes: tuple[str, ...]
    split: SplitRecord | None = None
    noun: str = "movie"
    assignment: bool = True

    def dropped(self, reason: str) -> int:
        """How many were left out for `reason`."""
        return sum(drop.count for drop in self.drops if drop.reason == reason)

    def lines(self) -> list[str]:
        """The report for a terminal: the numbers in the first line, then files, drops and notes, a line each."""
        meaning = {
            "rows": "row numbers, counted from 0 over the items that have a poster",
            "ids": "item ids",
        }[self.train_read_as]
        decided = "as split.json says" if self.split is not None else "decided, as every number fits"
        how = "as asked" if self.train_asked != "auto" else decided
        files = ", ".join(f"{name} ({encoding})" for name, encoding in self.encodings.items())
        return [
            f"{self.read:,} {self.noun}s read, {self.dropped(NO_POSTER):,} dropped: no poster, "
            f"N = {self.kept}, {self.train:,} train rows",
            f"files: {files}",
            f"train.txt holds {meaning} ({how}); held out: {self.kept - self.train:,}",
            *([self.split.line()] if self.split is not None else []),
            *(f"dropped: {drop.reason}: {drop.count:,} ({listed(drop.names)})" for drop in self.drops),
            *(f"note: {note}" for note in self.notes),
        ]

    def to_json(self) -> dict[str, Any]:
        """The same as JSON values, with every name."""
        return {
            "movies_read": self.read,
            "n": self.kept,
            "train_rows": self.train,
            "held_out_rows": self.kept - self.train,
            "train_read_as": self.train_read_as,
            "train_ids_asked": self.train_asked,
            "missing_intro_asked": self.missing_intro_asked,
            "split": None if self.split is None else self.split.to_json(),
            "encodings": dict(self.encodings),
            "drops": [{"reason": drop.reason, "count": drop.count, "names": list(drop.names)} for drop in self.drops],
            "notes": list(self.notes),
            "noun": self.noun,
            "assignment": self.assignment,
        }
