from __future__ import annotations

from pathlib import Path

import pytest

from cinealign.report import pdf as module
from cinealign.report.document import compose
from cinealign.report.facts import Fact, plain
from cinealign.report.pdf import report_pdf
from cinealign.report.sections.downstream import _shown
from cinealign.report.sources import Sources
from cinealign.report.typeset import page_count
from cinealign.run import Run


def test_a_report_that_would_be_too_long_is_brief(
    finished: Run, made_up: Path, curves: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "plot_run", lambda *_: [curves])  # else drawn three times
    whole = page_count(report_pdf(finished, made_up, "en"))
    monkeypatch.setattr(module, "WHOLE_PAGES", whole - 1)
    brief = page_count(report_pdf(finished, made_up, "en"))
    assert brief < whole and "pages" not in capsys.readouterr().err
    monkeypatch.setattr(module, "MOST_PAGES", brief - 1)
    assert page_count(report_pdf(finished, made_up, "en")) == brief
    assert f"report: {brief} pages, and {brief - 1} are the most" in capsys.readouterr().err


def test_what_a_brief_report_leaves_out(sources: Sources, curves: Path) -> None:
    whole, brief = (compose(sources, "en", curves, brief=brief) for brief in (False, True))
    gone = [figure.file.stem for figure in whole.figures() if figure not in brief.figures()]
    assert gone == ["relation-cca", "relation-left", "downstream"]
    said = ["\n".join(plain(text) for text in document.texts()) for document in (whole, brief)]
    assert "To stay within its pages" in said[1] and "To stay within its pages" not in said[0]


def test_a_brief_table_has_one_measure_a_task() -> None:
    """The one that the analysis draws where it is there, else the task's first."""
    rows = {name: [Fact(name, "")] for name in ("hit", "auc", "recall", "rank")}
    measures = {("genre probe", "top tag"): rows["hit"], ("genre probe", "macro AUC"): rows["auc"]}
    measures |= {("search", "recall@10"): rows["recall"], ("search", "median rank"): rows["rank"]}
    assert _shown(measures, brief=True) == [rows["auc"], rows["recall"]]
    assert _shown(measures, brief=False) == list(rows.values())
