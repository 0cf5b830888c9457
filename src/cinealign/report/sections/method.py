"""Views, experts with their formulas, fusion and distance: as the run's recipe has them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cinealign.report.facts import Fact, Span, Text
from cinealign.report.sources import Sources
from cinealign.report.texts import Texts
from cinealign.report.writer import Writer


def write_method(writer: Writer, sources: Sources, network: Path | None = None) -> None:
    """Everything that decides the vectors, in the order in which data flow; `network` is a picture of the network."""
    recipe = sources.recipe
    writer.heading("method.title")
    writer.heading("method.views_title", 2)
    writer.paragraph(writer.say("method.views"))
    _views_table(writer, recipe)
    writer.heading("method.experts_title", 2)
    writer.paragraph(writer.say("method.experts", count=_count(recipe["align"])))
    _experts_table(writer, sources)
    for kind in dict.fromkeys(options["expert"].value for options in recipe["align"]):
        _expert(writer, kind, [options for options in recipe["align"] if options["expert"].value == kind])
    if sources.network is not None:
        numbers = {key: sources.network[key] for key in sources.network.names()}
        writer.paragraph(writer.say("method.network", **numbers))
        writer.figure(network, writer.say("method.network_caption"))
    writer.heading("method.fusion_title", 2)
    writer.paragraph(writer.say("method.fusion"))
    writer.formula("method.fusion_formula")
    free = sum(options["weight"].value is None for options in recipe["align"])
    weighed = "learned" if free > 1 else "fixed"
    distance = recipe["distance"]["distance"]
    writer.paragraph(
        writer.say("method.fusion_vectors"),
        writer.say(f"method.fusion_weights.{weighed}", folds=recipe["fusion"]["folds"]),
        writer.say(f"method.distance.{'cosine' if distance.value == 'cosine' else 'other'}", kind=distance),
    )


def _count(entries: Fact) -> Text:
    return (Span(str(len(entries)), source=entries.place, spec="len"),)


def _views_table(writer: Writer, recipe: Fact) -> None:
    poster = {name.value for options in recipe["align"] for name in options["poster"]}
    rows = []
    for name in recipe["views"].names():
        side = "poster" if name in poster else "intro"
        seen = _seen(writer, recipe["views"][name])
        rows.append(
            [
                (Span(name, "code", recipe["views"].place, "key"),),
                (Span(writer.texts.word(f"method.sides.{side}")),),
                seen,
            ]
        )
    writer.table(writer.say("method.views_caption"), "method.views_head", rows, "lll", widths=(0, 0, 1))


def _seen(writer: Writer, options: Fact) -> Text:
    kind = options["view"].value
    if kind == "appearance" and "output" in options and options["output"].value != "pooled":
        kind = f"appearance_{options['output'].value}"
    if kind != "lettering":
        return writer.say(f"view_kinds.{kind}") if writer.texts.has(f"view_kinds.{kind}") else (options["view"].span(),)
    encoder = options["encoder"]["view"]
    known = "language_model" if encoder.value == "language_model" else "other"
    seen = writer.say(f"lettering_through.{known}", view=encoder)
    if options["lines"].value == "tallest":
        seen += writer.say("lettering_through.tallest", count=options["count"])
    return seen


def _experts_table(writer: Writer, sources: Sources) -> None:
    weights = sources.fusion["weights"]
    rows = [
        [
            (options["expert"].span(),),
            *(_names(writer.texts, options[side]) for side in ("poster", "intro")),
            (weight.span(".3f"),),
        ]
        for options, weight in zip(sources.recipe["align"], weights, strict=True)
    ]
    writer.table(writer.say("method.experts_caption"), "method.experts_head", rows, "lllr")


def _names(texts: Texts, names: Fact) -> Text:
    return texts.list([(name.span("", "code"),) for name in names], last="words.comma")


def _expert(writer: Writer, kind: str, all_options: Sequence[Fact]) -> None:
    """What an expert of this kind does, its formula, and the settings of each one in the recipe."""
    if not writer.texts.has(f"expert_kinds.{kind}"):
        return
    writer.paragraph(writer.say(f"expert_kinds.{kind}"))
    if writer.texts.has(f"expert_formulas.{kind}"):
        writer.formula(f"expert_formulas.{kind}")
    if writer.texts.has(f"expert_after.{kind}"):
        settings = [_settings(writer, kind, options) for options in all_options]
        writer.paragraph(writer.say(f"expert_after.{kind}", settings=writer.texts.series(settings)))


def _settings(writer: Writer, kind: str, options: Fact) -> Text:
    sides = {side: _names(writer.texts, options[side]) for side in ("poster", "intro")}
    if kind == "cca":
        return writer.say("settings.cca", dimensions=options["dimensions"], ridge=options["ridge"], **sides)
    if kind == "network":
        training = {key: options["training"][key] for key in ("optimizer", "schedule", "weight_decay", "decay_to")}
        rate = options["training"]["learning_rate"]
        return writer.say("settings.network", loss=options["loss"]["loss"], rate=rate, **training, **sides)
    return writer.say(
        "settings.contrastive",
        loss=options["loss"]["loss"],
        dimensions=options["dimensions"],
        epochs=options["training"]["epochs"],
        **sides,
    )
