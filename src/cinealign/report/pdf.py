"""A run's report from start to end: analysed where it is not yet, composed, typeset, written whole or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from cinealign.figures import Language
from cinealign.progress import say
from cinealign.report.document import compose
from cinealign.report.sources import Sources
from cinealign.report.training_story import has_network, network_of
from cinealign.report.typeset import page_count, typeset_pdf
from cinealign.run import Run
from cinealign.studies.curves import plot_run
from cinealign.studies.network_picture import plot_network

MOST_PAGES = 15
WHOLE_PAGES = 14
"""Of a report that is not brief: one of 15 pages has a table of tasks that is torn over three of them."""


def report_pdf(
    run: Run,
    analysis: Path,
    lang: Language,
    *,
    comparisons: Sequence[Path] = (),
    ladder: Path | None = None,
    whose: str = "",
    own: Mapping[str, str] | None = None,
) -> bytes:
    """The typeset report, of at most `MOST_PAGES` pages; brief where the whole has more than `WHOLE_PAGES` (see `compose`).

    A long comparison can still push it over; then that is said.

    Args:
        run: a finished run.
        analysis: the folder of its analysis.
        lang: of the text.
        comparisons: folders of `cinealign compare` on the same data.
        ladder: a file of `report.ladder`.
        whose: name and student id for the title page.
        own: question -> what the student wrote on it.
    Raises:
        ConfigError: Typst or the Chinese font is missing, or a comparison is of other data.
        DataError: a file is missing, or made by another version.
    """
    sources = Sources.gather(run, analysis, comparisons=comparisons, ladder=ladder)
    with tempfile.TemporaryDirectory(prefix="cinealign-curves-") as scratch:
        curves = plot_run(run, Path(scratch) / "curves.pdf", lang if sources.speaks(lang) else "en")[0]
        network = None
        if has_network(run.recipe):
            network = plot_network(
                network_of(run), Path(scratch) / "network.pdf", lang if sources.speaks(lang) else "en"
            )
        pdf = typeset_pdf(compose(sources, lang, curves, whose=whose, own=own, network=network))
        if page_count(pdf) > WHOLE_PAGES:
            pdf = typeset_pdf(compose(sources, lang, curves, whose=whose, own=own, brief=True, network=network))
    if (pages := page_count(pdf)) > MOST_PAGES:
        say(
            f"report: {pages} pages, and {MOST_PAGES} are the most that it should have; give fewer or smaller --compare"
        )
    return pdf
