"""What the audit found, worded for a teacher: how strong it is, what it means, and what may be honest about it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from cinealign.audit.findings import Finding
from cinealign.figures import Language
from cinealign.plain_yaml import read_yaml

Strength = Literal["proof", "strong sign", "note"]
PROVEN = ("finite", "two sides", "split", "metrics", "rebuilt D", "given D", "D and vectors")
"""Checks that compare two things which must be equal: a FAIL there is proof, whatever the student meant by it."""


@dataclass(frozen=True)
class Evidence:
    """One thing that was found.

    Attributes:
        strength: proof, strong sign or note.
        check: the audit's name of the check.
        said: the audit's own line with its numbers, in English.
    """

    strength: Strength
    check: str
    said: str

    @classmethod
    def of(cls, finding: Finding) -> Evidence:
        """A finding of the audit with its strength.

        The diagonal of a D that is a product of vectors is bound by the other entries, so a FAIL is proof there. Where it
        is one behind a logarithm, entries near its end are known too coarsely for that, and for any other D a FAIL rests
        on many pairs that all lean to one side: a strong sign.
        """
        if finding.verdict != "FAIL" or finding.said.startswith("the check cannot be made"):
            return cls("note", finding.check, finding.said)
        changed = finding.check == "special diagonal" and "were changed after D was computed" in finding.said
        bound = changed and "log" not in str(finding.details.get("form", ""))
        return cls("proof" if finding.check in PROVEN or bound else "strong sign", finding.check, finding.said)

    def means(self, lang: Language) -> str:
        """What a teacher should take from it; the audit's line where nothing is written for this check."""
        written = _meanings()
        key = f"{self.check}, proof" if self.strength == "proof" else self.check
        return written.get(key, written.get(self.check, {})).get(lang, self.said)

    def line(self) -> str:
        """As it stands in the table."""
        return f"{self.strength}: {self.check}: {self.said}"


@cache
def _meanings() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = read_yaml(
        files("cinealign.grading").joinpath("meanings.yaml").read_text(encoding="utf-8")
    )
    return found
