"""The letters of a text: a weighted bag of character n-grams, and the table of their rows that both towers share."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from cinealign.data.intros import run_letters, unspaced_runs


@dataclass(frozen=True)
class Bags:
    """N bags in the form of `torch.nn.EmbeddingBag`; bag i holds entries offsets[i] to offsets[i + 1].

    Attributes:
        ngrams: (M,) int64 row numbers of the table.
        weights: (M,) float32; the squares of a bag's weights add up to 1, or there are none.
        offsets: (N + 1,) int64, from 0 to M.
    """

    ngrams: Tensor
    weights: Tensor
    offsets: Tensor

    def take(self, rows: Tensor) -> Bags:
        """The bags `rows` (B,), in that order."""
        first, lengths = self.offsets[rows], self.offsets[rows + 1] - self.offsets[rows]
        offsets = F.pad(lengths.cumsum(0), (1, 0))
        places = torch.arange(int(offsets[-1])) + torch.repeat_interleave(first - offsets[:-1], lengths)
        return Bags(self.ngrams[places], self.weights[places], offsets)

    def there(self) -> Tensor:
        """(N,) float32, 1 where a bag holds anything."""
        return (self.offsets.diff() > 0).float()


class NgramTable(nn.Module):
    """The sum of a bag's rows by weight: `Bags` of N texts -> (N, K).

    In training n-grams drop out of the bags, as OCR breaks them, so that no row learns to stand for one movie.
    """

    def __init__(self, ngrams: int, dimensions: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.rows = nn.Parameter(torch.zeros(ngrams, dimensions))

    def forward(self, bags: Bags) -> Tensor:
        """(N, K); zero for an empty bag."""
        if not len(self.rows):
            return self.rows.new_zeros(len(bags.offsets) - 1, self.rows.shape[1])
        return F.embedding_bag(
            bags.ngrams,
            self.rows,
            bags.offsets,
            mode="sum",
            per_sample_weights=self.dropout(bags.weights),
            include_last_offset=True,
        )


class NgramWeights:
    """Which n-grams count, and how much: vocabulary and inverse document frequencies of the train intros.

    weight = (1 + ln tf) * (ln((1 + T) / (1 + df)) + 1)^2, bags scaled to length 1. The square keeps rare n-grams, which
    names and odd words are made of, above the common ones.
    """

    def __init__(self, vocabulary: Sequence[str], idf: NDArray[np.float32], lengths: tuple[int, int]) -> None:
        from sklearn.feature_extraction.text import CountVectorizer

        self.vocabulary, self.idf = list(vocabulary), idf
        self._counter = CountVectorizer(analyzer=ngram_analyzer(lengths), vocabulary=self.vocabulary or ["-"])
        self._counter.transform([""])  # it looks at its vocabulary once

    @classmethod
    def fit(cls, intros: Sequence[str], lengths: tuple[int, int], min_df: int) -> NgramWeights:
        """From T train intros; n-grams in fewer than `min_df` of them do not count."""
        from sklearn.feature_extraction.text import CountVectorizer

        counter = CountVectorizer(analyzer=ngram_analyzer(lengths))
        try:
            counts = counter.fit_transform(intros)
        except ValueError:  # not one n-gram in all intros
            return cls([], np.zeros(0, dtype=np.float32), lengths)
        df = np.asarray((counts > 0).sum(axis=0)).ravel()
        kept = np.flatnonzero(df >= min(min_df, len(intros)))
        names = counter.get_feature_names_out()[kept]
        idf = (np.log((1 + len(intros)) / (1 + df[kept])) + 1) ** 2
        return cls([str(name) for name in names], idf.astype(np.float32), lengths)

    def bags(self, texts: Sequence[str]) -> Bags:
        """The bags of these texts."""
        if not (self.vocabulary and texts):
            return Bags(
                torch.zeros(0, dtype=torch.int64), torch.zeros(0), torch.zeros(len(texts) + 1, dtype=torch.int64)
            )
        counts = self._counter.transform(texts).astype(np.float32).tocsr()
        counts.sort_indices()
        weights = (1 + np.log(counts.data)) * self.idf[counts.indices]
        of_text = np.repeat(np.arange(len(texts)), np.diff(counts.indptr))
        squares = np.bincount(of_text, weights=weights.astype(np.float64) ** 2, minlength=len(texts))
        weights = (weights / np.sqrt(squares)[of_text]).astype(np.float32)
        return Bags(
            torch.from_numpy(counts.indices.astype(np.int64)),
            torch.from_numpy(weights),
            torch.from_numpy(counts.indptr.astype(np.int64)),
        )


def ngram_analyzer(lengths: tuple[int, int]) -> Callable[[str], list[str]]:
    """Splits a text into n-grams of letters within words, and runs of scripts without blanks into letters and pairs."""
    from sklearn.feature_extraction.text import CountVectorizer

    within_words = CountVectorizer(analyzer="char_wb", ngram_range=lengths).build_analyzer()

    def ngrams(text: str) -> list[str]:
        runs, rest = unspaced_runs(text)
        found: list[str] = within_words(rest)
        for run in runs:
            letters = run_letters(run)
            found += [*letters, *(first + second for first, second in itertools.pairwise(letters))]
        return found

    return ngrams
