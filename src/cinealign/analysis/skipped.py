"""A part of the analysis that a run or its data cannot give."""

from __future__ import annotations

from dataclasses import dataclass


class SkippedError(Exception):
    """Raised where such a part would be made; the message is the reason, one sentence."""


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """Stands in analysis.json where such a part would be: why it is not there."""

    skipped: str
