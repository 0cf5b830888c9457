"""Why a poster matches an intro: single movies looked at closely."""

from __future__ import annotations

from cinealign.report.facts import Fact, Span, Text
from cinealign.report.sources import Sources
from cinealign.report.writer import Writer

SHOWS = 0.0005
"""What is printed as more than 0.000."""


def write_explained(writer: Writer, sources: Sources) -> None:
    """One paragraph and one figure a movie; nothing where none was explained."""
    explained = sources.explained()
    if not explained:
        return
    writer.heading("explained.title")
    writer.paragraph(writer.say("explained.what"))
    for one in explained:
        writer.paragraph(_movie(writer, one), _word(writer, one), _line(writer, one))
        figure = sources.figure(f"explain-{one['poster']['id'].value}", writer.lang)
        caption = writer.say("explained.caption", title=one["poster"]["title"])
        writer.figure(figure, caption, at_top=True)  # at the foot of a page it could stand below the next section


def _movie(writer: Writer, one: Fact) -> Text:
    strongest = max(one["experts"], key=lambda expert: float(expert["contribution"].value))
    views = writer.texts.list(
        [(name.span("", "code"),) for side in ("poster", "intro") for name in strongest[side]], last="words.comma"
    )
    expert = (strongest["expert"].span(), Span(" ("), *views, Span(")"))
    contribution = strongest["contribution"]
    rank = one["rank"]
    movie = writer.say(
        "explained.case",
        title=one["poster"]["title"],
        split=writer.texts.word(f"splits.{one['split']['poster'].value}"),
        p2i=rank["poster_to_intro"],
        i2p=rank["intro_to_poster"],
        n=rank["n"],
    )
    if contribution.value < SHOWS:
        return writer.joined([movie, writer.say("explained.no_expert", product=one["product"])])
    said = writer.say("explained.expert", expert=expert, contribution=contribution, product=one["product"])
    return writer.joined([movie, said])


def _word(writer: Writer, one: Fact) -> Text:
    words = list(one["words"])
    best = max(words, key=lambda word: float(word["drop"].value), default=None)
    if best is None or best["drop"].value < SHOWS:
        return writer.say("explained.no_word")
    return writer.say("explained.word", word=best["word"], drop=best["drop"])


def _line(writer: Writer, one: Fact) -> Text:
    lines = list(one["lines"])
    best = max(lines, key=lambda line: float(line["drop"].value), default=None)
    if best is None or best["drop"].value < SHOWS:
        return ()
    return writer.say("explained.line", line=best["text"], drop=best["drop"])
