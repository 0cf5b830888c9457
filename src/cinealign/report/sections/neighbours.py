"""The second question: what the nearest k of the other side share with a query."""

from __future__ import annotations

from cinealign.evaluation.metrics import DIRECTIONS
from cinealign.report.facts import NOTHING, Fact, Span, Text, estimate, estimated
from cinealign.report.sources import Sources, skipped
from cinealign.report.verdicts import against, significant_side, together
from cinealign.report.writer import Writer

AT_K = 10
"""The table is about this many neighbours; the figure shows all."""


def short_neighbours(writer: Writer, sources: Sources) -> Text:
    """One sentence for the abstract."""
    neighbours = sources.analysis["neighbours"]
    at = _position(neighbours)
    shared = [name for name, trait in _traits(neighbours).items() if _verdict(trait, at) == "above"]
    names: list[str] = [writer.texts.named("neighbours.traits", name) for name in shared]
    k = neighbours["k"][at]
    return writer.say(f"neighbours.short.{'some' if names else 'none'}", k=k, traits=writer.texts.list(names))


def write_neighbours(writer: Writer, sources: Sources) -> None:
    """Table, verdicts, figure and galleries."""
    writer.heading("neighbours.title")
    neighbours = sources.analysis["neighbours"]
    traits, at = _traits(neighbours), _position(neighbours)
    writer.paragraph(writer.say("neighbours.what"))
    rows = [_row(writer, name, trait, at) for name, trait in traits.items()]
    held_out = sources.analysis["data"]["held_out"]
    caption = writer.say("neighbours.caption", k=neighbours["k"][at], held_out=held_out)
    if rows:
        writer.table(caption, "neighbours.head", rows, "lrrrrr", widths=(0, 0, 1, 1, 1.2, 1.2))
        writer.paragraph(*_verdicts(writer, traits, at), _decay(writer, neighbours, traits))
        writer.paragraph(*_beside_own_side(writer, traits))
    writer.figure(sources.figure("neighbours-lift", writer.lang), writer.say("neighbours.figure"))
    galleries = {name: sources.figure(f"gallery-{name.replace('_', '-')}", writer.lang) for name in DIRECTIONS}
    if any(galleries.values()):
        writer.paragraph(writer.say("neighbours.galleries"))
    for name, file in galleries.items():
        writer.figure(file, writer.say(f"neighbours.gallery_{name}"), 0.82)


def conclude_neighbours(writer: Writer, sources: Sources) -> list[Text]:
    """Which traits neighbours share more than by chance, and than neighbours of their own side."""
    neighbours = sources.analysis["neighbours"]
    traits, at = _traits(neighbours), _position(neighbours)
    return [*_verdicts(writer, traits, at), _decay(writer, neighbours, traits), *_beside_own_side(writer, traits)]


def _traits(neighbours: Fact) -> dict[str, Fact]:
    traits = neighbours["traits"]
    return {name: traits[name] for name in traits.names() if not skipped(traits[name])}


def _position(neighbours: Fact) -> int:
    """Where `AT_K` stands in the list of k; the last place in a list without it."""
    known: list[int] = neighbours["k"].value
    return known.index(AT_K) if AT_K in known else len(known) - 1


def _lift(trait: Fact, space: str, at: int) -> tuple[Fact, Fact, Fact]:
    found = trait["spaces"][space]
    return found["lift"][at], found["lift_low"][at], found["lift_high"][at]


def _verdict(trait: Fact, at: int) -> str:
    sides = []
    for direction in DIRECTIONS:
        _, low, high = _lift(trait, direction, at)
        sides.append(against(low.value, high.value, 1.0))
    return together(sides)


def _row(writer: Writer, name: str, trait: Fact, at: int) -> list[Text]:
    lifts = [estimate(*_lift(trait, direction, at), spec=".2f") for direction in DIRECTIONS]
    differences: list[Text] = []
    for direction in DIRECTIONS:
        known = direction in trait["against"]
        differences.append(estimated(trait["against"][direction]["difference"], "+.3f") if known else (Span(NOTHING),))
    label = writer.texts.named("neighbours.traits", name)
    return [(Span(label),), (trait["chance"]["value"].span(".3f"),), *lifts, *differences]


def _verdicts(writer: Writer, traits: dict[str, Fact], at: int) -> list[Text]:
    keys = {"above": "more", "mixed": "mixed", "unclear": "none", "below": "less"}
    groups: dict[str, list[str]] = {}
    for name, trait in traits.items():
        groups.setdefault(_verdict(trait, at), []).append(writer.texts.named("neighbours.traits", name))
    return [
        writer.say(f"neighbours.{key}", traits=writer.texts.list(groups[verdict]))
        for verdict, key in keys.items()
        if verdict in groups
    ]


def _decay(writer: Writer, neighbours: Fact, traits: dict[str, Fact]) -> Text:
    if "genre" not in traits or len(neighbours["k"]) < 2:
        return ()
    first, last = (_lift(traits["genre"], DIRECTIONS[0], at)[0] for at in (0, len(neighbours["k"]) - 1))
    if first.value is None or last.value is None:
        return ()
    sizes = neighbours["k"]
    return writer.say("neighbours.decay", first=first, last=last, k_first=sizes[0], k_last=sizes[len(sizes) - 1])


def _beside_own_side(writer: Writer, traits: dict[str, Fact]) -> list[Text]:
    found: dict[str, list[Text]] = {"below": [], "above": []}
    for name, trait in traits.items():
        for direction in DIRECTIONS:
            if direction not in trait["against"]:
                continue
            verdict = significant_side(trait["against"][direction]["difference"])
            if verdict in found:
                label = writer.texts.named("neighbours.traits", name)
                side = writer.texts.word(f"directions.{direction}")
                found[verdict].append(writer.say("neighbours.against_entry", trait=label, direction=side))
    return [
        writer.say(f"neighbours.against_{verdict}", traits=writer.texts.list(entries))
        for verdict, entries in found.items()
        if entries
    ]
