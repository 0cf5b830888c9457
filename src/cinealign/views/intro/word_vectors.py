"""Pretrained word vectors of a text's words, averaged: plainly, or rare words counting more (SIF)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal, NamedTuple, Self, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cinealign.data.intros import tokens
from cinealign.state import State
from cinealign.views.base import Extracted, Features, TextView, ViewOptions
from cinealign.views.intro.word_files import source_digest, vector_width, word_vectors
from cinealign.views.store import FeatureStore, text_digest


class WordVectorsOptions(ViewOptions):
    """Options of `WordVectorsView`."""

    vectors: str = "wordllama"
    """wordllama (from its wheel), or a GloVe, word2vec or fastText file."""
    weighting: Literal["mean", "sif"] = "sif"
    """Weights of words: equal (mean), or higher for rare words (sif)."""
    smoothing: float = Field(default=1e-3, gt=0, le=1000)
    """a of SIF: words more frequent than this share of the train words count less than half."""
    remove_common: bool = True
    """With sif: remove the common direction of the train texts."""
    stop_words: bool = False
    """Leave out English function words; SIF lowers their weight anyway."""


class Worded(NamedTuple):
    """The words of a text that have vectors, and those, (n, E)."""

    words: list[str]
    vectors: NDArray[np.float32]


class WordVectorsView(TextView):
    """Features (N, E) float32, not normalised; a text without a known word is a zero row.

    sif: mean of a / (a + p(word)) * vector, p being the word's share of the train words, less its projection on the first
    singular vector of the train texts' means. Words that are in no train text count fully.

    Source: Arora, Liang and Ma, A simple but tough-to-beat baseline for sentence embeddings, ICLR 2017.
    """

    Options = WordVectorsOptions

    def __init__(self, options: WordVectorsOptions) -> None:
        self.options = options
        self._shares: dict[str, float] = {}
        self._common: NDArray[np.float32] = np.zeros(0, dtype=np.float32)

    def extract(self, items: Sequence[str], store: FeatureStore) -> list[Worded]:
        """The words and their vectors; a file is read once for all words that the store does not have.

        Raises:
            ModelError: the vectors are missing or cannot be read.
        """
        texts = [tokens(text, stop_words=self.options.stop_words, stem=False) for text in items]
        listed = sorted({word for text in texts for word in text})
        width = vector_width(self.options.vectors)
        if not listed:
            return [Worded([], np.zeros((0, width), dtype=np.float32)) for _ in items]
        stored = store.arrays(
            "word_vectors",
            {"source": source_digest(self.options.vectors), "columns": ["vector", "known"]},
            [text_digest(word) for word in listed],
            lambda rows: self._look_up([listed[row] for row in rows]),
            batch_size=len(listed),
        )
        row_of = {word: row for row, word in enumerate(listed) if stored[row, -1]}
        kept = [[word for word in text if word in row_of] for text in texts]
        return [Worded(text, stored[[row_of[word] for word in text], :-1].reshape(len(text), width)) for text in kept]

    def fit(self, extracted: Extracted) -> Self:
        """The share of each word, and the common direction, of the train texts."""
        texts = cast(list[Worded], extracted)
        if self.options.weighting == "mean":
            return self
        times = Counter(word for text in texts for word in text.words)
        total = times.total()
        self._shares = {word: count / total for word, count in sorted(times.items())}
        if self.options.remove_common and total:
            means = self._means(texts)
            _, _, directions = np.linalg.svd(means[np.any(means != 0, axis=1)], full_matrices=False)
            self._common = directions[0].astype(np.float32)
        return self

    def transform(self, extracted: Extracted) -> Features:
        """(N, E) float32."""
        means = self._means(cast(list[Worded], extracted))
        if len(self._common):
            means -= np.outer(means @ self._common, self._common)
        return means

    def state(self) -> State:
        """Shares and the common direction."""
        return State({"common": self._common}, {"shares": self._shares})

    def load_state(self, state: State) -> Self:
        """Take over shares and the common direction."""
        self._common, self._shares = state.arrays["common"], state.values["shares"]
        return self

    def _means(self, texts: list[Worded]) -> NDArray[np.float32]:
        width = texts[0].vectors.shape[1] if texts else vector_width(self.options.vectors)
        means = np.zeros((len(texts), width), dtype=np.float32)
        for row, text in enumerate(texts):
            if text.words:
                means[row] = (self._weights(text.words)[:, None] * text.vectors).mean(axis=0)
        return means

    def _weights(self, words: list[str]) -> NDArray[np.float32]:
        if self.options.weighting == "mean":
            return np.ones(len(words), dtype=np.float32)
        a = self.options.smoothing
        return np.array([a / (a + self._shares.get(word, 0.0)) for word in words], dtype=np.float32)

    def _look_up(self, words: list[str]) -> NDArray[np.float32]:
        found = word_vectors(self.options.vectors, words)
        return np.column_stack([found.matrix, found.known]).astype(np.float32)
