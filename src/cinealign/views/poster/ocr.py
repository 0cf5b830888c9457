"""The lettering of posters: every line that an OCR engine reads, with its place, size and confidence.

PP-OCRv6 small (detection and recognition, English and Chinese) from rapidocr's wheel, computed by OpenVINO; see `reading`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cinealign.data.posters import Poster
from cinealign.views.poster.lines import Line, reading_order
from cinealign.views.poster.reading.network import Network as _Network
from cinealign.views.poster.reading.network import model_paths
from cinealign.views.poster.reading.options import OcrOptions
from cinealign.views.poster.reading.reader import TOGETHER, reader, settings_of
from cinealign.views.store import FeatureStore, fingerprint

__all__ = [
    "Line",
    "OcrOptions",
    "_Network",
    "lettering_settings",
    "missing_lettering",
    "model_paths",
    "read_again",
    "read_lettering",
    "reading_order",
]

VIEW = "lettering"
"""Name of the lines in the feature store."""


def read_lettering(
    posters: Sequence[Poster], store: FeatureStore, options: OcrOptions | None = None
) -> list[list[Line]]:
    """All lines of every poster, whatever their confidence, in reading order (see `reading_order`).

    Args:
        posters: N posters.
        store: where the lines of posters that were read before are looked up.
        options: how to read; None means the defaults.
    Returns:
        N lists; an empty one for a poster without lettering.
    Raises:
        DataError: a poster cannot be read.
        ModelError: a model file is missing or another one.
    """
    options = options or OcrOptions()
    records = store.records(
        VIEW,
        lettering_settings(options),
        [poster.digest for poster in posters],
        lambda rows: reader(options).records([posters[row] for row in rows], options),
        batch_size=TOGETHER,
    )
    return [reading_order([_line(record) for record in lines]) for lines in records]


def lettering_settings(options: OcrOptions | None = None) -> dict[str, Any]:
    """What the lines of a poster depend on besides the poster: the settings under which the store keeps them."""
    return settings_of(options or OcrOptions())


def missing_lettering(posters: Sequence[Poster], store: FeatureStore) -> int:
    """How many distinct posters have lines that `store` does not hold; nothing is read or written."""
    return store.missing(VIEW, lettering_settings(), [poster.digest for poster in posters])


def read_again(
    posters: Sequence[Poster],
    store: FeatureStore,
    options: OcrOptions,
    first: OcrOptions,
    sure: Sequence[Sequence[Line]],
    rule: str,
) -> list[list[Line]]:
    """The lines of a second look, which reads only what does not lie on a line that the first look is sure of.

    Args:
        posters, store: as in `read_lettering`.
        options: how to read now.
        first: how the first look read.
        sure: N lists of lines of the first look.
        rule: by which the lines were chosen; it is part of the key in the store.
    """
    records = store.records(
        VIEW,
        {**lettering_settings(options), "after": fingerprint(lettering_settings(first)), "sure": rule},
        [poster.digest for poster in posters],
        lambda rows: reader(options).records(
            [posters[row] for row in rows], options, [[line.bounds for line in sure[row]] for row in rows]
        ),
        batch_size=TOGETHER,
    )
    return [reading_order([_line(record) for record in lines]) for lines in records]


def _line(record: dict[str, Any]) -> Line:
    return Line(record["text"], record["confidence"], tuple((x, y) for x, y in record["box"]), record["height"])
