"""Whether posters are worth reading: where no word stands on a sample of them, OCR of the others is time lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cinealign.data.posters import Poster
from cinealign.data.scripts import reads_without_blanks
from cinealign.views.base import View, ViewOptions
from cinealign.views.poster.lettering import LetteringOptions
from cinealign.views.poster.ocr import Line, OcrOptions, read_lettering
from cinealign.views.registry import VIEWS
from cinealign.views.store import FeatureStore

SAMPLE = 32
"""Posters that are looked at. Were one poster in ten lettered, a sample would miss all of them once in thirty times."""
FEWEST = 4 * SAMPLE
"""With fewer posters all are read."""
LEAST_CONFIDENCE = 0.5


@dataclass(frozen=True)
class Sampled:
    """How many of the sampled posters have a word on them."""

    posters: int
    with_word: int

    def line(self) -> str:
        """For the user."""
        return f"{self.with_word or 'none'} of {self.posters} sampled pictures have words on them"


def sample_words(posters: Sequence[Poster], store: FeatureStore, ocr: OcrOptions | None = None) -> Sampled:
    """Look for words on at most `SAMPLE` of `posters`, chosen by content, so that their order does not matter.

    Lines are looked for first, and only what looks like a line is read; discs and crosses look like one. What was read
    stays in the store, so that a later reading of all posters does not repeat it.

    Raises:
        DataError: a poster cannot be read.
        ModelError: a model file of the OCR engine is missing or another one.
    """
    distinct = {poster.digest: poster for poster in posters}
    chosen = [distinct[digest] for digest in sorted(distinct)[:SAMPLE]]
    return Sampled(len(chosen), sum(any(map(_is_word, lines)) for lines in read_lettering(chosen, store, ocr)))


def without_reading(
    views: Mapping[str, ViewOptions], posters: Sequence[Poster], store: FeatureStore
) -> tuple[dict[str, ViewOptions], list[str]]:
    """The views of a recipe, in which lettering is not read where a sample of `posters` has no word.

    Args:
        views: name -> resolved options of a view. Views of `lettering` whose `reading` is "auto" are decided on, unless one
            of them learns from what is read, such as a vocabulary.
        posters: of the train rows.
        store: where lines are kept.
    Returns:
        The views with `reading` "never" where that was found best, and what to tell the user.
    """
    lettering = {name: options for name, options in views.items() if isinstance(options, LetteringOptions)}
    asked = {name: options for name, options in lettering.items() if options.reading == "auto"}
    settled = dict(views)
    told: list[str] = []
    if len({poster.digest for poster in posters}) < FEWEST or not all(map(_needs_no_words, asked.values())):
        return settled, told
    found: dict[OcrOptions, Sampled] = {}
    for name, options in asked.items():
        if options.ocr not in found:
            found[options.ocr] = sample_words(posters, store, options.ocr)
        if not found[options.ocr].with_word:
            settled[name] = options.model_copy(update={"reading": "never"})
            told.append(name)
    if not told:
        return settled, []
    to_read = " ".join(f"--set views.{name}.reading=always" for name in told)
    return settled, [f"lettering: no word on {SAMPLE} sampled train posters, so none is read; to read all: {to_read}"]


def _needs_no_words(options: LetteringOptions) -> bool:
    """Whether the view's encoder learns nothing, so that it does without any text."""
    return VIEWS.kind(options.encoder.view).fit is View.fit


def _is_word(line: Line) -> bool:
    """Whether a line has three different letters, or two of a script without blanks: shapes are read as "X" or "CCC"."""
    letters = {letter for letter in line.text.casefold() if letter.isalpha()}
    return line.confidence >= LEAST_CONFIDENCE and len(letters) + any(map(reads_without_blanks, letters)) >= 3
