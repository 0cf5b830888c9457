"""What the numbers allow to be said: directions, sizes and significance as words that choose between sentences.

Nothing here writes a sentence. A section asks for a verdict and takes the sentence that the texts have for it, so a text
can only claim what the run's own numbers bear out.
"""

from __future__ import annotations

from typing import Literal

from cinealign.report.facts import Fact

ALPHA = 0.05
"""Level of significance."""
Side = Literal["above", "below", "unclear"]
Significance = Literal["significant", "not_significant"]
Amount = Literal["more", "nearly_all", "most", "half", "part", "hardly", "none", "unsure"]


def against(low: float | None, high: float | None, reference: float) -> Side:
    """Where an interval lies: wholly above `reference`, wholly below, or neither."""
    if low is None or high is None:
        return "unclear"
    return "above" if low > reference else "below" if high < reference else "unclear"


def of_estimate(fact: Fact, reference: float) -> Side:
    """`against` of {"value", "low", "high"}."""
    return against(fact["low"].value, fact["high"].value, reference)


def together(sides: list[Side]) -> Side | Literal["mixed"]:
    """The one verdict that all share, "mixed" where they differ."""
    return sides[0] if len(set(sides)) == 1 else "mixed"


def significance(p: float) -> Significance:
    """Whether a p-value is below 5 %."""
    return "significant" if p < ALPHA else "not_significant"


def significant_side(difference: Fact) -> Side:
    """Direction of {"value", "p"} where p is below 5 %, "unclear" elsewhere."""
    if None in (difference["value"].value, difference["p"].value) or difference["p"].value >= ALPHA:
        return "unclear"
    return "above" if difference["value"].value > 0 else "below"


def amount(low: float | None, high: float | None) -> Amount:
    """How much of a whole a share is, as far as its interval lets it be said: "most" needs all of it above one half."""
    if low is None or high is None:
        return "unsure"
    at_least: tuple[tuple[float, Amount], ...] = ((1.0, "more"), (0.9, "nearly_all"), (0.5, "most"))
    at_most: tuple[tuple[float, Amount], ...] = ((0.02, "none"), (0.15, "hardly"), (0.5, "part"))
    certain = [name for bound, name in at_least if low > bound] + [name for bound, name in at_most if high < bound]
    if certain:
        return certain[0]
    return "half" if low >= 0.35 and high <= 0.65 else "unsure"


def overlap(first: tuple[float, float], second: tuple[float, float]) -> Literal["overlap", "first", "second"]:
    """Whether two intervals overlap, or which of them lies higher."""
    if first[0] > second[1]:
        return "first"
    return "second" if second[0] > first[1] else "overlap"
