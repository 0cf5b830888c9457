"""split.json: how train.txt was made. It counts only for the train.txt that it was written with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

SPLIT_FILE, TRAIN_FILE = "split.json", "train.txt"
MEANINGS = {
    "own": "the source's own",
    "list": "a given list",
    "random": "random",
    "group": "by group",
    "year": "by year",
}
"""Kind of a split -> its name for the user."""


@dataclass(frozen=True)
class SplitRecord:
    """How a split was made.

    Attributes:
        kind: one of `MEANINGS`.
        settings: what decided it: seed, share, column, year ...
        train, held_out: how many items are on each side.
        digest: sha256 of the bytes of train.txt, which holds item ids.
    """

    kind: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    train: int = 0
    held_out: int = 0
    digest: str = ""

    def line(self) -> str:
        """The split in one line, for the user."""
        said = ", ".join(f"{name} {value}" for name, value in self.settings.items())
        whose = "" if self.kind in ("own", "list") else "; drawn here, not the assignment's"
        return f"split: {MEANINGS[self.kind]}{f' ({said})' if said else ''}{whose}"

    def to_json(self) -> dict[str, Any]:
        """As split.json holds it."""
        return {**asdict(self), "settings": dict(self.settings), "numbers": "ids"}


def read_split_record(folder: Path) -> SplitRecord | None:
    """The record in `folder`; None where there is none, or none of the train.txt that lies there."""
    try:
        content = json.loads((folder / SPLIT_FILE).read_text(encoding="utf-8"))
        digest = hashlib.sha256((folder / TRAIN_FILE).read_bytes()).hexdigest()
        if content["digest"] != digest or content["kind"] not in MEANINGS:
            return None
        settings = {str(name): value for name, value in content["settings"].items()}
        return SplitRecord(content["kind"], settings, int(content["train"]), int(content["held_out"]), digest)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
