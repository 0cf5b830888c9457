"""One poster beside one intro of an index, any two of them: score, shares, places both ways, and what speaks for the pair."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cinealign.data.posters import read_poster
from cinealign.errors import DataError
from cinealign.search import query as asking
from cinealign.search.answer import Answer, Hit
from cinealign.search.folder import Side
from cinealign.search.index import BACKGROUND, Index
from cinealign.search.items import Item
from cinealign.search.query import Part
from cinealign.search.reasons import Reason, painted_over, reasons

TIE = 1e-6
AT_ONCE = 50_000
"""Rows that are compared in one go when a place is counted."""


@dataclass(frozen=True)
class Pair:
    """A poster and an intro.

    Attributes:
        poster, intro: the items whose sides they are.
        score: the model's product.
        shares: part of the model -> what it adds to the score.
        usual: part of the model -> mean and standard deviation of what it adds for this poster with other intros.
        places: direction -> (place of the other side among all, how many there are); ties count against it.
        chances: direction -> the probability that this is the partner; None where the index has no chances.
    """

    poster: Item
    intro: Item
    score: float
    shares: Mapping[str, float]
    usual: Mapping[str, tuple[float, float]]
    places: Mapping[str, tuple[int, int]]
    chances: Mapping[str, float | None]


def pair_of(index: Index, poster: Item, intro: Item) -> Pair:
    """How well the poster of one item and the intro of another fit; nothing is encoded.

    Raises:
        DataError: one of them lacks that side.
    """
    to_intro, to_poster = asked(index, poster, "poster", intro), asked(index, intro, "intro", poster)
    return Pair(
        poster=poster,
        intro=intro,
        score=to_poster.score,
        shares=to_poster.shares or {},
        usual=usual_shares(index, poster, intro),
        places={
            "poster_to_intro": (to_intro.place, index.engines["intro"].count()),
            "intro_to_poster": (to_poster.place, index.engines["poster"].count()),
        },
        chances={"poster_to_intro": to_intro.chance, "intro_to_poster": to_poster.chance},
    )


def asked(index: Index, item: Item, side: Side, other: Item) -> Hit:
    """What a search with one side of `item` says of `other`, however far down it stands.

    Args:
        index: of both items.
        item, side: what is asked with.
        other: whose other side is looked at.
    Raises:
        DataError: one of them lacks that side.
    """
    target: Side = "intro" if side == "poster" else "poster"
    missing = other.poster_digest is None if target == "poster" else other.intro_digest is None
    if missing:
        raise DataError(f"item {other.item_id} has no {target}; a pair needs a poster and an intro")
    looked = asking.look(index, [Part("like", f"{item.item_id}:{side}")])
    direction = asking.direction(index, looked, target)
    assert direction.crossed is not None
    row = index.space.unstored(target, index.engines[target].take(np.array([other.key], dtype=np.int64)))[0]
    score = float(row @ direction.crossed)
    place = 1 + _as_near(index, target, direction.crossed, score, other.key)
    answer = Answer([Hit(other.item_id, target, other.title, score, None, None, other, place)])
    index.judge(answer, direction, looked[0])
    return answer[0]


def usual_shares(index: Index, poster: Item, but: Item) -> dict[str, tuple[float, float]]:
    """Part -> mean and standard deviation of what it adds to the scores of `poster` with the intros of other items.

    Without it a share says little: a part can add much to every intro alike. At most 4,096 intros are looked at.

    Args:
        index: of both items.
        poster: whose poster.
        but: whose intro is left out.
    """
    keys = index.engines["intro"].keys()
    keys = keys[keys != but.key]
    if len(keys) > BACKGROUND:
        keys = np.sort(np.random.default_rng(0).choice(keys, BACKGROUND, replace=False))
    if not len(keys):
        return {}
    intros = index.space.unstored("intro", index.engines["intro"].take(keys))
    row = index.space.unstored("poster", index.engines["poster"].take(np.array([poster.key], dtype=np.int64)))
    shares = index.space.shares(np.broadcast_to(row, intros.shape), intros).astype(np.float64)
    return {
        block.name: (float(mean), float(spread))
        for block, mean, spread in zip(index.space.blocks, shares.mean(axis=0), shares.std(axis=0), strict=True)
    }


def pair_reason(index: Index, pair: Pair, *, cover: bool = False) -> Reason:
    """What speaks for a pair: words of the intro, lines of the poster's lettering, and parts of the poster where asked for.

    Args:
        index: of the pair.
        pair: as `pair_of` gives it.
        cover: whether to paint over parts of the poster, some twenty looks of the model.
    Raises:
        DataError: the poster's file is gone or another one.
    """
    hit = Hit(pair.poster.item_id, "poster", pair.poster.title, pair.score, None, pair.shares, pair.poster, 1)
    answer = Answer([hit])
    answer.parts = (Part("text", pair.intro.intro or pair.intro.title),)
    found = reasons(index, answer)[0]
    if not cover:
        return found
    told = Answer([replace(hit, side="intro", item=pair.intro)])
    row = index.space.unstored("intro", index.engines["intro"].take(np.array([pair.intro.key], dtype=np.int64)))
    return replace(found, cells=painted_over(index, picture_of(pair.poster), told, row)[0])


def picture_of(item: Item) -> bytes:
    """The bytes of an item's poster, which are what they were when the index was made.

    Raises:
        DataError: the item has no picture file, or it is gone, or holds something else now.
    """
    if item.picture is None:
        raise DataError(f"item {item.item_id} has no picture file")
    poster, content = read_poster(Path(item.picture))
    if poster.digest != item.poster_digest:
        raise DataError(f"the poster of item {item.item_id} is another one than when the index was made")
    return content


def _as_near(index: Index, target: Side, vector: NDArray[np.float32], score: float, but: int) -> int:
    """How many rows of a side but one score at least as high."""
    engine, count = index.engines[target], 0
    keys = engine.keys()
    for start in range(0, len(keys), AT_ONCE):
        part = keys[start : start + AT_ONCE]
        scores = index.space.unstored(target, engine.take(part)) @ vector
        count += int(np.count_nonzero((scores >= score - TIE) & (part != but)))
    return count
