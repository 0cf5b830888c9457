"""How much is written on the posters, from lines that OCR has read."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from cinealign.data.intros import tokens
from cinealign.data.posters import Poster
from cinealign.data.scripts import scripts_of
from cinealign.views.poster.ocr import Line, missing_lettering, read_lettering
from cinealign.views.store import FeatureStore

MIN_CONFIDENCE = 0.5
"""Lines that OCR is less sure of do not count, as in the view `lettering`."""


@dataclass(frozen=True)
class Lettering:
    """Posters with and without a readable word; medians of lines and words over those that have one.

    `tallest` is the median height of a poster's tallest line as a share of the poster's height, and `confidence` the
    mean over all lines that count.
    """

    posters: int
    without: int
    median_lines: float
    median_words: float
    most_words: int
    tallest: float
    confidence: float
    scripts: dict[str, int]


def lettering_statistics(posters: Sequence[Poster], store: FeatureStore, *, read: bool) -> tuple[Lettering | None, str]:
    """The statistics and a note on where they come from; None where they are left out, with the reason.

    Args:
        posters: the posters.
        store: where lines that were read before are kept.
        read: True reads posters that have not been read before; it takes minutes for thousands.
    Raises:
        DataError, ModelError: as `read_lettering`.
    """
    if not posters:
        return None, "left out: there is no poster"
    missing = missing_lettering(posters, store)
    if missing and not read:
        known = f"{len(posters) - missing:,} of {len(posters):,} posters have been read before"
        return None, f"left out: {known}; --lettering reads the others"
    return _statistics(read_lettering(posters, store)), "read by OCR" + ("" if missing else ", from the feature store")


def _statistics(read: Sequence[Sequence[Line]]) -> Lettering:
    sure = [[line for line in lines if line.text and line.confidence >= MIN_CONFIDENCE] for lines in read]
    lettered = [lines for lines in sure if lines]
    words = [sum(len(tokens(line.text, stop_words=False, stem=False)) for line in lines) for lines in lettered]
    return Lettering(
        posters=len(read),
        without=len(read) - len(lettered),
        median_lines=statistics.median(map(len, lettered)) if lettered else 0.0,
        median_words=statistics.median(words) if words else 0.0,
        most_words=max(words, default=0),
        tallest=statistics.median(max(line.height for line in lines) for lines in lettered) if lettered else 0.0,
        confidence=statistics.fmean(line.confidence for lines in lettered for line in lines) if lettered else 0.0,
        scripts=scripts_of(" ".join(line.text for line in lines) for lines in lettered),
    )
