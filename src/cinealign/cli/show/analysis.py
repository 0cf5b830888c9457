"""An analysis in a few lines for the terminal; everything else is in its files."""

from __future__ import annotations

from cinealign.analysis.downstream.numbers import Downstream
from cinealign.analysis.estimates import Estimate
from cinealign.analysis.explain.numbers import Explanation
from cinealign.analysis.neighbours.figures import SPACE_STYLES, TITLES
from cinealign.analysis.neighbours.numbers import Neighbours
from cinealign.analysis.numbers import Numbers
from cinealign.analysis.relation.figures import LEFT_LABELS
from cinealign.analysis.relation.numbers import NotTaken, Relation
from cinealign.analysis.skipped import Skipped

SHOWN = 5


def analysis_lines(numbers: Numbers) -> list[str]:
    """The answers to the three questions."""
    data, settings = numbers.data, numbers.settings
    lines = [
        f"each of {data.held_out} held-out queries searches all N = {data.n} items, top {100 * settings.ratio:g} % "
        f"(k = {settings.k}), chance {settings.chance:.3f}, 95 % intervals by item"
    ]
    return lines + _relation(numbers.relation) + _neighbours(numbers.neighbours) + _downstream(numbers.downstream)


def explanation_lines(found: Explanation) -> list[str]:
    """What one explanation says, the strongest parts first."""
    rank, poster, intro = found.rank, found.poster, found.intro
    split = {side: name.replace("_", "-") for side, name in vars(found.split).items()}
    lines = [
        f"poster of {poster.title} ({split['poster']}), intro of {intro.title} ({split['intro']})",
        f"product {found.product:.4f}: place {rank.poster_to_intro} of {rank.n} for the poster, "
        f"{rank.intro_to_poster} for the intro",
        "experts (added; mean over other intros):",
    ]
    for expert in sorted(found.experts, key=lambda expert: -expert.above_typical):
        views = f"{' + '.join(expert.poster)} -> {' + '.join(expert.intro)}"
        lines.append(f"  {expert.contribution:+.4f} ({expert.typical:+.4f})  {expert.expert}: {views}")
    words = sorted(found.words, key=lambda word: -abs(word.drop))[:SHOWN]
    lines.append("product lost without a word: " + ", ".join(f"{word.word} {word.drop:+.4f}" for word in words))
    read = sorted(found.lines, key=lambda line: -abs(line.drop))[:SHOWN]
    if read:
        told = ", ".join(f"{line.text!r} {line.drop:+.4f}" for line in read)
        lines.append(f"product lost without a line of lettering: {told}")
    for side, movies in vars(found.nearest_train).items():
        lines.append(f"nearest train items by {side}: " + ", ".join(movie.title for movie in movies))
    return lines


def _range(found: Estimate, digits: int = 3) -> str:
    if found.value is None:
        return "not known"
    value = f"{found.value:.{digits}f}"
    if found.low is None:
        return value
    return f"{value} ({found.low:.{digits}f} to {found.high:.{digits}f})"


def _relation(found: Relation) -> list[str]:
    test = found.permutation
    lines = [
        "1. is the poster related to the intro?",
        f"  sum of both directions {test.acc_sum:.3f}; with partners shuffled {test.permuted_mean:.3f} on average, "
        f"{test.permuted_high:.3f} at most in {test.permutations} tries, p = {test.p:.4g}",
    ]
    for entry in found.left:
        if isinstance(entry, NotTaken):
            lines.append(f"  {LEFT_LABELS[entry.name]}: left out, as {entry.skipped}")
        else:
            lines.append(f"  {LEFT_LABELS[entry.name]}: mean accuracy {_range(entry.mean)}")
    if found.most:
        lines.append(f"  related most: {'; '.join(found.most)}")
        lines.append(f"  related least: {'; '.join(found.least)}")
    return lines


def _neighbours(found: Neighbours) -> list[str]:
    at = found.k.index(10) if 10 in found.k else len(found.k) - 1
    lines = [f"2. what do the nearest {found.k[at]} share? (times chance)"]
    for name, trait in found.traits.items():
        if isinstance(trait, Skipped):
            lines.append(f"  {TITLES[name]}: left out, as {trait.skipped}")
            continue
        told = [
            f"{SPACE_STYLES[space][0]} x{curve.lift[at]:.2f}"
            for space, curve in trait.spaces.items()
            if curve.lift[at] is not None
        ]
        lines.append(f"  {TITLES[name]}: {', '.join(told)}")
    return lines


def _downstream(found: Downstream) -> list[str]:
    lines = ["3. what are the aligned features good for?"]
    for row in found.table:
        chance = "" if row.chance is None else f", chance {row.chance:.3f}"
        about = f"{row.task}, {row.measure}, {row.method}"
        lines.append(f"  {about}: {_range(row.estimate)}{chance}, {row.n} {row.unit}")
    for name, part in vars(found).items():
        if isinstance(part, Skipped):
            lines.append(f"  {name.replace('_', ' ')}: left out, as {part.skipped}")
    return lines
