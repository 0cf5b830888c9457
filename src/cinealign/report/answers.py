"""The answers of an analysis as the notebook shows them: figures drawn from its numbers, tables as data frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from cinealign.analysis.analyse import Analysis
from cinealign.analysis.explain.figure import draw_explanation
from cinealign.analysis.explain.numbers import Explanation
from cinealign.analysis.plans import plans
from cinealign.data.posters import Poster
from cinealign.errors import ConfigError
from cinealign.figures import Language, drawing, label_of
from cinealign.plain_json import to_json
from cinealign.report.conclusions import conclusions
from cinealign.report.sources import Sources
from cinealign.report.texts import Texts
from cinealign.report.writer import Writer
from cinealign.run import Run

if TYPE_CHECKING:
    import pandas as pd


class Answers:
    """An analysis and the posters that its figures show; nothing is computed again."""

    def __init__(self, analysis: Analysis, posters: Sequence[Poster], lang: Language = "en") -> None:
        """Args:
        analysis: of a run.
        posters: of the run's catalogue, in row order.
        lang: of the labels in figures.
        """
        self.analysis, self.posters, self.lang = analysis, posters, lang

    def numbers(self, *keys: str) -> Any:
        """What analysis.json has at these keys, one inside the other."""
        found = to_json(self.analysis.numbers)
        for key in keys:
            found = found[key]
        return found

    def figure(self, name: str) -> Any:
        """The figure of that name, or a sentence that says that this run has none.

        Raises:
            ConfigError: no analysis has a figure of that name.
        """
        plan = next((plan for plan in plans(self.analysis.numbers, self.posters) if plan.name == name), None)
        if plan is None:
            raise ConfigError(f"unknown figure {name!r}; `cinealign analyse` says which there are")
        return f"{name}: not measured for this run" if plan.draw is None else _drawn(plan.draw, self.lang)

    def table(self, name: str, columns: Sequence[str]) -> pd.DataFrame:
        """Columns of the table of that name, in the notebook's language, numbers to three decimals, nothing where there is
        none.
        """
        import pandas as pd

        table = pd.read_csv(self.analysis.folder / self.analysis.numbers.tables[name])[list(columns)].round(3)
        named = table.map(lambda cell: label_of(cell, self.lang) if isinstance(cell, str) else cell).fillna("")
        return named.rename(columns=lambda column: label_of(column, self.lang))

    def conclusion(self, run: Run, question: str) -> str:
        """What the numbers allow to be concluded on `question`, as Markdown; worded from this run's findings."""
        sources = Sources.gather(run, self.analysis.folder)
        writer = Writer(Texts(self.lang, sources.noun))
        sentences = writer.joined(conclusions(writer, sources, question))
        return "".join(_strong(span.text) if span.kind == "strong" else span.text for span in sentences)

    def explained(self) -> list[Explanation]:
        """What was found of the single movies that the analysis explains."""
        return self.analysis.explained()

    def explanation(self, found: Explanation) -> Any:
        """The figure of one explained movie."""
        return _drawn(lambda figure: draw_explanation(figure, found, self.posters), self.lang)


def _drawn(draw: Callable[[Any], None], lang: Language) -> Any:
    from matplotlib.figure import Figure

    with drawing(lang):
        figure = Figure()
        draw(figure)
        figure.draw_without_rendering()
        return figure


def _strong(text: str) -> str:
    """Bold Markdown; what closes the sentence stands behind the stars, as between `。**` and a letter they are no marks."""
    bare = text.rstrip("。.")
    return f"**{bare}**{text[len(bare) :]}"
