"""The run's own numbers: accuracies by split and direction, ranks, score, and what they allow to be said."""

from __future__ import annotations

from pathlib import Path

from cinealign.evaluation.metrics import DIRECTIONS, SPLITS
from cinealign.report.facts import Fact, Span, Text, estimate
from cinealign.report.sources import Sources
from cinealign.report.verdicts import against, overlap, together
from cinealign.report.writer import Writer


def write_results(writer: Writer, sources: Sources, curves: Path) -> None:
    """The table, the verdicts and the curve; `curves` is a picture of `studies.curves.plot_run`."""
    metrics = sources.metrics
    writer.heading("results.title")
    half = metrics["ratio_0.5"]
    caption = writer.say("results.caption", half=half["ratio"], **_about(metrics))
    writer.table(caption, "results.head", _rows(writer, metrics), "lrrrrrr", half=half["ratio"])
    writer.paragraph(*_held_out(writer, metrics))
    writer.paragraph(*_train(writer, metrics), *_score(writer, sources))
    if "held_out_gallery" in metrics:
        among = metrics["held_out_gallery"]
        sides = {
            short: estimate(among[direction], among["intervals"][direction][0], among["intervals"][direction][1])
            for short, direction in zip(("p2i", "i2p"), DIRECTIONS, strict=True)
        }
        sizes = {key: among[key] for key in ("n", "k", "chance")}
        writer.paragraph(writer.say("results.among", **sizes, **sides))
    writer.figure(curves, writer.say("results.curve"))
    _transductive(writer, metrics)


def _about(metrics: Fact) -> dict[str, Fact]:
    return {key: metrics[key] for key in ("n", "k", "ratio", "chance")}


def _accuracy(metrics: Fact, direction: str, split: str) -> Text:
    low, high = metrics["intervals"][direction][split]
    return estimate(metrics[direction][split], low, high)


def _rows(writer: Writer, metrics: Fact) -> list[list[Text]]:
    rows: list[list[Text]] = []
    for direction in DIRECTIONS:
        rows.append([(Span(writer.texts.word(f"directions.{direction}")),)])
        for split in SPLITS:
            if metrics[direction][split].value is None:
                continue
            ranks = metrics["ranks"][direction][split]
            rows.append(
                [
                    (Span(writer.texts.word(f"splits.{split}")),),
                    (ranks["queries"].span(",d"),),
                    _accuracy(metrics, direction, split),
                    (ranks["recall@1"].span(".3f"),),
                    (ranks["recall@10"].span(".3f"),),
                    (ranks["median"].span("g"),),
                    (metrics["ratio_0.5"][direction][split].span(".3f"),),
                ]
            )
    return rows


def _held_out(writer: Writer, metrics: Fact) -> list[Text]:
    if metrics[DIRECTIONS[0]]["held_out"].value is None:
        return []
    bounds = [tuple(metrics["intervals"][direction]["held_out"].value) for direction in DIRECTIONS]
    chance = metrics["chance"]
    verdict = together([against(low, high, chance.value) for low, high in bounds])
    medians = [metrics["ranks"][direction]["held_out"]["median"] for direction in DIRECTIONS]
    return [
        writer.say(f"results.held_out.{verdict}", chance=chance),
        writer.say(f"results.directions.{overlap(bounds[0], bounds[1])}"),
        writer.say("results.ranks", p2i=medians[0], i2p=medians[1], n=metrics["n"]),
    ]


def _train(writer: Writer, metrics: Fact) -> list[Text]:
    facts = [metrics[direction]["train"] for direction in DIRECTIONS]
    if facts[0].value is None or metrics[DIRECTIONS[0]]["held_out"].value is None:
        return []
    gaps = []
    for direction in DIRECTIONS:
        train, held_out = (metrics["intervals"][direction][split].value for split in ("train", "held_out"))
        gaps.append(train[0] > held_out[1])
    remembered = all(fact.value == 1 for fact in facts)
    verdict = "all" if remembered else "gap" if all(gaps) else "some_gap" if any(gaps) else "no_gap"
    return [writer.say(f"results.train.{verdict}", p2i=facts[0], i2p=facts[1])]


def _score(writer: Writer, sources: Sources) -> list[Text]:
    metrics = sources.metrics
    low, high = metrics["intervals"]["acc_sum"]
    summed = estimate(metrics["acc_sum"], low, high)
    if not sources.assignment:
        return [writer.say("results.score.none", acc_sum=summed)]
    full = "full" if metrics["acc_sum"].value >= 1.5 else "part"
    half = metrics["ratio_0.5"]
    return [
        writer.say(f"results.score.{full}", acc_sum=summed, score=metrics["course_score"]),
        writer.say("results.half", half=half["ratio"], sum=half["acc_sum"]),
    ]


def _transductive(writer: Writer, metrics: Fact) -> None:
    if "transductive" not in metrics:
        return
    corrected = metrics["transductive"]
    rows = []
    for name in corrected.names():
        one = corrected[name]
        low, high = one["intervals"]["acc_sum"]
        cells = [_accuracy(one, direction, "held_out") for direction in DIRECTIONS]
        rows.append([(Span(name, source=corrected.place, spec="key"),), *cells, estimate(one["acc_sum"], low, high)])
    writer.paragraph(writer.say("results.transductive"))
    about = {key: metrics[key] for key in ("n", "ratio", "chance")}
    writer.table(writer.say("results.transductive_caption", **about), "results.transductive_head", rows, "lrrr")
