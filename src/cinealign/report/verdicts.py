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
Amount = Literal["more", "nearly_all", "most", "part", "hardly", "none"]


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
    if difference["p"].value is None or difference["p"].value >= ALPHA:
        return "unclear"
    return "above" if difference["value"].value > 0 else "below"


def amount(share: float) -> Amount:
    """How much of a whole a share is."""
    bounds: tuple[tuple[float, Amount], ...] = (
        (1.05, "more"),
        (0.95, "nearly_all"),
        (0.5, "most"),
        (0.15, "part"),
        (0.02, "hardly"),
    )
    return next((name for bound, name in bounds if share >= bound), "none")


def overlap(first: tuple[float, float], second: tuple[float, float]) -> Literal["overlap", "first", "second"]:
    """Whether two intervals overlap, or which of them lies higher."""
    if first[0] > second[1]:
        return "first"
    return "second" if second[0] > first[1] else "overlap"
