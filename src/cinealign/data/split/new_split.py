"""Making a split: the source's own, a given list, by chance, by group, by year. Written as train.txt and split.json."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from cinealign.data.split.record import SPLIT_FILE, TRAIN_FILE, SplitRecord
from cinealign.data.tables import listed, whole_number
from cinealign.errors import ConfigError, DataError
from cinealign.out import write_whole

SHARE = 0.6
TRAIN_WORDS = frozenset({"train", "training", "trn", "true", "yes", "训练", "训练集"})
"""What a column for the split says of a train item, in any case."""


@dataclass(frozen=True)
class NewSplit:
    """Which rows are train, and what decided it."""

    kind: str
    train: list[int]
    settings: Mapping[str, Any] = field(default_factory=dict)


def says_train(text: str, train_value: str | None = None, column: str = "") -> bool:
    """Whether a cell of a column for the split names a train item.

    Args:
        text: the cell.
        train_value: what it says of one, several with commas between; None accepts `TRAIN_WORDS`, and in a column called
            is_train, or train, also 1.
        column: its name.
    """
    plain = text.strip().casefold()
    if train_value is not None:
        value = train_value.strip().casefold()
        return plain == value or plain in [each.strip() for each in value.split(",")]
    asks = column.strip().casefold().replace(" ", "_") in ("is_train", "istrain", "train", "is_training")
    return plain in TRAIN_WORDS or (asks and whole_number(plain) == 1)


def own_split(cells: Sequence[str], column: str, train_value: str | None = None) -> NewSplit:
    """The split that a column tells.

    Args:
        cells: the column, one cell a row.
        column: its name.
        train_value: what it says of a train item; None accepts `TRAIN_WORDS`.
    Raises:
        DataError: no row is train.
    """
    rows = [row for row, cell in enumerate(cells) if says_train(cell, train_value, column)]
    if not rows:
        said = listed(dict.fromkeys(repr(cell) for cell in cells), 5)
        raise DataError(f"column {column!r} names no train item; it says {said}: pass the one that means train")
    settings = {"column": column} if train_value is None else {"column": column, "train": train_value}
    return NewSplit("own", rows, settings)


def random_split(n: int, *, share: float = SHARE, seed: int = 0) -> NewSplit:
    """`share` of `n` rows by chance; the same seed draws the same rows.

    Raises:
        ConfigError: `share` is not within 0 and 1.
        DataError: one side would be empty.
    """
    check_chance(share, seed)
    count = min(max(round(share * n), 1), n - 1)
    if n < 2:
        raise DataError(f"a split needs two items at least, there {'is' if n == 1 else 'are'} {n}")
    chosen = np.random.default_rng(seed).permutation(n)[:count]
    return NewSplit("random", sorted(chosen.tolist()), {"share": share, "seed": seed})


def group_split(
    groups: Sequence[Collection[str]], *, share: float = SHARE, seed: int = 0, what: str = "group"
) -> NewSplit:
    """About `share` of the rows by chance, such that rows that share a group are on one side.

    Rows that are joined by a chain of groups count as one block. Blocks are drawn in random order, and one that would
    overshoot the share is held out.

    Args:
        groups: the groups of every row; a row without any stands for itself.
        share, seed: as in `random_split`.
        what: what the groups are, for the record.
    Raises:
        ConfigError: `share` is not within 0 and 1.
        DataError: no row is in a group, or one side would be empty.
    """
    check_chance(share, seed)
    if not any(groups):
        raise DataError(f"no item has a {what}, so there is nothing to split by; choose another column or --by random")
    blocks = _blocks(groups)
    wanted, train = round(share * len(groups)), list[int]()
    for place in np.random.default_rng(seed).permutation(len(blocks)):
        if len(train) + len(blocks[place]) <= wanted:
            train += blocks[place]
    if not train or len(train) == len(groups):
        raise DataError(f"{what} joins {max(map(len, blocks))} of {len(groups)} items, so no split keeps them together")
    settings = {"by": what, "blocks": len(blocks), "share": round(len(train) / len(groups), 4), "seed": seed}
    return NewSplit("group", sorted(train), settings)


def split_by_chance(pictures: Sequence[str], *, share: float = SHARE, seed: int = 0) -> NewSplit:
    """A random split that leaves no picture on both sides; where each row has its own, `random_split`.

    Args:
        pictures: what tells pictures apart, such as a digest, one a row.
        share, seed: as in `random_split`.
    Raises:
        ConfigError: `share` is not within 0 and 1, or `seed` is negative.
        DataError: one side would be empty.
    """
    if len(set(pictures)) == len(pictures):
        return random_split(len(pictures), share=share, seed=seed)
    return group_split([[each] for each in pictures], share=share, seed=seed, what="picture")


def on_both_sides(pictures: Sequence[str], split: NewSplit) -> int:
    """How many pictures are those of train and of held-out rows."""
    train = {pictures[row] for row in split.train}
    chosen = set(split.train)
    return len(train & {each for row, each in enumerate(pictures) if row not in chosen})


def year_split(years: Sequence[int | None], before: int | None = None, *, share: float = SHARE) -> NewSplit:
    """Rows of years before `before` are train, later ones held out, and so are rows without a year.

    Args:
        years: one a row.
        before: None takes the year that brings the train rows nearest to `share`.
        share: of all rows.
    Raises:
        DataError: no row has a year, or one side would be empty.
    """
    check_chance(share)
    known = sorted({year for year in years if year is not None})
    if not known:
        raise DataError("no item has a year, so there is nothing to split by; give a column year, or --by random")

    def count(limit: int) -> int:
        return sum(year is not None and year < limit for year in years)

    if before is None:
        before = min(known[1:], key=lambda limit: abs(count(limit) - share * len(years)), default=known[0])
    train = [row for row, year in enumerate(years) if year is not None and year < before]
    if not train or len(train) == len(years):
        raise DataError(
            f"{len(train)} of {len(years)} items are from before {before}; years are {known[0]} to {known[-1]}"
        )
    unknown = sum(year is None for year in years)
    return NewSplit("year", train, {"before": before, **({"without a year": unknown} if unknown else {})})


def write_split(folder: Path, ids: Sequence[int], split: NewSplit, *, force: bool = False) -> SplitRecord:
    """Write train.txt (the train items' ids, one a line) and split.json to `folder`; each appears whole.

    Args:
        folder: a catalogue folder.
        ids: the ids of all rows, which `split.train` are rows of.
        split: what to write.
        force: replace a train.txt that lies there.
    Raises:
        DataError: there is a train.txt.
        ConfigError: the folder cannot be written.
    """
    if (folder / TRAIN_FILE).exists() and not force:
        raise DataError(f"{folder / TRAIN_FILE} exists; pass --force to replace it")
    listing = "".join(f"{ids[row]}\n" for row in split.train).encode()
    record = replace(
        SplitRecord(split.kind, split.settings),
        train=len(split.train),
        held_out=len(ids) - len(split.train),
        digest=hashlib.sha256(listing).hexdigest(),
    )
    said = (json.dumps(record.to_json(), ensure_ascii=False, indent=1) + "\n").encode()
    for name, content in ((SPLIT_FILE, said), (TRAIN_FILE, listing)):
        write_whole(folder / name, content, advice="copy the folder first")
    return record


def check_chance(share: float, seed: int = 0) -> None:
    """Refuse a share or a seed that no split can be drawn with.

    Raises:
        ConfigError: `share` is not within 0 and 1, or `seed` is negative.
    """
    if not 0 < share < 1:
        raise ConfigError(f"the share of train items must be between 0 and 1, got {share}")
    if seed < 0:
        raise ConfigError(f"the seed must be 0 or more, got {seed}")


def _blocks(groups: Sequence[Collection[str]]) -> list[list[int]]:
    """Rows joined by their groups, each block in row order, blocks by their first row."""
    leader = list(range(len(groups)))

    def root(row: int) -> int:
        while leader[row] != row:
            leader[row] = leader[leader[row]]
            row = leader[row]
        return row

    met: dict[str, int] = {}
    for row, names in enumerate(groups):
        for name in names:
            first, second = sorted((root(row), root(met.setdefault(name, row))))
            leader[second] = first
    blocks: dict[int, list[int]] = {}
    for row in range(len(groups)):
        blocks.setdefault(root(row), []).append(row)
    return list(blocks.values())
