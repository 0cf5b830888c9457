"""train.txt of a downloaded catalogue: the user's own list, or a seeded random one that is not the assignment's."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Collection, Sequence
from pathlib import Path

from cinealign.data.download.files import STATE, DownloadFolder
from cinealign.data.split import TrainIds, TrainList, TrainNumber, choose_reading, read_train_file
from cinealign.errors import ConfigError, DataError

TRAIN_SHARE = 0.6
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
    """Write train.txt and say in one line what it is.

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
    there = folder.read("train.txt")
    if train is None and there is not None and _digest(there) != (folder.read(_WRITTEN) or b"").decode():
        return "train.txt: kept, as it is not the one that a download wrote"
    if train is None:
        chosen, content = _drawn(ids, known_ids, seed)
        share = f"{len(chosen):,} of {len(ids):,} movies at random (seed {seed}); it is not the assignment's split"
    else:
        chosen = _own_train_ids(train, ids, known_ids, train_ids)
        share = f"{len(chosen):,} movies from {train}"
        content = _lines(chosen, ids, known_ids)
    folder.write("train.txt", content)
    folder.write(_WRITTEN, _digest(content).encode())
    return f"train.txt: {share}"


def _drawn(ids: Sequence[int], known_ids: Sequence[int], seed: int) -> tuple[list[int], bytes]:
    """A random split and its lines. A few movies can happen to read both as ids and as row numbers: then draw again."""
    for draw in range(100):
        chosen = draw_train_ids(ids, known_ids, seed if draw == 0 else f"{seed} again {draw}")
        try:
            return chosen, _lines(chosen, ids, known_ids)
        except DataError:
            continue
    raise DataError(f"no split of {len(ids)} movies can be told from row numbers; give your own with --train")


def draw_train_ids(ids: Sequence[int], known_ids: Sequence[int], seed: int | str) -> list[int]:
    """60 % of `ids` at random, sorted. A movie more or less changes the others hardly, as all `known_ids` are shuffled."""
    order = sorted(known_ids)
    random.Random(seed).shuffle(order)
    present = set(ids)
    shuffled = [movie_id for movie_id in order if movie_id in present]
    return sorted(shuffled[: round(TRAIN_SHARE * len(shuffled))])


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


def _lines(chosen: Sequence[int], ids: Sequence[int], known_ids: Collection[int]) -> bytes:
    """`chosen` as ids, or as row numbers where ids could be taken for them."""
    row_of = {movie_id: row for row, movie_id in enumerate(ids)}
    rows = [row_of[movie_id] for movie_id in chosen if movie_id in row_of]
    for numbers, meant in ((chosen, "ids"), (rows, "rows")):
        listed = TrainList(tuple(TrainNumber(value, line) for line, value in enumerate(numbers, 1)), (), "utf-8")
        try:
            read_as = choose_reading(listed, ids, known_ids, "auto")
        except DataError:
            continue
        if read_as == meant or [ids[value] for value in numbers] == list(chosen):
            return "".join(f"{value}\n" for value in numbers).encode()
    raise DataError(
        "the train list can be written neither as ids nor as row numbers so that a reader could tell which; "
        "name other movies in --train"
    )


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
