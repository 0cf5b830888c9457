"""What a check says: PASS, FAIL or NOTE, and one line of why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Verdict = Literal["PASS", "FAIL", "NOTE"]


@dataclass(frozen=True)
class Finding:
    """One line of an audit. NOTE is for a human to judge; only FAIL says that something is wrong."""

    verdict: Verdict
    check: str
    said: str
    details: dict[str, Any] = field(default_factory=dict)
    """Numbers and examples for `--json`."""
    open: bool = False
    """A NOTE that leaves the main question open: with it the whole audit is no PASS."""

    def line(self) -> str:
        """As it is printed."""
        return f"{self.verdict}  {self.check}: {self.said}"

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        plain = {"verdict": self.verdict, "check": self.check, "said": self.said, "details": self.details}
        return {**plain, "open": self.open}


def passed(check: str, said: str, **details: Any) -> Finding:
    """The check found what it expected."""
    return Finding("PASS", check, said, details)


def failed(check: str, said: str, **details: Any) -> Finding:
    """The check found what an honest result cannot be."""
    return Finding("FAIL", check, said, details)


def noted(check: str, said: str, **details: Any) -> Finding:
    """The check found something that is no proof either way."""
    return Finding("NOTE", check, said, details)


def left_open(check: str, said: str, **details: Any) -> Finding:
    """The check found what may be honest or not, and nothing else in hand can tell: no PASS for the whole."""
    return Finding("NOTE", check, said, details, open=True)


def worst(findings: Sequence[Finding]) -> Verdict:
    """FAIL where any check failed; NOTE where one had to leave its question open; else PASS."""
    if any(finding.verdict == "FAIL" for finding in findings):
        return "FAIL"
    return "NOTE" if any(finding.open for finding in findings) else "PASS"


def listed(items: Any, shown: int = 3) -> str:
    """The first few of `items` (a list or array) and how many more there are."""
    more = f" and {len(items) - shown} more" if len(items) > shown else ""
    return ", ".join(str(item) for item in items[:shown]) + more
