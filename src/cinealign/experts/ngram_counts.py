"""Which character n-grams a text has, and how much each weighs: plain Python and NumPy, as one query must not wait for more."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from cinealign.data.intros import run_letters, unspaced_runs

_BLANKS = re.compile(r"\s\s+")


class Weighted(NamedTuple):
    """N bags: bag i holds entries offsets[i] to offsets[i + 1]."""

    ngrams: NDArray[np.int64]
    """(M,) numbers of the vocabulary, rising within a bag."""
    weights: NDArray[np.float32]
    """(M,); the squares of a bag's weights add up to 1, or there are none."""
    offsets: NDArray[np.int64]
    """(N + 1,), from 0 to M."""


class NgramCounts:
    """Which n-grams count, and how much: vocabulary and inverse document frequencies of the train intros.

    weight = (1 + ln tf) * (ln((1 + T) / (1 + df)) + 1)^2, bags scaled to length 1. The square keeps rare n-grams, which
    names and odd words are made of, above the common ones.
    """

    def __init__(self, vocabulary: Sequence[str], idf: NDArray[np.float32], lengths: tuple[int, int]) -> None:
        self.vocabulary, self.idf = list(vocabulary), idf
        self._number = {ngram: number for number, ngram in enumerate(self.vocabulary)}
        self._split = ngram_analyzer(lengths)

    @classmethod
    def fit(cls, intros: Sequence[str], lengths: tuple[int, int], min_df: int) -> Self:
        """From T train intros; n-grams in fewer than `min_df` of them do not count."""
        split = ngram_analyzer(lengths)
        found = Counter(ngram for intro in intros for ngram in set(split(intro)))
        names = sorted(name for name, df in found.items() if df >= min(min_df, len(intros)))
        df = np.array([found[name] for name in names], dtype=np.int64)
        idf = (np.log((1 + len(intros)) / (1 + df)) + 1) ** 2
        return cls(names, idf.astype(np.float32), lengths)

    def weighted(self, texts: Sequence[str]) -> Weighted:
        """The weighted bags of these texts."""
        ngrams, counts, offsets = [], [], [0]
        for text in texts:
            numbers = (self._number.get(ngram) for ngram in self._split(text))
            bag = sorted(Counter(number for number in numbers if number is not None).items())
            ngrams += [number for number, _ in bag]
            counts += [count for _, count in bag]
            offsets.append(len(ngrams))
        rows = np.array(ngrams, dtype=np.int64)
        weights = (1 + np.log(np.array(counts, dtype=np.float32))) * self.idf[rows]
        of_text = np.repeat(np.arange(len(texts)), np.diff(offsets))
        squares = np.bincount(of_text, weights=weights.astype(np.float64) ** 2, minlength=len(texts))
        weights = (weights / np.sqrt(squares)[of_text]).astype(np.float32)
        return Weighted(rows, weights, np.array(offsets, dtype=np.int64))


def ngram_analyzer(lengths: tuple[int, int]) -> Callable[[str], list[str]]:
    """Splits a text into n-grams of letters within words, and runs of scripts without blanks into letters and pairs.

    Words give what scikit-learn's analyzer `char_wb` gives: in lower case, with a blank before and behind, and a word that is
    shorter than the shortest n-gram once, as it is.
    """
    shortest, longest = lengths

    def ngrams(text: str) -> list[str]:
        runs, rest = unspaced_runs(text)
        found = []
        for word in _BLANKS.sub(" ", rest.lower()).split():
            padded = f" {word} "
            for length in range(shortest, longest + 1):
                found += [padded[at : at + length] for at in range(max(1, len(padded) - length + 1))]
                if len(padded) <= length:
                    break
        for run in runs:
            letters = run_letters(run)
            found += [*letters, *(first + second for first, second in itertools.pairwise(letters))]
        return found

    return ngrams
