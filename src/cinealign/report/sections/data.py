"""What was read, what was left out, and how both sides are prepared."""

from __future__ import annotations

from cinealign.report.facts import Span
from cinealign.report.sources import Sources
from cinealign.report.texts import spans
from cinealign.report.writer import Writer

COUNTS = {"read": "movies_read", "n": "n", "train": "train_rows", "held_out": "held_out_rows"}
"""Row of the table -> key of the catalogue's report."""


def write_data(writer: Writer, sources: Sources) -> None:
    """The catalogue in numbers, then its preparation."""
    report, texts = sources.catalogue["report"], writer.texts
    read_key = "movies_read" if "movies_read" in report else "items_read"
    read = report[read_key]
    writer.heading("data.title")
    if len(report["drops"]):
        writer.paragraph(writer.say("data.read", read=read, n=report["n"]))
        writer.bullets(
            [
                writer.say(
                    "data.drop", reason=spans(texts.named("drops", drop["reason"].value), {}), count=drop["count"]
                )
                for drop in report["drops"]
            ]
        )
    else:
        writer.paragraph(writer.say("data.nothing_dropped", read=read, n=report["n"]))
    counts = {**COUNTS, "read": read_key}
    rows = [[(Span(texts.word(f"data.rows.{row}")),), (report[key].span(",d"),)] for row, key in counts.items()]
    writer.table(writer.say("data.caption"), "data.head", rows, "lr")
    writer.paragraph(writer.say(f"data.read_as.{report['train_read_as'].value}"))
    writer.paragraph(writer.say("data.intros"))
    writer.paragraph(writer.say("data.posters"))
