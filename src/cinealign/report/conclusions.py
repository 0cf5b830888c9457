"""What a run's numbers allow to be concluded on each question, in sentences: the same in notebook and report."""

from __future__ import annotations

from cinealign.report.facts import Text
from cinealign.report.sections.downstream import short_downstream
from cinealign.report.sections.neighbours import conclude_neighbours
from cinealign.report.sections.relation import conclude_relation
from cinealign.report.sources import Sources
from cinealign.report.writer import Writer


def conclusions(writer: Writer, sources: Sources, question: str) -> list[Text]:
    """Sentences on `question`: relation, neighbours or downstream; none where it was not measured."""
    if question == "downstream":
        said = [short_downstream(writer, sources)]
    else:
        said = (conclude_relation if question == "relation" else conclude_neighbours)(writer, sources)
    return [sentence for sentence in said if sentence]
