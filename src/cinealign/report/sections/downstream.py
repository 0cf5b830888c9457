"""The third question: what aligned features are good for, against raw features and baselines."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from cinealign.analysis.downstream.clusters import NAMED_BY
from cinealign.analysis.downstream.figures import SHOWN as MAIN_MEASURES
from cinealign.report.facts import NOTHING, Fact, Span, Text, estimated
from cinealign.report.sources import Sources, skipped
from cinealign.report.verdicts import significant_side
from cinealign.report.writer import Writer

Measure = tuple[str, str]
"""Task and measure."""
Standing = Literal["better", "unclear", "worse"]
GENRES = 2
"""Of a cluster in its table, so that a row is one line."""
STANDINGS: tuple[Standing, ...] = ("better", "unclear", "worse")


def short_downstream(writer: Writer, sources: Sources) -> Text:
    """One sentence for the abstract."""
    downstream = sources.analysis["downstream"]
    return _count(writer, downstream["table"])


def write_downstream(writer: Writer, sources: Sources) -> None:
    """The table, who leads where, clusters and search."""
    writer.heading("downstream.title")
    downstream = sources.analysis["downstream"]
    if len(downstream["table"]):
        _table(writer, sources, downstream["table"])
    cold = downstream["cold_start"]
    if not skipped(cold):
        writer.paragraph(writer.say("downstream.cold_start", test_movies=cold["test_movies"], users=cold["users"]))
    clusters = downstream["clusters"]
    if not skipped(clusters):
        _clusters(writer, clusters)
    writer.figure(sources.figure("search", writer.lang), writer.say("downstream.search"), 0.75)


def _measures(table: Fact) -> dict[Measure, list[Fact]]:
    """Rows by task and measure, in their order."""
    found: dict[Measure, list[Fact]] = {}
    for row in table:
        if row["value"].value is not None:
            found.setdefault((row["task"].value, row["measure"].value), []).append(row)
    return found


def _shown(measures: dict[Measure, list[Fact]], *, brief: bool) -> list[list[Fact]]:
    """The rows of every measure; of a brief report the one measure a task that the figure draws, else the task's first."""
    if not brief:
        return list(measures.values())
    shown: dict[str, list[Fact]] = {}
    for (task, measure), rows in measures.items():
        if task not in shown or MAIN_MEASURES.get(task) == measure:
            shown[task] = rows
    return list(shown.values())


def _table(writer: Writer, sources: Sources, table: Fact) -> None:
    writer.paragraph(writer.say("downstream.what"))
    rows: list[list[Text]] = []
    for measured in _shown(_measures(table), brief=writer.brief):
        rows.append([_measure_title(writer, measured[0])])
        best = _best(measured)
        rows += [_row(writer, row, best=row is best) for row in measured]
    writer.table(writer.say("downstream.caption"), "downstream.head", rows, "lrrrr", widths=(1, 0, 0, 0, 0))
    writer.paragraph(_count(writer, table))
    _verdicts(writer, table)
    writer.repeating_figure(sources.figure("downstream", writer.lang), writer.say("downstream.figure"))


def _row(writer: Writer, row: Fact, *, best: bool) -> list[Text]:
    value = estimated(row)
    if best:
        value = (replace(value[0], kind="strong"), *value[1:])
    method = writer.texts.called(row["method"])
    if row["difference"].value is None:
        return [method, value, (Span(NOTHING),), (Span(NOTHING),), (row["n"].span(",d"),)]
    difference = estimated(row["difference"], "+.3f")
    return [method, value, difference, (row["difference"]["p"].span("p"),), (row["n"].span(",d"),)]


def _standings(table: Fact) -> dict[Standing, list[Fact]]:
    """Rows of aligned features by how they stand to what they are compared with, paired by item."""
    found: dict[Standing, list[Fact]] = {standing: [] for standing in STANDINGS}
    for row in table:
        if row["kind"].value == "aligned" and row["difference"].value is not None:
            side = significant_side(row["difference"])
            good = "below" if row["lower_is_better"].value else "above"
            found["unclear" if side == "unclear" else "better" if side == good else "worse"].append(row)
    return found


def _count(writer: Writer, table: Fact) -> Text:
    """How many of the paired comparisons aligned features win, and lose."""
    standings = _standings(table)
    compared = sum(map(len, standings.values()))
    if not compared:
        return ()
    numbers = {"compared": compared, "better": len(standings["better"]), "worse": len(standings["worse"])}
    counts = {name: (Span(str(number), source=table.place, spec=name),) for name, number in numbers.items()}
    return writer.say("downstream.count", **counts)


def _verdicts(writer: Writer, table: Fact) -> None:
    """Which comparisons these are, a list each of better, undecided and worse ones, by task and measure."""
    for standing, rows in _standings(table).items():
        methods: dict[Measure, list[Fact]] = {}
        for row in rows:
            methods.setdefault((row["task"].value, row["measure"].value), []).append(row)
        entries = [
            writer.say(
                "downstream.entry",
                **_names(writer, listed[0]),
                methods=writer.texts.list([writer.texts.called(row["method"]) for row in listed], "words.comma"),
            )
            for listed in methods.values()
        ]
        if entries:
            writer.paragraph(writer.say(f"downstream.{standing}"))
            writer.bullets(entries)


def _measure_title(writer: Writer, row: Fact) -> Text:
    lower = writer.say("downstream.lower") if row["lower_is_better"].value else ()
    title = writer.say("downstream.measure", lower=lower, **_names(writer, row))
    if row["chance"].value is None:
        return title
    return title + writer.say("downstream.chance", chance=row["chance"])


def _names(writer: Writer, row: Fact) -> dict[str, Text]:
    """Task and measure as they are called; measures such as NDCG@10 bring digits of their own."""
    found: dict[str, Text] = {}
    for key in ("task", "measure"):
        name = writer.texts.named(f"downstream.{key}s", row[key].value)
        found[key] = (Span(name, source=None if name != row[key].value else row[key].place),)
    return found


def _best(rows: list[Fact]) -> Fact:
    sign = -1 if rows[0]["lower_is_better"].value else 1
    return max(rows, key=lambda row: sign * float(row["value"].value))


def _clusters(writer: Writer, clusters: Fact) -> None:
    writer.heading("downstream.clusters_title", 2)
    writer.paragraph(writer.say("downstream.clusters", count=clusters["count"]))
    rows = []
    for cluster in clusters["clusters"]:
        genres = [
            writer.say("downstream.cluster_genre", genre=entry["genre"], lift=entry["lift"])
            for entry in list(cluster["genres"])[:GENRES]
        ]
        further = list(cluster["words"])[NAMED_BY:]
        rows.append(
            [
                *((cluster["name"].span(),), writer.texts.list(further, "words.comma")),
                *((cluster["movies"].span(",d"),), writer.texts.list(genres, "words.comma")),
            ]
        )
    caption = writer.say("downstream.clusters_caption")
    writer.table(caption, "downstream.clusters_head", rows, "llrl", widths=(1.1, 0.9, 0, 1))
