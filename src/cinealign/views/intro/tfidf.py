"""TF-IDF: which words a text has, rare words counting more. Vocabulary and rarity are learned from train texts only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Self, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from cinealign.data.intros import tokens
from cinealign.errors import DataError
from cinealign.state import State
from cinealign.views.base import Extracted, Features, TextView, ViewOptions
from cinealign.views.store import FeatureStore

TermLength = Annotated[int, Field(ge=1, le=20)]
"""Words of a term."""


class TfidfOptions(ViewOptions):
    """Options of `TfidfView`."""

    min_df: int = Field(default=2, ge=1, le=1_000_000)
    """A term must occur in at least this many train texts."""
    max_features: int | None = Field(default=None, ge=1, le=1_000_000)
    """Keep only this many terms, those most frequent in the train texts; None keeps all."""
    sublinear_tf: bool = True
    """Count a term 1 + ln(times) instead of its times."""
    ngrams: tuple[TermLength, TermLength] = (1, 1)
    """Shortest and longest run of words that makes a term."""
    stop_words: bool = True
    """Leave out English function words."""
    stem: bool = True
    """Cut English endings."""

    @field_validator("ngrams")
    @classmethod
    def _ascending(cls, ngrams: tuple[int, int]) -> tuple[int, int]:
        if not ngrams[0] <= ngrams[1]:
            raise ValueError(f"expected two numbers, 1 <= shortest <= longest, got {list(ngrams)}")
        return ngrams


class TfidfView(TextView):
    """Dense float32 (N, V) TF-IDF features with L2-normalised rows.

    The weight of a term is tf * idf with idf = ln((1 + n) / (1 + df)) + 1, n train texts of which df have the term.
    Terms outside the vocabulary are ignored; a text without a known term is a zero row. Memory is 4 * N * V bytes:
    96 MB for 3,000 intros and 8,000 terms.
    """

    Options = TfidfOptions

    def __init__(self, options: TfidfOptions) -> None:
        self.options = options
        self._columns: dict[str, int] = {}
        self._idf: NDArray[np.float64] = np.zeros(0)

    def extract(self, items: Sequence[str], store: FeatureStore) -> list[list[str]]:
        """The terms of every text; cheap, so not stored."""
        return [self._terms(text) for text in items]

    def fit(self, extracted: Extracted) -> Self:
        """Vocabulary and idf from the train texts' terms.

        Raises:
            DataError: no term is in `min_df` texts.
        """
        documents = cast(list[list[str]], extracted)
        frequency = Counter(term for terms in documents for term in set(terms))
        kept = [term for term, count in frequency.items() if count >= self.options.min_df]
        if not kept:
            raise DataError(
                f"tfidf: no word is in at least {self.options.min_df} of the {len(documents)} train texts; lower min_df"
            )
        if self.options.max_features is not None:
            times = Counter(term for terms in documents for term in terms)
            kept = sorted(kept, key=lambda term: (-times[term], term))[: self.options.max_features]
        kept.sort()
        self._columns = {term: column for column, term in enumerate(kept)}
        self._idf = self._rarity(np.array([frequency[term] for term in kept], dtype=np.float64), len(documents))
        return self

    def transform(self, extracted: Extracted) -> Features:
        """Float32 (N, V), rows of length 1 or 0."""
        assert self._columns, "fit or load_state comes before transform"
        documents = cast(list[list[str]], extracted)
        features = np.zeros((len(documents), len(self._columns)), dtype=np.float32)
        for row, terms in enumerate(documents):
            times = Counter(column for term in terms if (column := self._columns.get(term)) is not None)
            if not times:
                continue
            columns = np.fromiter(times.keys(), dtype=np.int64, count=len(times))
            counts = np.fromiter(times.values(), dtype=np.float64, count=len(times))
            weights = self._term_weights(counts, len(terms)) * self._idf[columns]
            features[row, columns] = weights / np.linalg.norm(weights)
        return features

    def _rarity(self, frequency: NDArray[np.float64], documents: int) -> NDArray[np.float64]:
        """Idf of terms that are in `frequency` of the train texts."""
        rarity: NDArray[np.float64] = np.log((1 + documents) / (1 + frequency)) + 1
        return rarity

    def _term_weights(self, counts: NDArray[np.float64], length: int) -> NDArray[np.float64]:
        """What terms weigh that are in a text of `length` terms `counts` times, before idf."""
        weights: NDArray[np.float64] = 1 + np.log(counts) if self.options.sublinear_tf else counts
        return weights

    def state(self) -> State:
        """The vocabulary in column order, and idf."""
        return State(arrays={"idf": self._idf}, values={"vocabulary": list(self._columns)})

    def load_state(self, state: State) -> Self:
        """Take over a vocabulary and its idf."""
        self._columns = {term: column for column, term in enumerate(state.values["vocabulary"])}
        self._idf = np.asarray(state.arrays["idf"], dtype=np.float64)
        return self

    def _terms(self, text: str) -> list[str]:
        words = tokens(text, stop_words=self.options.stop_words, stem=self.options.stem)
        shortest, longest = self.options.ngrams
        return [
            " ".join(words[start : start + length])
            for length in range(shortest, longest + 1)
            for start in range(len(words) - length + 1)
        ]
