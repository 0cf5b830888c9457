from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cinealign.data.posters import Poster
from cinealign.views import pace, plan
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


def test_the_plan_says_what_is_there_and_what_is_not(
    tmp_path: Path, posters: list[Poster], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FeatureStore(tmp_path / "features")
    monkeypatch.setattr(plan, "foretold_rate", lambda view, settings: None)
    unknown = "time not known before it begins"
    assert lines(posters, store) == [f"lettering: 3 to compute, {unknown}", f"language_model: 2 to compute, {unknown}"]
    assert not list(tmp_path.rglob("*.sqlite"))  # looking writes nothing
    store.records("lettering", ocr.lettering_settings(), [posters[0].digest], lambda rows: [[] for _ in rows])
    monkeypatch.setattr(FeatureStore, "rate", lambda self, view, settings: 0.02)
    assert lines(posters, store)[0] == "lettering: 2 to compute, 1 in the feature store, about 1 min 40 s"
    monkeypatch.undo()
    monkeypatch.setattr(plan, "foretold_rate", lambda view, settings: None)
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


def test_a_rate_is_that_of_the_last_time_with_the_same_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = iter(range(0, 1000, 8))
    monkeypatch.setattr("time.monotonic", lambda: float(next(now)))
    store = FeatureStore(tmp_path)
    digests = [f"{at:064d}" for at in range(40)]
    store.arrays("few", {}, digests[:3], lambda rows: np.zeros((len(rows), 2)))
    assert store.rate("few", {}) is None  # too few to tell
    store.arrays("many", {}, digests, lambda rows: np.zeros((len(rows), 2)), batch_size=40)
    rate = store.rate("many", {})
    assert rate is not None
    assert 0 < rate <= 40 / 8
    assert store.rate("many", {"model": "larger"}) is None
    assert not store.path("many", {"model": "larger"}).exists()
    assert Step("many", 40, 40, 5.0, 0).line() == "many: 40 to compute, about 8 s"


def test_what_was_never_computed_here_is_foretold_from_the_speed_of_the_processor(
    tmp_path: Path, posters: list[Poster], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "processor_speed", lambda: 0.36)
    said = lines(posters, FeatureStore(tmp_path))
    assert said[0] == "lettering: 3 to compute, about " + ("2 min 30 s" if bfloat16() else "5 min 0 s")
    assert said[1].startswith("language_model: 2 to compute, about ")
    assert pace.foretold_rate("clip_poster", {}) is None
    assert pace.foretold_rate("language_model", {"model": "files"}) is None
    settings = {"model": "minilm", "precision": "bfloat16"}
    once = pace.foretold_rate("language_model", {**settings, "precision": "float32"})
    assert once is not None
    assert pace.foretold_rate("language_model", settings) == 2 * once


def bfloat16() -> bool:
    return bool(ocr.lettering_settings()["precision"] == "bfloat16")


def test_the_speed_of_the_processor_is_that_of_a_product() -> None:
    assert 0.1 < pace.processor_speed() < 1e5
