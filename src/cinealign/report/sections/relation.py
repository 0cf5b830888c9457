"""The first question: is poster content related to intro content, and what carries the relation?"""

from __future__ import annotations

from cinealign.evaluation.metrics import DIRECTIONS
from cinealign.report.facts import NOTHING, Fact, Span, Text, estimated
from cinealign.report.sources import Sources, skipped
from cinealign.report.verdicts import amount, of_estimate, significance, significant_side, together
from cinealign.report.writer import Writer

BLANK = (Span(NOTHING),)
NO_BASELINE = "full"


def write_relation(writer: Writer, sources: Sources) -> None:
    """Permutation test, curve, raw views, what is left, which movies."""
    writer.heading("relation.title")
    relation = sources.analysis["relation"]
    writer.paragraph(_permutation(writer, relation["permutation"]))
    _curve(writer, sources, relation["curve"])
    _raw_views(writer, sources, relation)
    _left(writer, sources, relation)
    _slices(writer, sources, relation)


def conclude_relation(writer: Writer, sources: Sources) -> list[Text]:
    """Whether there is a relation, and what it comes from."""
    relation = sources.analysis["relation"]
    carried = [_what_it_carries(writer, entry) for entry in relation["left"] if not skipped(entry)]
    return [_permutation(writer, relation["permutation"]), *carried]


def _permutation(writer: Writer, found: Fact) -> Text:
    return writer.say(
        f"relation.permutation.{significance(found['p'].value)}",
        acc_sum=found["acc_sum"],
        permutations=found["permutations"],
        mean=found["permuted_mean"],
        high=found["permuted_high"],
        p=found["p"],
    )


def _curve(writer: Writer, sources: Sources, curve: Fact) -> None:
    area, chance = curve["area"], curve["area"]["chance"]
    verdict = together([of_estimate(area[direction], chance.value) for direction in DIRECTIONS])
    writer.paragraph(writer.say(f"relation.curve_says.{'above' if verdict == 'above' else 'other'}"))
    p2i, i2p = (estimated(area[direction]) for direction in DIRECTIONS)
    caption = writer.say("relation.curve", p2i=p2i, i2p=i2p, chance=chance)
    writer.figure(sources.figure("relation-curve", writer.lang), caption, 0.92)


def _raw_views(writer: Writer, sources: Sources, relation: Fact) -> None:
    """CCA and CKA of raw views in one table, the strongest pair in words."""
    if skipped(relation["cca"]) or not len(relation["cca"]):
        return
    pairs = list(relation["cca"])
    writer.heading("relation.cca_title", 2)
    writer.paragraph(writer.say("relation.cca"))
    cka = {(one["poster"].value, one["intro"].value): one for one in relation["cka"]}
    rows = []
    for pair in pairs:
        key = (pair["poster"].value, pair["intro"].value)
        alike = cka.get(key)
        rows.append(
            [(pair[side].span("", "code"),) for side in ("poster", "intro")]
            + [(pair[name].span(".3f"),) for name in ("mean_train", "mean_held_out", "mean_null_high")]
            + [(pair["p"].span("p"),)]
            + [BLANK if alike is None else (alike["debiased"].span(".3f"),)]
            + [BLANK if alike is None else (alike["p"].span("p"),)]
        )
    writer.table(writer.say("relation.cca_caption"), "relation.cca_head", rows, "llrrrrrr")
    writer.paragraph(*_closest(writer, pairs))
    writer.repeating_figure(sources.figure("relation-cca", writer.lang), writer.say("relation.cca_figure"), 0.92)


def _closest(writer: Writer, pairs: list[Fact]) -> list[Text]:
    best = max(pairs, key=lambda pair: float(pair["mean_held_out"].value))
    if best["mean_held_out"].value <= best["mean_null_high"].value:
        return [writer.say("relation.cca_none")]
    views = {side: (best[side].span("", "code"),) for side in ("poster", "intro")}
    said = [writer.say("relation.cca_best", **views, held_out=best["mean_held_out"], high=best["mean_null_high"])]
    if best["mean_held_out"].value < 0.5 * best["mean_train"].value:
        said.append(writer.say("relation.cca_overfit", train=best["mean_train"]))
    return said


def _left(writer: Writer, sources: Sources, relation: Fact) -> None:
    entries = [entry for entry in relation["left"] if not skipped(entry)]
    full = next(entry for entry in entries if entry["name"].value == NO_BASELINE)
    writer.heading("relation.left_title", 2)
    writer.paragraph(writer.say("relation.left"))
    rows = []
    for entry in entries:
        difference = entry["difference"]
        changed = difference.value is not None
        rows.append(
            [
                (Span(writer.texts.named("relation.left_names", entry["name"].value)),),
                estimated(entry["mean"]),
                estimated(difference, "+.3f") if changed else BLANK,
                (difference["p"].span("p"),) if changed else BLANK,
                estimated(entry["share_left"], ".2f") if entry["share_left"].value is not None else BLANK,
            ]
        )
    settings = sources.analysis["settings"]
    about = {key: settings[key] for key in ("k", "ratio", "chance")}
    caption = writer.say("relation.left_caption", movies=full["movies"], **about)
    writer.table(caption, "relation.left_head", rows, "lrrrr", widths=(1, 0, 0, 0, 0))
    writer.bullets([said for entry in entries if (said := _what_it_carries(writer, entry))])
    writer.paragraph(_titles(writer, relation))
    writer.repeating_figure(sources.figure("relation-left", writer.lang), writer.say("relation.left_figure"), 0.92)


def _what_it_carries(writer: Writer, entry: Fact) -> Text:
    """What taking one thing away says, if the difference is significant in that direction."""
    name = entry["name"].value
    if entry["difference"].value is None or not writer.texts.has(f"relation.left_says.{name}"):
        return ()
    verdict = significant_side(entry["difference"])
    share = entry["share_left"]
    how_much = "unknown" if share.value is None else amount(share["low"].value, share["high"].value)
    return writer.say(
        f"relation.left_says.{name}.{verdict}",
        mean=estimated(entry["mean"]),
        amount=writer.say(f"relation.amounts.{how_much}"),
    )


def _titles(writer: Writer, relation: Fact) -> Text:
    titles = relation["titles"]
    read = titles["posters_with_title_word"]
    intros = titles["intros_with_title_word"]
    if read.value is None:
        return writer.say("relation.titles", intros=intros)
    return writer.say("relation.titles_posters", intros=intros, share=read)


def _slices(writer: Writer, sources: Sources, relation: Fact) -> None:
    slices = {f"{one['attribute'].value}: {one['slice'].value}": one for one in relation["slices"]}
    whole = relation["slices"][0]
    writer.heading("relation.slices_title", 2)
    lists = {
        which: writer.texts.list(
            [_slice(writer, slices[name.value]) for name in relation[which] if name.value in slices]
        )
        for which in ("most", "least")
    }
    if lists["most"] and lists["least"]:
        writer.paragraph(writer.say("relation.slices", **lists))
    figure = sources.figure("relation-slices", writer.lang)
    writer.figure(figure, writer.say("relation.slices_figure", mean=whole["mean"]), 0.95)
    rows: list[list[Text]] = []
    for which in ("best", "worst"):
        if len(relation[which]):
            rows.append([(Span(writer.texts.word(f"relation.examples_{which}")),)])
            rows += [
                [(movie["title"].span(),), *((movie[direction].span(",d"),) for direction in DIRECTIONS)]
                for movie in relation[which]
            ]
    if rows:
        caption = writer.say("relation.examples_caption", n=sources.metrics["n"])
        writer.table(caption, "relation.examples_head", rows, "lrr")


def _slice(writer: Writer, one: Fact) -> Text:
    attribute = writer.texts.named("slice_attributes", one["attribute"].value)
    name = writer.say("relation.slice_name", attribute=attribute, slice=writer.texts.called(one["slice"]))
    return writer.say("relation.slice", name=name, mean=one["mean"])
