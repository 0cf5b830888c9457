from __future__ import annotations

from math import log
from pathlib import Path
from typing import Any

import numpy as np

from cinealign.views.intro.bm25 import Bm25View
from cinealign.views.registry import VIEWS
from cinealign.views.store import FeatureStore

TRAIN = ["shark shark boat", "shark lawyer bank trial bank"]


def view(**options: Any) -> Bm25View:
    built = VIEWS.build("bm25", {"min_df": 1, "stem": False, **options})
    assert isinstance(built, Bm25View)
    return built


def terms(text: str) -> Any:
    return view().extract([text], FeatureStore(Path("unused")))


def test_weights_by_hand() -> None:
    fitted = view().fit(view().extract(TRAIN, FeatureStore(Path("unused"))))
    row = fitted.transform(terms(TRAIN[0]))[0]
    slowed = 1.2 * (1 - 0.75 + 0.75 * 3 / 4)  # texts have 4 words on average
    shark = log(1 + 0.5 / 2.5) * 2 * 2.2 / (2 + slowed)
    boat = log(1 + 1.5 / 1.5) * 1 * 2.2 / (1 + slowed)
    columns = fitted.state().values["vocabulary"]
    expected = np.array([shark, boat]) / np.hypot(shark, boat)
    np.testing.assert_allclose([row[columns.index("shark")], row[columns.index("boat")]], expected, rtol=1e-6)
    np.testing.assert_array_equal(view().load_state(fitted.state()).transform(terms(TRAIN[0]))[0], row)


def test_k1_of_0_asks_only_whether_a_word_is_there() -> None:
    fitted = view(k1=0).fit(view().extract(TRAIN, FeatureStore(Path("unused"))))
    once, often = fitted.transform(terms("shark boat")), fitted.transform(terms("shark shark shark boat"))
    np.testing.assert_allclose(once, often, rtol=1e-6)
