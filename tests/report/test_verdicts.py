from __future__ import annotations

import pytest

from cinealign.report.facts import Fact
from cinealign.report.verdicts import against, amount, overlap, significance, significant_side, together


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.06, 0.2, "above"),
        (0.01, 0.04, "below"),
        (0.04, 0.06, "unclear"),
        (0.05, 0.06, "unclear"),
        (None, None, "unclear"),
    ],
)
def test_against(low: float | None, high: float | None, expected: str) -> None:
    assert against(low, high, 0.05) == expected


def test_together() -> None:
    assert together(["above", "above"]) == "above" and together(["above", "unclear"]) == "mixed"


@pytest.mark.parametrize(
    ("value", "p", "expected"),
    [(0.1, 0.01, "above"), (-0.1, 0.01, "below"), (0.1, 0.05, "unclear"), (0.1, None, "unclear")],
)
def test_significant_side(value: float, p: float | None, expected: str) -> None:
    assert significant_side(Fact({"value": value, "p": p}, "x")) == expected


def test_a_difference_that_is_not_known_has_no_side() -> None:
    assert significant_side(Fact({"value": None, "p": 0.0001}, "x")) == "unclear"


def test_significance() -> None:
    assert significance(0.0499) == "significant" and significance(0.05) == "not_significant"


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (1.1, 2.4, "more"),
        (0.93, 1.02, "nearly_all"),
        (0.51, 0.6, "most"),
        (0.46, 0.56, "half"),  # 0.51 is not "more than half" here
        (0.5, 0.56, "half"),
        (0.2, 0.4, "part"),
        (0.05, 0.1, "hardly"),
        (-0.3, 0.01, "none"),
        (0.3, 0.9, "unsure"),
        (None, None, "unsure"),
    ],
)
def test_amount_says_no_more_than_the_interval(low: float | None, high: float | None, expected: str) -> None:
    assert amount(low, high) == expected


def test_overlap() -> None:
    assert overlap((0.5, 0.6), (0.3, 0.4)) == "first"
    assert overlap((0.3, 0.4), (0.5, 0.6)) == "second"
    assert overlap((0.3, 0.5), (0.5, 0.6)) == "overlap"
