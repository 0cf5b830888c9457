from __future__ import annotations

from typing import Any

import pytest

from cinealign.errors import DataError
from cinealign.report.facts import Fact, Span, estimate, estimated, plain, printed


@pytest.mark.parametrize(
    ("value", "spec", "expected"),
    [
        (0.52894, ".3f", "0.529"),
        (-0.0314, "+.3f", "−0.031"),
        (0.0314, "+.3f", "+0.031"),
        (-0.0001, "+.3f", "0.000"),
        (-0.0001, ".3f", "0.000"),
        (2938, ",d", "2,938"),
        (0.05, "%", "5 %"),
        (146.5, "g", "146.5"),
        (0.0001, "p", "0.0001"),
        (0.0001, "=p", "= 0.0001"),
        (0.00001, "=p", "< 0.0001"),
        (0.4, "p", "0.4"),
        (1.0, "p", "1"),
        (None, ".3f", "–"),
        ("War", "", "War"),
        (["ship", "crew"], "", "ship, crew"),
    ],
)
def test_printed(value: Any, spec: str, expected: str) -> None:
    assert printed(value, spec) == expected


def test_a_fact_knows_its_place() -> None:
    fact = Fact({"a": [{"b": 0.25}]}, "x.json")
    assert fact["a"][0]["b"].span(".2f") == Span("0.25", source="x.json/a/0/b", spec=".2f")
    assert [entry.place for entry in fact["a"]] == ["x.json/a/0"] and "a" in fact and "b" not in fact
    with pytest.raises(DataError, match=r"x\.json/a has no 3"):
        fact["a"][3]
    with pytest.raises(DataError, match=r"x\.json has no 'c'; it was made by another version"):
        fact["c"]
    with pytest.raises(TypeError):
        bool(fact)


def test_estimate_has_its_interval_where_there_is_one() -> None:
    whole = Fact({"value": 0.5, "low": 0.4, "high": 0.6}, "x.json")
    assert plain(estimated(whole)) == "0.500 [0.400, 0.600]"
    alone = Fact({"value": 0.5, "low": None, "high": None}, "x.json")
    assert plain(estimate(alone["value"], alone["low"], alone["high"], ".2f")) == "0.50"
