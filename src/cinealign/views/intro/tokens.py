"""Tokens: a text as the numbers of its words in order, for networks that read words. The vocabulary is of train texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Self, cast

import numpy as np
from pydantic import Field

from cinealign.data.intros import tokens
from cinealign.errors import DataError
from cinealign.progress import say
from cinealign.state import State
from cinealign.views.base import Extracted, Features, TextView, ViewOptions
from cinealign.views.store import FeatureStore

PADDING, UNKNOWN = 0, 1
SPECIAL = ["<pad>", "<unk>"]
"""The first words of every vocabulary; no text holds them, as words have no angle brackets."""


class TokensOptions(ViewOptions):
    """Options of `TokensView`."""

    min_df: int = Field(default=2, ge=1, le=1_000_000)
    """A word must occur in at least this many train texts; the others are one word, <unk>."""
    max_words: int | None = Field(default=None, ge=1, le=1_000_000)
    """Keep only this many words, those most frequent in the train texts; None keeps all."""
    max_length: int = Field(default=256, ge=1, le=8192)
    """Most words read of a text; a message says how many texts are longer."""
    stop_words: bool = False
    """Leave out English function words."""
    stem: bool = False
    """Cut English endings; pretrained word vectors know whole words."""


class TokensView(TextView):
    """Word numbers (N, L) int64, 0 after the end; L is the longest text at hand, at most `max_length`.

    1 is <unk>, every word outside the vocabulary; a network learns what it means by word dropout, as too few train words
    are unknown. An empty text is a row of zeros.
    """

    Options = TokensOptions

    def __init__(self, options: TokensOptions) -> None:
        self.options = options
        self._numbers: dict[str, int] = {}

    def extract(self, items: Sequence[str], store: FeatureStore) -> list[list[str]]:
        """The words of every text; cheap, so not stored."""
        o = self.options
        words = [tokens(text, stop_words=o.stop_words, stem=o.stem) for text in items]
        if cut := sum(len(text) > o.max_length for text in words):
            say(f"tokens: {cut} of {len(items)} texts are longer than {o.max_length} words; only that much was read")
        return [text[: o.max_length] for text in words]

    def fit(self, extracted: Extracted) -> Self:
        """The vocabulary of the train texts, the most frequent word first.

        Raises:
            DataError: no word is in `min_df` texts.
        """
        texts = cast(list[list[str]], extracted)
        frequency = Counter(word for text in texts for word in set(text))
        times = Counter(word for text in texts for word in text)
        kept = sorted((w for w in times if frequency[w] >= self.options.min_df), key=lambda word: (-times[word], word))
        if not kept:
            raise DataError(
                f"tokens: no word is in at least {self.options.min_df} of the {len(texts)} train texts; lower min_df"
            )
        self._take_over([*SPECIAL, *kept[: self.options.max_words]])
        return self

    def transform(self, extracted: Extracted) -> Features:
        """(N, L) int64."""
        assert self._numbers, "fit or load_state comes before transform"
        texts = cast(list[list[str]], extracted)
        numbers = np.full((len(texts), max([1, *map(len, texts)])), PADDING, dtype=np.int64)
        for row, text in enumerate(texts):
            numbers[row, : len(text)] = [self._numbers.get(word, UNKNOWN) for word in text]
        return numbers

    def words(self) -> list[str]:
        """The word of every number."""
        return list(self._numbers)

    def state(self) -> State:
        """The vocabulary in the order of its numbers."""
        return State(values={"vocabulary": self.words()})

    def load_state(self, state: State) -> Self:
        """Take over a vocabulary."""
        self._take_over(state.values["vocabulary"])
        return self

    def _take_over(self, vocabulary: list[str]) -> None:
        self._numbers = {word: number for number, word in enumerate(vocabulary)}
