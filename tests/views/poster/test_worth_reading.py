"""Lettering is read where a sample has words, and left out where it has none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cinealign.data.catalogue import Catalogue
from cinealign.data.posters import Poster
from cinealign.describe.proposal import propose
from cinealign.pipeline import align
from cinealign.recipe import Recipe
from cinealign.views.poster import ocr, worth_reading
from cinealign.views.poster.worth_reading import sample_words, without_reading
from cinealign.views.store import FeatureStore
from tests.conftest import LETTERED

PLAIN: dict[str, Any] = {
    **LETTERED,
    "views": {
        "appearance": LETTERED["views"]["appearance"],
        "lettering": {"view": "lettering", "encoder": {"view": "text"}},
        "title": LETTERED["views"]["title"],
        "words": {"view": "tfidf"},
        "intro_words": {"view": "text"},
    },
    "align": [
        {"expert": "lexical", "poster": "title", "intro": "intro_words"},
        {"expert": "lexical", "poster": "lettering", "intro": "intro_words"},
        {"expert": "cca", "poster": "appearance", "intro": "words", "dimensions": 16, "ridge": 3},
    ],
}
"""Nothing is learned from the words that are read."""


def known(store: FeatureStore, posters: list[Poster], texts: list[str]) -> None:
    """Put lines into the store, as if they had been read."""
    box = [[0.1, 0.1], [0.9, 0.1], [0.9, 0.2], [0.1, 0.2]]
    lines = [[{"text": text, "confidence": 0.9, "box": box, "height": 0.1}] if text else [] for text in texts]
    digests = [poster.digest for poster in posters]
    store.records("lettering", ocr.lettering_settings(), digests, lambda rows: [lines[row] for row in rows])


def posters(count: int) -> list[Poster]:
    """Posters that nobody may open."""

    def opened() -> Any:
        raise AssertionError("a poster was opened")

    return [Poster(f"{row:064x}", opened) for row in range(count)]


@pytest.mark.parametrize(
    ("text", "is_word"),
    [
        *((shape, False) for shape in ("CCC", "ooo", "X", "ac", "1980", "", "十")),
        *((word, True) for word in ("Sea", "電影", "СОН")),
    ],
)
def test_shapes_are_no_words(text: str, is_word: bool, tmp_path: Path) -> None:
    store, (one,) = FeatureStore(tmp_path), posters(1)
    known(store, [one], [text])
    assert sample_words([one, one], store).with_word == is_word and sample_words([one, one], store).posters == 1


def test_only_a_sample_is_read_and_its_order_does_not_matter(tmp_path: Path) -> None:
    store, every = FeatureStore(tmp_path), posters(200)
    views = Recipe.parse(PLAIN).views
    known(store, every[:32], [""] * 32)  # digests rise, so the sample is the first; no other may be opened
    settled, told = without_reading(views, every[::-1], store)
    assert {name for name, options in settled.items() if getattr(options, "reading", "") == "never"} == {
        "lettering",
        "title",
    }
    assert len(told) == 1 and "--set views.lettering.reading=always --set views.title.reading=always" in told[0]
    always = {
        name: o.model_copy(update={"reading": "always"}) if o.view == "lettering" else o for name, o in views.items()
    }
    assert without_reading(always, every, store) == (always, [])
    assert without_reading(views, every[:100], store) == (views, [])  # so few are all read
    learning = Recipe.parse(LETTERED).views  # a vocabulary of what is read
    assert without_reading(learning, every, store) == (learning, [])


def test_a_run_without_words_reads_nothing_and_says_so(
    sample: Catalogue,
    store: FeatureStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    looked: list[int] = []

    def none(posters: list[Poster], store: FeatureStore, options: Any = None) -> list[Any]:
        looked.append(len(posters))
        return [[] for _ in posters]

    monkeypatch.setattr(worth_reading, "read_lettering", none)
    run = align(sample, Recipe.parse(PLAIN), tmp_path / "run", store=store)
    assert looked == [32]
    assert {run.recipe.views[name].reading for name in ("lettering", "title")} == {"never"}
    said = capsys.readouterr().err
    assert said.index("no word on 32 sampled train posters") < said.index("appearance: ")
    poster = run.encoder().encode_posters(sample.posters[:2])
    assert abs(poster - run.vectors[0][:2]).max() < 1e-4


def test_recipes_are_proposed_for_what_is_there(tmp_path: Path) -> None:
    store, every = FeatureStore(tmp_path), posters(4)
    known(store, every, ["A Word", "", "", ""])
    assert propose(every, {"Latin": 9, "Han": 1}, store).recipe == "default"
    assert propose(every, {"Latin": 1, "Han": 9}, store).recipe == "lettering-lexical"
    assert propose(every[1:], {"Han": 9}, store).recipe == "classical-tfidf"
    line = propose(every[1:], {"Latin": 9}, store).line()
    assert line == (
        "proposed recipe: default (none of 3 sampled pictures have words on them; most texts are in Latin letters)"
    )
