"""Lettering: the words on a poster, seen by a view of texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from string import Formatter, capwords
from typing import Annotated, Any, Literal, NamedTuple, Self, cast

import numpy as np
from pydantic import BeforeValidator, Field, SerializeAsAny, field_validator

from cinealign.data.posters import Poster
from cinealign.state import State
from cinealign.views.base import Extracted, Features, Origin, PosterView, TextView, View, ViewOptions
from cinealign.views.poster.ocr import Line, OcrOptions, read_again, read_lettering
from cinealign.views.poster.readings import SURE_RULE, merged, sure
from cinealign.views.poster.title_lines import title_lines
from cinealign.views.poster.wording import parted
from cinealign.views.registry import VIEWS
from cinealign.views.store import FeatureStore

_PLACES = ("all", "title", "rest")
_CASES: dict[str, Callable[[str], str]] = {"lower": str.lower, "title": capwords, "keep": str}


def _text_view(spec: Any) -> ViewOptions:
    """Options of a view of texts, from what a recipe says of it. Raises ValueError for any other."""
    if not isinstance(spec, ViewOptions) and not (isinstance(spec, dict) and isinstance(spec.get("view"), str)):
        raise ValueError(f"needs the name of a text view as 'view', got {spec!r}; for example {{view: language_model}}")
    options = VIEWS.chosen(spec)
    if not issubclass(VIEWS.kind(options.view), TextView):
        raise ValueError(
            f"{options.view!r} is a view of posters and cannot see a text; choose a text view, such as language_model"
        )
    return options


class LetteringOptions(ViewOptions):
    """Options of `LetteringView`."""

    lines: Literal["all", "tallest"] = "all"
    """All lines, or the `count` tallest, which mostly hold the title."""
    count: int = Field(default=3, ge=1, le=100)
    """How many lines `tallest` keeps."""
    min_confidence: float = Field(default=0.5, ge=0, le=1)
    """Lines that the engine is less sure of are left out."""
    case: Literal["lower", "title", "keep"] = "lower"
    """Case of the text for the encoder; many posters are set in capitals."""
    looks: list[Literal["as_is", "local"]] = Field(default=["as_is"], min_length=1)
    """Contrasts in which the poster is read (see `OcrOptions.contrast`); the lines of several readings are merged."""
    parted: bool = False
    """Whether joined words ("homealone") are split by a lexicon of English."""
    text: str = "{all}"
    """Prompt for the encoder: {all} stands for the chosen lines, {title} for those that are the title, {rest} for the
    others. Language models understand a sentence better than loose words."""
    encoder: Annotated[SerializeAsAny[ViewOptions], BeforeValidator(_text_view)] = Field(
        default_factory=lambda: VIEWS.parse("language_model")
    )
    """The view of texts that sees the words: its name as `view`, and its own options."""
    ocr: OcrOptions = OcrOptions()
    """How posters are read."""
    reading: Literal["auto", "always", "never"] = "auto"
    """Whether posters are read. `auto` leaves it out of a run where no word stands on a sample of the train posters
    (`views/poster/worth_reading.py`); the run's recipe then says `never`."""

    @field_validator("text")
    @classmethod
    def _known_places(cls, text: str) -> str:
        try:
            names = {name for _, name, _, _ in Formatter().parse(text) if name is not None}
        except ValueError as error:
            raise ValueError(f"{text!r} is not a wording: {error}") from None
        if not names or names - set(_PLACES):
            raise ValueError(f"must hold one of {{all}}, {{title}}, {{rest}} and no other place, got {text!r}")
        return text


class LetteringView(PosterView):
    """The words on a poster through a view of texts; features are that view's, (N, F) float32.

    A poster's text is its chosen lines in reading order (top to bottom, then left to right; see `ocr.reading_order`)
    with a space between them. A poster without a chosen line has the empty text and an exact zero row, whatever the
    encoder makes of "", and the encoder's `fit` does not see it.
    """

    Options = LetteringOptions

    def __init__(self, options: LetteringOptions) -> None:
        self.options = options
        self.encoder = cast(TextView, VIEWS.make(options.encoder))

    def texts(self, posters: Sequence[Poster], store: FeatureStore) -> list[str]:
        """The text of every poster as the encoder gets it; "" where nothing was read.

        Raises:
            DataError: a poster cannot be read.
            ModelError: a model of the OCR engine is missing or another one.
        """
        return [self.text(lines) for lines in self.lines(posters, store)]

    def lines(self, posters: Sequence[Poster], store: FeatureStore) -> list[list[Line]]:
        """All lines of every poster in reading order, merged from the readings that are asked for."""
        if self.options.reading == "never":
            return [[] for _ in posters]
        first, *others = [self.options.ocr.model_copy(update={"contrast": look}) for look in self.options.looks]
        readings = [read_lettering(posters, store, first)]
        if others:
            known = [sure(lines) for lines in readings[0]]
            readings += [read_again(posters, store, again, first, known, SURE_RULE) for again in others]
        return [merged(of_poster) for of_poster in zip(*readings, strict=True)]

    def text(self, lines: Sequence[Line]) -> str:
        """The text of a poster with `lines`, which are in reading order; "" where none of them is chosen."""
        chosen = self.chosen(lines)
        if not chosen:
            return ""
        places = {"all": self._joined(chosen), "title": "", "rest": ""}
        if self.options.text != "{all}":
            title = title_lines(chosen)
            places["title"] = self._joined([line for line, of_title in zip(chosen, title, strict=True) if of_title])
            places["rest"] = self._joined([line for line, of_title in zip(chosen, title, strict=True) if not of_title])
        return self.options.text.format(**places).strip()

    def _joined(self, lines: Sequence[Line]) -> str:
        texts = [parted(line.text) if self.options.parted else line.text for line in lines]
        return _CASES[self.options.case](" ".join(texts))

    def chosen(self, lines: Sequence[Line]) -> list[Line]:
        """Those of `lines` that the view looks at, in the same order; of equally tall ones the first."""
        sure = [line for line in lines if line.text and line.confidence >= self.options.min_confidence]
        if self.options.lines == "all":
            return sure
        tallest = sorted(range(len(sure)), key=lambda at: -sure[at].height)[: self.options.count]
        return [sure[at] for at in sorted(tallest)]

    def extract(self, items: Sequence[Poster], store: FeatureStore) -> list[Lettering]:
        """Every poster's text and what the encoder extracts from it."""
        return self.extract_texts(self.texts(items, store), store)

    def extract_texts(self, texts: Sequence[str], store: FeatureStore) -> list[Lettering]:
        """What `extract` gives for posters on which just these texts are read, as the encoder gets them."""
        return [Lettering(text, seen) for text, seen in zip(texts, self.encoder.extract(texts, store), strict=True)]

    def fit(self, extracted: Extracted) -> Self:
        """Fit the encoder to the train posters that have lettering."""
        lettering = cast(list[Lettering], extracted)
        self.encoder.fit(_for_encoder([item for item in lettering if item.text]))
        return self

    def transform(self, extracted: Extracted) -> Features:
        """The encoder's features, with exact zero rows for posters without lettering."""
        lettering = cast(list[Lettering], extracted)
        features = self.encoder.transform(_for_encoder(lettering)).copy()
        if features.dtype != object:  # texts of a plain text view stay ""
            features[[not item.text for item in lettering]] = 0
        return features

    def words(self) -> list[str] | None:
        """The encoder's words."""
        return self.encoder.words()

    def origin(self) -> Origin | None:
        """The encoder's."""
        return self.encoder.origin()

    def state(self) -> State:
        """What the encoder has learned."""
        return self.encoder.state()

    def load_state(self, state: State) -> Self:
        """Take over what an equal encoder has learned."""
        self.encoder.load_state(state)
        return self


class Lettering(NamedTuple):
    """A poster's text, and its entry in what the encoder extracted."""

    text: str
    seen: Any


def lettering_texts(views: Iterable[View[Any]], posters: Sequence[Poster], store: FeatureStore) -> list[str] | None:
    """The text of every poster as that of `views` reads it which reads most; None where none of them reads lettering."""
    reader = fullest_reader(views)
    return None if reader is None else reader.texts(posters, store)


def fullest_reader(views: Iterable[View[Any]]) -> LetteringView | None:
    """That of `views` which reads most of a poster's lettering, the first of equal ones; None where none of them reads it."""
    readers = [view for view in views if isinstance(view, LetteringView)]
    return min(readers, key=lambda view: view.options.lines != "all", default=None)


def _for_encoder(lettering: Sequence[Lettering]) -> Extracted:
    """The encoder's own entries in the shape in which it gave them: stacked if they are arrays of one shape."""
    entries = [item.seen for item in lettering]
    shapes = {entry.shape if isinstance(entry, np.ndarray) else None for entry in entries}
    return np.stack(entries) if len(shapes) == 1 and None not in shapes else entries
