"""A model that costs nothing: what a text or picture says is read off its bytes, and partners share their words."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from cinealign.data.posters import Poster

WIDTH = 16
Array = np.ndarray[Any, Any]


def word_vector(word: str, width: int = WIDTH) -> Array:
    seed = int.from_bytes(hashlib.sha256(word.lower().encode()).digest()[:8], "big")
    return np.random.default_rng(seed).standard_normal(width)


def text_vector(text: str, width: int = WIDTH) -> Array:
    total = np.sum([word_vector(word, width) for word in text.split()] or [np.zeros(width)], axis=0)
    length = np.linalg.norm(total)
    return (total / length if length else total).astype(np.float32)


class WordEncoder:
    """Texts are the sum of their words; a picture given as bytes "picture: words" is that of its words."""

    width = WIDTH

    def __init__(self) -> None:
        self.warmed: list[str | None] = []
        self.encoded: list[int] = []

    def warm(self, side: Literal["poster", "intro"] | None = None) -> None:
        self.warmed.append(side)

    def encode_posters(self, posters: Sequence[Any]) -> Array:
        self.encoded.append(len(posters))
        rows = [text_vector(picture_words(poster)) for poster in posters]
        return np.stack(rows) if rows else np.zeros((0, WIDTH), np.float32)

    def encode_intros(self, texts: Sequence[str]) -> Array:
        self.encoded.append(len(texts))
        rows = [text_vector(text) for text in texts]
        return np.stack(rows) if rows else np.zeros((0, WIDTH), np.float32)


def picture_words(poster: Any) -> str:
    """The words that stand behind the first line of a "picture" file."""
    if isinstance(poster, Poster):
        assert poster.path is not None
        content = poster.path.read_bytes()
    else:
        content = poster if isinstance(poster, bytes) else poster.read_bytes()
    head, _, words = content.decode().partition(": ")
    assert head == "picture"
    return words
