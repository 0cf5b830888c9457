"""A recipe whose views give no numbers to correlate (pixels, tokens), after too little training to beat chance."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cinealign.analysis import analyse as analysing
from cinealign.analysis.analyse import analyse
from cinealign.analysis.relation.numbers import Left
from cinealign.analysis.skipped import Skipped
from cinealign.cli.show.analysis import analysis_lines
from cinealign.data.catalogue import Catalogue
from cinealign.figures import LANGUAGES, Language
from cinealign.pipeline import align
from cinealign.recipe import Recipe
from cinealign.report.document import compose
from cinealign.report.facts import plain
from cinealign.report.sources import Sources
from cinealign.views.store import FeatureStore


def test_analysis_and_report(
    sample: Catalogue, store: FeatureStore, curves: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = Recipe.load("cnn-lstm", overrides=["align.0.training.epochs=1", "evaluation.bootstrap=100"])
    run = align(sample, recipe, tmp_path / "run", store=store)
    monkeypatch.setattr(analysing, "draw", lambda *_: [])  # what is drawn is another test's
    monkeypatch.setattr(analysing, "draw_explanation", lambda *_: [])
    found = analyse(run, sample, store=store)
    lines = "\n".join(analysis_lines(found.numbers))
    assert "appearance not seen: left out, as appearance is all that this recipe sees of a poster" in lines
    assert isinstance(found.numbers.relation.cca, Skipped)
    assert found.numbers.relation.cca.skipped.startswith("this recipe has no view of numbers")
    assert {e.kind for e in found.numbers.explained} == {"good", "bad"}
    sources = Sources.gather(run, found.folder)
    for lang, said in zip(LANGUAGES, ("本次运行没有测量", "Not measured for this run"), strict=True):
        assert said in "\n".join(plain(text) for text in compose(sources, lang, curves).texts())


@pytest.mark.parametrize("lang", LANGUAGES)
def test_nothing_above_chance_has_no_share(sources: Sources, curves: Path, lang: Language) -> None:
    numbers = sources.analysed.numbers
    left = [replace(entry, share_left=None) if isinstance(entry, Left) else entry for entry in numbers.relation.left]
    numbers = replace(numbers, relation=replace(numbers.relation, left=left))
    document = compose(replace(sources, analysed=replace(sources.analysed, numbers=numbers)), lang, curves)
    text = "\n".join(plain(text) for text in document.texts())
    assert {"en": "no share of it can be given", "zh": "谈不上剩余比例"}[lang] in text
