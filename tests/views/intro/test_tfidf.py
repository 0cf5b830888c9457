from __future__ import annotations

from math import log, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cinealign.errors import ConfigError, DataError
from cinealign.state import State
from cinealign.views.intro.tfidf import TfidfView
from cinealign.views.registry import VIEWS
from cinealign.views.store import FeatureStore

TRAIN = ["wolf wolf wolf moon", "wolf ship", "moon ship ship", "wolf"]


def view(**options: Any) -> TfidfView:
    built = VIEWS.build("tfidf", options)
    assert isinstance(built, TfidfView)
    return built


def fitted(store: FeatureStore, **options: Any) -> TfidfView:
    built = view(**options)
    return built.fit(built.extract(TRAIN, store))


@pytest.fixture
def store(tmp_path: Path) -> FeatureStore:
    return FeatureStore(tmp_path)


def test_values_by_hand(store: FeatureStore) -> None:
    built = fitted(store)
    assert built.state().values["vocabulary"] == ["moon", "ship", "wolf"]
    wolf, moon = (1 + log(3)) * (log(5 / 4) + 1), log(5 / 3) + 1  # 4 texts; wolf is in 3 of them, moon in 2
    length = sqrt(wolf**2 + moon**2)
    features = built.transform(built.extract([TRAIN[0]], store))
    np.testing.assert_allclose(features, [[moon / length, 0, wolf / length]], rtol=1e-6)
    assert features.dtype == np.float32


def test_like_scikit_learn(store: FeatureStore) -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = [*TRAIN, "moon wolf wolf", "unknown", ""]
    for options in [{}, {"ngrams": (1, 2)}, {"sublinear_tf": False, "min_df": 1}, {"max_features": 2}]:
        built = fitted(store, **options)
        names = {"ngram_range" if name == "ngrams" else name: value for name, value in options.items()}
        theirs = TfidfVectorizer(**{"sublinear_tf": True, "min_df": 2, **names}).fit(TRAIN)
        assert built.state().values["vocabulary"] == list(theirs.get_feature_names_out())
        ours = built.transform(built.extract(texts, store))
        np.testing.assert_allclose(ours, theirs.transform(texts).toarray(), rtol=1e-5, atol=1e-7)


def test_held_out_words_never_enter(store: FeatureStore) -> None:
    built = fitted(store)
    before = built.state()
    features = built.transform(built.extract(["dragon dragon wolf", "dragon", ""], store))
    assert built.state().values == before.values and features.shape == (3, 3)
    assert features[0].tolist() == [0, 0, 1] and not features[1:].any()


def test_state_round_trip(store: FeatureStore) -> None:
    built = fitted(store, ngrams=(1, 2))
    state = built.state()
    again = view(ngrams=(1, 2)).load_state(State(dict(state.arrays), dict(state.values)))
    extracted = built.extract(TRAIN, store)
    np.testing.assert_array_equal(again.transform(extracted), built.transform(extracted))


def test_no_word_is_frequent_enough(store: FeatureStore) -> None:
    with pytest.raises(DataError, match="no word is in at least 9 of the 4 train texts; lower min_df"):
        fitted(store, min_df=9)


def test_options_are_checked() -> None:
    with pytest.raises(ConfigError, match="ngrams: expected two numbers, 1 <= shortest <= longest"):
        view(ngrams=(2, 1))
    with pytest.raises(ConfigError, match="min_df must be >= 1, got 0"):
        view(min_df=0)
