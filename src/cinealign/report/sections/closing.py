"""How far the results can be trusted, and how to make them again."""

from __future__ import annotations

from cinealign.figures import label_of
from cinealign.report.facts import Fact, Span, Text
from cinealign.report.sources import Sources, skipped
from cinealign.report.writer import Writer

PARTS = ("relation", "neighbours", "downstream")


def write_limits(writer: Writer, sources: Sources) -> None:
    """Points that hold for every run, and those that hold for this one."""
    report, metrics = sources.catalogue["report"], sources.metrics
    writer.heading("limits.title")
    points = [
        writer.say(
            "limits.mixture" if sources.assignment else "limits.mixture_items",
            train=report["train_rows"],
            n=metrics["n"],
        ),
        _seed(writer, sources),
        writer.say("limits.title_words"),
        *([writer.say("limits.sentence")] if sources.assignment else []),
        writer.say("limits.slices"),
        writer.say("limits.tests"),
    ]
    if not sources.speaks(writer.lang):
        points.append(writer.say("limits.labels"))
    if "transductive" in metrics:
        points.append(writer.say("limits.transductive"))
    if writer.brief:
        points.append(writer.say("limits.brief"))
    left_out = _skipped_parts(writer, sources)
    if left_out:
        points.append(writer.say("limits.skipped", parts=writer.texts.series(left_out)))
    writer.bullets(points)


def _seed(writer: Writer, sources: Sources) -> Text:
    said = [writer.say("limits.seed", seed=sources.environment["seed"])]
    if any(comparison["seeds"].value > 1 for comparison in sources.comparisons):
        said.append(writer.say("limits.compared_seeds"))
    return writer.joined(said)


def _skipped_parts(writer: Writer, sources: Sources) -> list[Text]:
    """Name and reason of every part inside a question that the analysis could not make."""
    found: list[Text] = []
    opened, closed = ("（", "）") if writer.lang == "zh" else (" (", ")")
    for question in PARTS:
        whole = sources.analysis[question]
        inner = list(whole.names())
        parts = [(name, whole[name]) for name in inner]
        parts += [
            (one["name"].value if "name" in one else name, one)
            for name in inner
            if isinstance(whole[name].value, list)
            for one in whole[name]
        ]
        if "traits" in whole:
            parts += [(name, whole["traits"][name]) for name in whole["traits"].names()]
        found += [
            (Span(_part_name(writer, name)), Span(opened), *writer.texts.called(part["skipped"]), Span(closed))
            for name, part in parts
            if isinstance(part, Fact) and skipped(part)
        ]
    return found


def _part_name(writer: Writer, name: str) -> str:
    told = label_of(name, writer.lang)
    return told.replace("_", " ") if told == name else told


def write_reproduce(writer: Writer, sources: Sources) -> None:
    """Versions, machine and commands."""
    environment = sources.environment
    writer.heading("reproduce.title")
    writer.paragraph(writer.say("reproduce.commands", recipe=sources.recipe["name"]))
    values = {name: environment[name] for name in ("cinealign", "python", "platform", "processor", "threads", "seed")}
    if "torch" in environment["packages"]:
        values["torch"] = environment["packages"]["torch"]
    values["digest"] = sources.catalogue["digest"]
    rows = []
    for name, title in writer.texts.raw("reproduce.rows").items():
        if name in values:
            rows.append([(Span(title),), (values[name].span(),)])
    writer.table(writer.say("reproduce.caption"), "reproduce.head", rows, "ll")
