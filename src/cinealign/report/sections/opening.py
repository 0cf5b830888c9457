"""Title, abstract and the task."""

from __future__ import annotations

from cinealign.report.facts import Text, estimate
from cinealign.report.sections.downstream import short_downstream
from cinealign.report.sections.neighbours import short_neighbours
from cinealign.report.sources import Sources
from cinealign.report.verdicts import significance
from cinealign.report.writer import Writer


def accuracy(sources: Sources, direction: str, split: str) -> Text:
    """Top-k accuracy with its interval."""
    facts = sources.metrics
    bounds = facts["intervals"][direction][split]
    if bounds.value is None:
        return (facts[direction][split].span(".3f"),)
    return estimate(facts[direction][split], bounds[0], bounds[1])


def abstract(writer: Writer, sources: Sources) -> tuple[Text, ...]:
    """What a reader must know who reads nothing else."""
    metrics, report = sources.metrics, sources.catalogue["report"]
    low, high = metrics["intervals"]["acc_sum"]
    sizes = {"n": metrics["n"], "train": report["train_rows"], "recipe": sources.recipe["name"]}
    task = writer.say("abstract.task" if sources.assignment else "abstract.task_items", **sizes)
    held_out = writer.say(
        "abstract.held_out",
        n=metrics["n"],
        ratio=metrics["ratio"],
        k=metrics["k"],
        chance=metrics["chance"],
        p2i=accuracy(sources, "poster_to_intro", "held_out"),
        i2p=accuracy(sources, "intro_to_poster", "held_out"),
    )
    whole = writer.say(
        "abstract.all_movies" if sources.assignment else "abstract.all_items",
        p2i=metrics["poster_to_intro"]["all"],
        i2p=metrics["intro_to_poster"]["all"],
        acc_sum=estimate(metrics["acc_sum"], low, high),
        **({"score": metrics["course_score"]} if sources.assignment else {}),
    )
    return (
        task,
        writer.joined([held_out, whole]),
        writer.say("abstract.questions", answers=_answers(writer, sources)),
    )


def _answers(writer: Writer, sources: Sources) -> Text:
    p = sources.analysis["relation"]["permutation"]["p"]
    related = writer.say(f"relation.short.{significance(p.value)}", p=p)
    answers = [related, short_neighbours(writer, sources), short_downstream(writer, sources)]
    return writer.joined([answer for answer in answers if answer])


def write_task(writer: Writer, sources: Sources) -> None:
    """What is asked for, and how it is measured."""
    metrics, report = sources.metrics, sources.catalogue["report"]
    sizes = {"n": metrics["n"], "train": report["train_rows"], "held_out": report["held_out_rows"]}
    writer.heading("task.title")
    writer.paragraph(writer.say("task.what", **sizes))
    writer.paragraph(writer.say("task.measure"))
    writer.formula("task.formula_accuracy")
    writer.paragraph(writer.say("task.dims", ratio=metrics["ratio"], k=metrics["k"]))
    mixture = writer.say("task.mixture", train=report["train_rows"], n=metrics["n"])
    if sources.assignment:
        writer.paragraph(writer.say("task.score"))
        writer.formula("task.formula_score")
        half = metrics["ratio_0.5"]["ratio"]
        writer.paragraph(writer.say("task.half", half=half, ratio=metrics["ratio"]), mixture)
    else:
        writer.paragraph(mixture)
