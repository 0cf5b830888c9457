"""train.txt of a downloaded catalogue: the user's own list, or a seeded random one that is not the assignment's."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from cinealign.data.download.files import STATE, DownloadFolder
from cinealign.data.split import new_split
from cinealign.data.split.record import TRAIN_FILE
from cinealign.data.split.train_file import TrainIds, choose_reading, read_train_file
from cinealign.errors import ConfigError, DataError

_WRITTEN = f"{STATE}/train.sha256"
"""The digest of the train.txt that a download wrote; another one is the user's and is left alone."""


def write_split(
    folder: DownloadFolder,
    ids: Sequence[int],
    known_ids: Sequence[int],
    *,
    train: Path | None,
    train_ids: TrainIds,
    seed: int,
) -> str:
    """Write train.txt and split.json, and say in one line what they are.

    Args:
        folder: the catalogue's folder.
        ids: movies that have a poster, in row order.
        known_ids: all movies of the table.
        train: the user's own list; None draws one.
        train_ids: what `train` holds.
        seed: of the draw.
    Raises:
        ConfigError: `train` holds row numbers and nobody has said that they count these posters.
        DataError: `train` cannot be used.
    """
    if not ids:
        return "train.txt: not written, as no movie has a poster"
    there = folder.read(TRAIN_FILE)
    if train is None and there is not None and _digest(there) != (folder.read(_WRITTEN) or b"").decode():
        return "train.txt: kept, as it is not the one that a download wrote"
    row_of = {movie_id: row for row, movie_id in enumerate(ids)}
    settings: dict[str, Any]
    if train is None:
        kind, settings, lost = "random", {"share": new_split.SHARE, "seed": seed}, ""
        rows = [row_of[movie_id] for movie_id in draw_train_ids(ids, known_ids, seed)]
    else:
        chosen = _own_train_ids(train, ids, known_ids, train_ids)
        kind, settings = "list", {"file": train.name}
        rows = sorted(row_of[movie_id] for movie_id in chosen if movie_id in row_of)
        lost = f"; {len(chosen) - len(rows):,} that it names have no poster here" if len(rows) < len(chosen) else ""
        if not rows:
            raise DataError(f"--train {train} names no movie that has a poster here; is it from another data set?")
    record = new_split.write_split(folder.path, ids, new_split.NewSplit(kind, rows, settings), force=True)
    folder.write(_WRITTEN, record.digest.encode())
    return f"{record.line()}; {record.train:,} train, {record.held_out:,} held-out{lost}"


def draw_train_ids(ids: Sequence[int], known_ids: Sequence[int], seed: int) -> list[int]:
    """60 % of `ids` at random, sorted. A movie more or less changes the others hardly, as all `known_ids` are shuffled."""
    order = sorted(known_ids)
    random.Random(seed).shuffle(order)
    present = set(ids)
    shuffled = [movie_id for movie_id in order if movie_id in present]
    return sorted(shuffled[: round(new_split.SHARE * len(shuffled))])


def _own_train_ids(train: Path, ids: Sequence[int], known_ids: Collection[int], asked: TrainIds) -> list[int]:
    listed = read_train_file(train)
    if choose_reading(listed, ids, known_ids, asked) == "ids":
        return [number.value for number in listed.numbers]
    if asked != "rows":
        raise ConfigError(
            f"--train {train} holds row numbers, which count the posters of the folder it was made for, and here are "
            f"{len(ids):,}; give movie ids, or pass --train-ids rows if it was made for just these"
        )
    return [ids[number.value] for number in listed.numbers]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
