"""Why a hit: the parts of its score, the words of the text that carry it, and the lines of lettering that speak for it.

The share of a part is a product of two short pieces of the vectors and costs nothing. Words are weighed by leaving each out of
the text: one batch for all hits. A line of lettering is weighed by reading it as a text of its own. Parts of a picture are
weighed by painting over them, which asks the model some twenty times and is done when asked for only.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cinealign.data.intros import english_stop_words
from cinealign.data.posters import Poster, open_poster
from cinealign.search.answer import Answer, Hit
from cinealign.search.engines import Rows
from cinealign.search.folder import Side
from cinealign.search.index import Index
from cinealign.search.query import Looked, look

if TYPE_CHECKING:
    from PIL.Image import Image

ROWS, COLUMNS = 6, 4
MOST_WORDS, MOST_LINES = 60, 8
_WORD = re.compile(r"[^\W_]+(?:['’`-][^\W_]+)*")


@dataclass(frozen=True)
class Reason:
    """What speaks for one hit.

    Attributes:
        shares: part of the model -> what it adds to the score; empty where the score is no product of a poster and an intro.
        words: words of the text that was asked, in its order, each with how much the score falls without it; 0 of function
            words, which are not tried.
        lines: lines of lettering, of the hit or of the poster that was asked, each with its likeness, read as a text of its
            own, to the text that was asked or to the hit's intro: 1 for the same text, 0 for any other.
        cells: (rows, columns) how much the score falls when that part of the asked picture is painted over; None if not
            asked for.
    """

    shares: Mapping[str, float] = field(default_factory=dict)
    words: tuple[tuple[str, float], ...] = ()
    lines: tuple[tuple[str, float], ...] = ()
    cells: NDArray[np.float64] | None = None

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "shares": dict(self.shares),
            "words": [{"word": word, "drop": drop} for word, drop in self.words],
            "lines": [{"line": line, "likeness": likeness} for line, likeness in self.lines],
            "cells": None if self.cells is None else self.cells.round(6).tolist(),
        }


def reasons(index: Index, answer: Answer, *, cover: bool = False) -> list[Reason]:
    """Why each hit of an answer was found.

    Args:
        index: that gave the answer.
        answer: to a question of one part; the hits of a sum have no shares, and no reasons beyond likeness.
        cover: whether to paint over parts of the asked picture, some twenty looks of the model.
    """
    if len(answer.parts) != 1 or not answer:
        return [Reason(shares=hit.shares or {}) for hit in answer]
    (looked,) = look(index, answer.parts)
    found = [Reason(shares=hit.shares or {}) for hit in answer]
    rows = _rows(index, answer)
    if looked.part.kind == "text":
        words = _words(index, str(looked.part.value), answer, rows)
        found = [Reason(reason.shares, said) for reason, said in zip(found, words, strict=True)]
    lines = _lines(index, looked, answer, rows)
    found = [Reason(reason.shares, reason.words, said) for reason, said in zip(found, lines, strict=True)]
    if cover and looked.part.kind == "image":
        cells = painted_over(index, looked.part.value, answer, rows)
        found = [Reason(r.shares, r.words, r.lines, drop) for r, drop in zip(found, cells, strict=True)]
    return found


def words_of(text: str) -> list[tuple[int, int]]:
    """Where the words of a text begin and end."""
    return [(at.start(), at.end()) for at in _WORD.finditer(text)]


def without_each_word(text: str) -> tuple[list[tuple[int, int]], list[str]]:
    """Where the words are, and for each of them the text without it."""
    places = words_of(text)
    return places, [" ".join((text[:start] + text[end:]).split()) for start, end in places]


def grid_cells(rows: int = ROWS, columns: int = COLUMNS) -> list[tuple[float, float, float, float]]:
    """Left, top, right and bottom of the cells of a grid over a picture, as fractions of it, row by row."""
    return [
        (column / columns, row / rows, (column + 1) / columns, (row + 1) / rows)
        for row in range(rows)
        for column in range(columns)
    ]


def with_cell_painted(poster: Poster, cell: tuple[float, float, float, float]) -> Poster:
    """The poster with one rectangle in the poster's mean colour; it is painted when it is opened, and nothing is written.

    Args:
        poster: any poster.
        cell: left, top, right, bottom as fractions of width and height.
    """

    def painted() -> Image:
        from PIL import Image

        pixels: NDArray[np.uint8] = np.array(open_poster(poster))
        height, width = pixels.shape[:2]
        left, top, right, bottom = (round(part * size) for part, size in zip(cell, (width, height) * 2, strict=True))
        pixels[top:bottom, left:right] = np.round(pixels.mean(axis=(0, 1))).astype(np.uint8)
        return Image.fromarray(pixels)

    return Poster(hashlib.sha256(f"{poster.digest} covered {cell!r}".encode()).hexdigest(), painted)


def _rows(index: Index, answer: Answer) -> Rows:
    """(K, W) compact rows of the hits, each of its side."""
    rows = np.zeros((len(answer), index.space.width), dtype=np.float32)
    for side in {hit.side for hit in answer}:
        at = [place for place, hit in enumerate(answer) if hit.side == side]
        keys = np.array([answer[place].item.key for place in at], dtype=np.int64)
        rows[at] = index.space.unstored(side, index.engines[side].take(keys))
    return rows


def _words(index: Index, text: str, answer: Answer, rows: Rows) -> list[tuple[tuple[str, float], ...]]:
    """Of every hit how much its score falls without each word: the text itself is encoded along with its variants.

    Function words ("the", "of") are not tried and count 0: they are half of an intro, and what they cost is time.
    """
    places, texts = without_each_word(text)
    if len(places) < 2:
        return [()] * len(answer)
    named = [text[start:end] for start, end in places[:MOST_WORDS]]
    tried = [at for at, word in enumerate(named) if word.lower() not in english_stop_words()]
    compact = index.text_rows([text, *(texts[at] for at in tried)])
    scores = np.stack(
        [_scores(index, hit, row, compact) for hit, row in zip(answer, rows, strict=True)]
    )  # (K, 1 + tried words)
    drops = np.zeros((len(answer), len(named)))
    drops[:, tried] = scores[:, :1] - scores[:, 1:]
    return [tuple(zip(named, map(float, of_hit), strict=True)) for of_hit in drops]


def _scores(index: Index, hit: Hit, row: NDArray[np.float32], queries: Rows) -> NDArray[np.float32]:
    """What texts score with one hit: the model's product with a poster, the likeness to an intro."""
    if hit.side == "poster":
        product: NDArray[np.float32] = queries @ row
        return product
    return _likeness(index, queries, row[None])[:, 0]


def _likeness(index: Index, first: Rows, second: Rows) -> NDArray[np.float32]:
    """(A, B) cosines of texts about the mean of the intros."""
    mean = index.space.means["intro"]
    one, other = first - mean, second - mean
    lengths = np.linalg.norm(one, axis=1)[:, None] * np.linalg.norm(other, axis=1)[None]
    found: NDArray[np.float32] = (one @ other.T / np.maximum(lengths, 1e-9)).astype(np.float32)
    return found


def _lines(index: Index, looked: Looked, answer: Answer, rows: Rows) -> list[tuple[tuple[str, float], ...]]:
    """Lines of the hits' posters against the text that was asked, or of the asked poster against the hits' intros."""
    if "intro" in looked.vectors:
        texts = looked.vectors["intro"][None]
        lines = [list(hit.item.lettering or ())[:MOST_LINES] if hit.side == "poster" else [] for hit in answer]
        every = list(dict.fromkeys(line for of_hit in lines for line in of_hit))
        if not every:
            return [()] * len(answer)
        likeness = _likeness(index, index.text_rows(every), texts)[:, 0]
        told = dict(zip(every, map(float, likeness), strict=True))
        return [tuple((line, told[line]) for line in of_hit) for of_hit in lines]
    asked = _asked_lines(index, looked)[:MOST_LINES]
    intros = [place for place, hit in enumerate(answer) if hit.side == "intro"]
    if not asked or not intros:
        return [()] * len(answer)
    likeness = _likeness(index, index.text_rows(asked), rows[intros])
    found: list[tuple[tuple[str, float], ...]] = [()] * len(answer)
    for column, place in enumerate(intros):
        found[place] = tuple(zip(asked, map(float, likeness[:, column]), strict=True))
    return found


def _asked_lines(index: Index, looked: Looked) -> list[str]:
    if looked.item is not None:
        return list(looked.item.lettering or ())
    return list((index.lettering([looked.part.value]) or [()])[0])


def painted_over(index: Index, source: Any, answer: Answer, rows: Rows) -> list[NDArray[np.float64]]:
    """Of every hit (ROWS, COLUMNS) how much its score falls when that part of the poster in `source` is painted over.

    Args:
        index: that gave the answer.
        source: a poster as `Poster.of` takes it.
        answer: hits to ask of.
        rows: (K, W) their compact rows.
    """
    poster = Poster.of(source)
    variants = [poster, *(with_cell_painted(poster, cell) for cell in grid_cells())]
    compact = index.space.compact("poster", index.encoder.encode_posters(variants))
    side: Side = "intro"
    found = []
    for hit, row in zip(answer, rows, strict=True):
        other = row if hit.side == side else row - index.space.means["poster"]
        scores = (compact @ other).astype(np.float64)
        found.append((scores[0] - scores[1:]).reshape(ROWS, COLUMNS))
    return found


def strongest(weights: Sequence[tuple[str, float]], count: int = 3) -> list[tuple[str, float]]:
    """The weightiest of words or lines, those that speak for the hit only."""
    return sorted([each for each in weights if each[1] > 0], key=lambda each: -each[1])[:count]
