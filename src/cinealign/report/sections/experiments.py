"""Comparisons of recipes, and the ladder from the simplest method to this one."""

from __future__ import annotations

from cinealign.evaluation.metrics import DIRECTIONS
from cinealign.report.facts import NOTHING, Fact, Span, Text, estimate
from cinealign.report.ladder import COLUMNS
from cinealign.report.sources import Sources
from cinealign.report.writer import Writer


def write_experiments(writer: Writer, sources: Sources) -> None:
    """One table a comparison, and what its tests say; nothing without comparisons."""
    if not sources.comparisons:
        return
    writer.heading("experiments.title")
    for comparison in sources.comparisons:
        seeds = comparison["seeds"]
        writer.paragraph(writer.say(f"experiments.{'intro' if seeds.value > 1 else 'one_seed'}", seeds=seeds))
        rows = [
            [(entry["recipe"].span("", "code"),)]
            + [_measure(entry["accuracy"][direction]["held_out"]) for direction in DIRECTIONS]
            + [_measure(entry["acc_sum"], interval=False)]
            + ([(entry["course_score"].span(".2f"),)] if sources.assignment else [])
            for entry in comparison["recipes"]
        ]
        _mark_this_run(writer, sources, comparison, rows)
        caption = writer.say("experiments.caption", **_about(comparison))
        head = "experiments.head" if sources.assignment else "experiments.head_items"
        writer.table(caption, head, rows, "lrrr" + "r" * sources.assignment)
        writer.paragraph(*_verdicts(writer, comparison))


def write_ladder(writer: Writer, sources: Sources) -> None:
    """The steps in their given order; nothing without a ladder."""
    ladder = sources.ladder
    if ladder is None:
        return
    writer.heading("ladder.title")
    writer.paragraph(writer.say("ladder.intro"))
    name, *directions = COLUMNS
    rows = [[(step[name].span(),), *((step[direction].span(".3f"),) for direction in directions)] for step in ladder]
    writer.table(writer.say("ladder.caption"), "ladder.head", rows, "lrr", widths=(1, 0, 0))


def _mark_this_run(writer: Writer, sources: Sources, comparison: Fact, rows: list[list[Text]]) -> None:
    """Say which row is the recipe of the run that is reported on; a row of its own where it was not compared."""
    metrics, name = sources.metrics, sources.recipe["name"]
    mark = Span(f" {writer.texts.word('experiments.this_run')}")
    for row, entry in zip(rows, comparison["recipes"], strict=True):
        if entry["recipe"].value == name.value:
            row[0] = (*row[0], mark)
            return
    own = [metrics[direction]["held_out"] for direction in DIRECTIONS]
    if any(value.value is None for value in own):
        return
    bounds = [metrics["intervals"][direction]["held_out"] for direction in DIRECTIONS]
    rows.append(
        [
            (name.span("", "code"), mark),
            *(estimate(value, low, high) for value, (low, high) in zip(own, bounds, strict=True)),
            (metrics["acc_sum"].span(".3f"),),
            *([(metrics["course_score"].span(".2f"),)] if sources.assignment else []),
        ]
    )


def _about(comparison: Fact) -> dict[str, Fact]:
    found = {key: comparison[key] for key in ("ratio", "n", "k", "chance")}
    return {**found, "held_out": comparison["split"]["held_out"]}


def _measure(measure: Fact, *, interval: bool = True) -> Text:
    if measure.value is None:
        return (Span(NOTHING),)
    low, high = measure["interval"]
    text = estimate(measure["mean"], low, high) if interval else (measure["mean"].span(".3f"),)
    spread = measure["spread"]
    return text if spread.value is None else (*text, Span(" ± "), spread.span(".3f"))


def _verdicts(writer: Writer, comparison: Fact) -> list[Text]:
    """Which recipe has the highest held-out sum, and which others are really behind it."""
    entries = [entry for entry in comparison["recipes"] if entry["held_out_sum"].value is not None]
    if not entries:
        return []
    best = max(entries, key=lambda entry: float(entry["held_out_sum"]["mean"].value))
    name = best["recipe"].value
    said = [writer.say("experiments.best", recipe=best["recipe"], sum=_measure(best["held_out_sum"]))]
    if len(entries) == 1:
        return [*said, writer.say("experiments.single")]
    behind: dict[bool, list[Text]] = {True: [], False: []}
    for pair in comparison["differences"]:
        names = (pair["first"].value, pair["second"].value)
        if name in names:
            other = pair["second"] if names[0] == name else pair["first"]
            behind[bool(pair["sum"]["real"].value)].append((other.span("", "code"),))
    for real, others in behind.items():
        if others:
            verb = writer.texts.word(f"experiments.real_verb.{'one' if len(others) == 1 else 'many'}")
            listed = writer.texts.list(others)
            key = "experiments.real" if real else "experiments.not_real"
            said.append(writer.say(key, recipes=listed, verb=verb))
    return said
