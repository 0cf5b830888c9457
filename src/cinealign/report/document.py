"""The report of a run: its sections in order, as a document that is ready to be typeset."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from cinealign.figures import Language
from cinealign.report.blocks import Document
from cinealign.report.facts import Span, Text
from cinealign.report.sections.closing import write_limits, write_reproduce
from cinealign.report.sections.data import write_data
from cinealign.report.sections.downstream import write_downstream
from cinealign.report.sections.experiments import write_experiments, write_ladder
from cinealign.report.sections.explained import write_explained
from cinealign.report.sections.method import write_method
from cinealign.report.sections.neighbours import write_neighbours
from cinealign.report.sections.opening import abstract, write_task
from cinealign.report.sections.relation import write_relation
from cinealign.report.sections.results import write_results
from cinealign.report.sources import Sources
from cinealign.report.texts import Texts
from cinealign.report.writer import Writer


def compose(
    sources: Sources,
    lang: Language,
    curves: Path,
    *,
    whose: str = "",
    brief: bool = False,
    own: Mapping[str, str] | None = None,
    network: Path | None = None,
) -> Document:
    """The report, not yet typeset.

    Args:
        sources: all that it may speak of.
        lang: of the text.
        curves: picture of the run's learning and top-p curves.
        whose: name and student id for the title page; "" for none.
        own: question -> what the student wrote on it, printed below the question; where there is a `whose`, a place is
            left for what is missing.
        brief: leave out figures that repeat a table, and all but the main measure of a down-stream task.
        network: picture of the run's network, where it has one.
    Raises:
        DataError: the run or its analysis was made by another version.
    """
    writer = Writer(Texts(lang, sources.noun), brief=brief)
    write_task(writer, sources)
    write_data(writer, sources)
    write_method(writer, sources, network)
    write_experiments(writer, sources)
    write_results(writer, sources, curves)
    write_ladder(writer, sources)
    write_relation(writer, sources)
    _own_words(writer, "relation", own or {}, whose)
    write_neighbours(writer, sources)
    _own_words(writer, "neighbours", own or {}, whose)
    write_downstream(writer, sources)
    _own_words(writer, "downstream", own or {}, whose)
    write_explained(writer, sources)
    write_limits(writer, sources)
    write_reproduce(writer, sources)
    opening = abstract(writer, sources)
    return Document(
        lang=lang,
        title=writer.say("title"),
        subtitle=_subtitle(writer, sources, whose),
        abstract=opening,
        blocks=tuple(writer.blocks),
        references=writer.cited(opening),
    )


def _own_words(writer: Writer, question: str, own: Mapping[str, str], whose: str) -> None:
    if question not in own and not whose:
        return
    writer.heading("own.title", 2)
    if question not in own:
        writer.paragraph(writer.say("own.empty"))
    for paragraph in re.split(r"\n\s*\n", own.get(question, "")):
        writer.paragraph((Span(" ".join(paragraph.split())),) if paragraph.strip() else ())


def _subtitle(writer: Writer, sources: Sources, whose: str) -> tuple[Text, ...]:
    report = sources.catalogue["report"]
    about = writer.say("subtitle.run", recipe=sources.recipe["name"], n=report["n"], train=report["train_rows"])
    return ((Span(whose),), about) if whose else (about,)
