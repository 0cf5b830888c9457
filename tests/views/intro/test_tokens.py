from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cinealign.errors import DataError
from cinealign.views.intro.tokens import TokensView
from cinealign.views.registry import VIEWS
from cinealign.views.store import FeatureStore


def fitted(texts: list[str], **options: Any) -> TokensView:
    built = VIEWS.build("tokens", options)
    assert isinstance(built, TokensView)
    return built.fit(built.extract(texts, FeatureStore(Path("unused"))))


def numbers(view: TokensView, texts: list[str]) -> list[list[int]]:
    found: list[list[int]] = view.transform(view.extract(texts, FeatureStore(Path("unused")))).tolist()
    return found


def test_numbers_by_hand() -> None:
    view = fitted(["A shark, a shark!", "a boat", "boat shark rare"])
    assert view.words() == ["<pad>", "<unk>", "a", "shark", "boat"]
    assert numbers(view, ["shark rare boat", "", "A"]) == [[3, 1, 4], [0, 0, 0], [2, 0, 0]]
    again = VIEWS.build("tokens").load_state(view.state())
    assert isinstance(again, TokensView) and numbers(again, ["boat"]) == [[4]]
    assert fitted(["x y", "x y y"], max_words=1).words()[2:] == ["y"]


def test_held_out_words_are_unknown() -> None:
    view = fitted(["shark boat", "shark boat"])
    assert numbers(view, ["lawyer lawyer shark"]) == [[1, 1, 2 + view.words()[2:].index("shark")]]


def test_long_texts_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    view = fitted(["shark " * 9, "shark"], max_length=4)
    assert "1 of 2 texts are longer than 4 words" in capsys.readouterr().err
    assert np.shape(numbers(view, ["shark " * 9])) == (1, 4)


def test_no_word_is_frequent_enough() -> None:
    with pytest.raises(DataError, match="no word is in at least 3 of the 2 train texts; lower min_df"):
        fitted(["a b", "a c"], min_df=3)
