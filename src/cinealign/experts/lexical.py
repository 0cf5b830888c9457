"""The same words on both sides: lettering and intro compared letter by letter, without any meaning.

A title often names what the plot is about, and OCR breaks words in ways a language model cannot mend ("WARLORDS" read as
"WARLOROS"). Runs of a few letters survive such breaks, so both sides are weighted bags of character n-grams, whose
vocabulary and inverse document frequencies come from the train intros. The bags are then projected to a fixed width.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cinealign.errors import ConfigError
from cinealign.experts.base import Expert, OneViewOptions, TrainingSet, Vectors, normalised
from cinealign.experts.ngram_counts import ngram_analyzer
from cinealign.experts.ngram_options import NgramOptions, texts_of
from cinealign.state import State
from cinealign.views.base import Features


class LexicalOptions(NgramOptions, OneViewOptions):
    """Options of `lexical`."""

    dimensions: int = Field(4096, ge=8, le=65536, description="width after the projection")


class LexicalExpert(Expert):
    """Cosine of TF-IDF weighted character n-grams within words, sign-projected to `dimensions`.

    Scripts without blanks between words (Chinese, Japanese, Thai ...) give their single letters and pairs, whatever
    lengths are asked for: there a letter says about as much as a syllable or a word.
    weight = (1 + ln tf) * (ln((1 + T) / (1 + df)) + 1) over T train intros; n-grams outside the vocabulary are ignored. Each
    n-gram is added to the coordinate and with the sign that its hash gives, which keeps inner products in expectation; the
    hash knows nothing of the vocabulary or the seed, so copies fitted on other train pairs share the space.
    Source of the projection: Weinberger et al. 2009 (arXiv 0902.2206).
    """

    Options = LexicalOptions
    options: LexicalOptions
    one_space = True

    def fit(self, training: TrainingSet, *, seed: int) -> Self:
        """Vocabulary and inverse document frequencies; the seed plays no part.

        Raises:
            ConfigError: the views are not texts, or no n-gram is frequent enough.
        """
        from sklearn.feature_extraction.text import CountVectorizer

        intros = texts_of("lexical", training.intro, self.options.intro[0])
        texts_of("lexical", training.poster, self.options.poster[0])
        counter = CountVectorizer(
            analyzer=ngram_analyzer(self.options.lengths), min_df=min(self.options.min_df, len(intros))
        )
        try:
            counts = counter.fit_transform(intros)
        except ValueError:
            raise ConfigError("lexical: no n-gram occurs in enough train intros; lower min_df") from None
        vocabulary = [str(ngram) for ngram in counter.get_feature_names_out()]
        df = np.asarray((counts > 0).sum(axis=0)).ravel()
        idf = (np.log((1 + len(intros)) / (1 + df)) + 1).astype(np.float32)
        self._take_over(vocabulary, idf, *_projection(vocabulary, self.options.dimensions))
        return self

    def encode_poster(self, features: Mapping[str, Features]) -> Vectors:
        """(N, dimensions) unit rows; zero where no n-gram is known."""
        return self._encode(texts_of("lexical", features, self.options.poster[0]))

    def encode_intro(self, features: Mapping[str, Features]) -> Vectors:
        """(N, dimensions) unit rows; zero where no n-gram is known."""
        return self._encode(texts_of("lexical", features, self.options.intro[0]))

    def state(self) -> State:
        """Vocabulary, idf and projection."""
        return State({"idf": self._idf, "column": self._column, "sign": self._sign}, {"vocabulary": self._vocabulary})

    def load_state(self, state: State) -> Self:
        """Take over vocabulary, idf and projection."""
        self._take_over(list(state.values["vocabulary"]), *(state.arrays[name] for name in ("idf", "column", "sign")))
        return self

    def _take_over(
        self,
        vocabulary: list[str],
        idf: NDArray[np.float32],
        column: NDArray[np.int64],
        sign: NDArray[np.float32],
    ) -> None:
        """Keep what was learned, and make what every encoding needs: one item alone must not cost a vocabulary."""
        from scipy import sparse
        from sklearn.feature_extraction.text import CountVectorizer

        self._vocabulary, self._idf, self._column, self._sign = vocabulary, idf, column, sign
        self._counter = CountVectorizer(analyzer=ngram_analyzer(self.options.lengths), vocabulary=vocabulary)
        self._counter.transform([""])  # it looks at its vocabulary once
        shape = (len(column), self.options.dimensions)
        self._project = sparse.csr_matrix((sign * idf, (np.arange(len(column)), column)), shape=shape)

    def _encode(self, texts: list[str]) -> Vectors:
        if not texts:
            return np.zeros((0, self.options.dimensions), dtype=np.float32)
        counts = self._counter.transform(texts).astype(np.float32)
        counts.data = 1 + np.log(counts.data)
        return normalised((counts @ self._project).toarray())


def _projection(ngrams: list[str], dimensions: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """(V,) coordinate and (V,) sign of every n-gram, from two hashes of its letters."""
    from sklearn.utils import murmurhash3_32

    column = [murmurhash3_32(ngram, seed=0, positive=True) % dimensions for ngram in ngrams]
    odd = [murmurhash3_32(ngram, seed=1, positive=True) % 2 for ngram in ngrams]
    return np.array(column, dtype=np.int64), np.where(odd, -1, 1).astype(np.float32)
