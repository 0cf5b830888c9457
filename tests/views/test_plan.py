from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cinealign.data.posters import Poster
from cinealign.views.plan import Step, planned_steps
from cinealign.views.poster import ocr
from cinealign.views.registry import VIEWS
from cinealign.views.store import FeatureStore
from tests.views.drawn import draw_poster

INTROS = ["a shark eats a town", "the moon is far", "a shark eats a town"]


def views() -> dict[str, object]:
    return {
        "words": VIEWS.build("lettering", {"encoder": {"view": "language_model"}}),
        "title": VIEWS.build("lettering", {"lines": "tallest", "encoder": {"view": "text"}}),
        "intro": VIEWS.build("language_model", {}),
        "tfidf": VIEWS.build("tfidf", {"min_df": 1}),
    }


@pytest.fixture(scope="module")
def posters(tmp_path_factory: pytest.TempPathFactory) -> list[Poster]:
    folder = tmp_path_factory.mktemp("posters")
    return [draw_poster(folder / f"{name}.png", (name, 20, 30, 44)) for name in ("A", "B", "C")]


def lines(posters: list[Poster], store: FeatureStore) -> list[str]:
    steps = planned_steps(views(), {"poster": posters, "intro": INTROS}, store)  # type: ignore[arg-type]
    return [step.line() for step in steps]


def test_the_plan_says_what_is_there_and_what_is_not(tmp_path: Path, posters: list[Poster]) -> None:
    store = FeatureStore(tmp_path / "features")
    unknown = "time not known before it begins"
    assert lines(posters, store) == [f"lettering: 3 to compute, {unknown}", f"language_model: 2 to compute, {unknown}"]
    assert not list(tmp_path.rglob("*.sqlite"))  # looking writes nothing
    store.records("lettering", ocr.lettering_settings(), [posters[0].digest], lambda rows: [[] for _ in rows])
    (store.folder / "rates.json").write_text(json.dumps({"lettering": 0.02, "language_model": 0}))
    assert lines(posters, store)[0] == "lettering: 2 to compute, 1 in the feature store, about 1 min 40 s"
    store.records("lettering", ocr.lettering_settings(), [p.digest for p in posters], lambda rows: [[] for _ in rows])
    # the lettering is known, so what its encoder sees is too: the empty text
    assert lines(posters, store) == [
        "lettering: all 3 in the feature store",
        f"language_model: 1 to compute, {unknown}",
        f"language_model: 2 to compute, {unknown}",
    ]


def test_the_plan_says_that_values_of_another_version_are_not_used(tmp_path: Path, posters: list[Poster]) -> None:
    store, digests = FeatureStore(tmp_path), [poster.digest for poster in posters]
    older = {**ocr.lettering_settings(), "reader": 1}
    store.records("lettering", older, digests[:2], lambda rows: [[] for _ in rows])
    other_options = ocr.lettering_settings(ocr.OcrOptions(min_side=500))
    store.records("lettering", other_options, digests, lambda rows: [[] for _ in rows])
    assert (
        "(2 were computed by another version with other settings; these are kept but not used)"
        in lines(posters, store)[0]
    )
    assert store.missing("lettering", older, digests) == 1


def test_rates_are_those_of_the_last_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(0, 1000, 8))
    monkeypatch.setattr("time.monotonic", lambda: float(next(now)))
    store = FeatureStore(tmp_path)
    digests = [f"{at:064d}" for at in range(40)]
    store.arrays("few", {}, digests[:3], lambda rows: np.zeros((len(rows), 2)))
    assert store.rates() == {}  # too few to tell
    store.arrays("many", {}, digests, lambda rows: np.zeros((len(rows), 2)), batch_size=40)
    rates = store.rates()
    assert list(rates) == ["many"] and 0 < rates["many"] <= 40 / 8
    (tmp_path / "rates.json").write_text("[")
    assert store.rates() == {}
    assert Step("many", 40, 40, 5.0, 0).line() == "many: 40 to compute, about 8 s"
