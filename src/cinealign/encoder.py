"""The front door: a fitted model, kept in memory, turns new posters and texts into vectors."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np

from cinealign.arguments import as_flag, as_path, as_texts, as_whole, one_of
from cinealign.data.intros import clean_text
from cinealign.data.posters import Poster, PosterSource, open_poster
from cinealign.distance.distances import as_vectors
from cinealign.errors import ModelError
from cinealign.experts.base import Vectors
from cinealign.model import AlignmentModel
from cinealign.progress import Progress, progress
from cinealign.text_model import TextModel
from cinealign.views.memory_store import MemoryStore
from cinealign.views.poster.lettering import fullest_reader
from cinealign.views.poster.ocr import Line

Side = Literal["poster", "intro"]
MEMORY = 256 * 2**20
"""Bytes of features that an encoder keeps."""
POSTERS_AT_ONCE, TEXTS_AT_ONCE = 32, 256
SIDES: tuple[Side, Side] = ("poster", "intro")
Item = TypeVar("Item")


class Encoder:
    """New posters and texts as vectors of a run: `1 - poster @ intro.T` is D for `cosine` (see `Run.distances`).

    Networks are compiled and engines made when a side is first used (or by `warm`), once, and kept; what was encoded lately is
    remembered in memory, and nothing of a question is written to disk. Any number of threads may use one encoder. It is pickled
    as its folder and settings, and is cold where it arrives; an encoder of a model that was never saved is not pickled.

    Vectors are those that the run itself has of the same items up to rounding (1e-5). A language model that computes in
    bfloat16 depends a little on the texts that it reads together: there numbers of a vector differ in the fourth digit.

    Examples:
        >>> from cinealign import Run
        >>> run = Run("runs/default")
        >>> encoder = run.encoder()
        >>> intro = encoder.encode_intros("A boy finds a map and sails to the island of gold.")
        >>> intro.shape == (1, encoder.width)
        True
        >>> posters = encoder.encode_posters(["data/sample/poster/1.jpg", "data/sample/poster/2.jpg"])
        >>> run.distances(posters, intro).shape
        (2, 1)
    """

    def __init__(self, model: AlignmentModel | Path | str, *, width: int | None = None, memory: int = MEMORY) -> None:
        """Args:
        model: a fitted model, or the folder of a saved one, of which each side is then read when it is first used.
        width: D, where it is known; else the first use of `width` encodes the empty text to see it.
        memory: bytes of features to remember.

        Raises:
            ConfigError: an argument that is none of these.
        """
        self._model: AlignmentModel | None = model if isinstance(model, AlignmentModel) else None
        self._folder: Path | None = None if isinstance(model, AlignmentModel) else as_path(model, "model")
        self._width = None if width is None else as_whole(width, "width", 1)
        self._store = MemoryStore(as_whole(memory, "memory", 0))
        self._first = threading.RLock()
        self._warm: set[Side] = set()

    def __reduce__(self) -> tuple[partial[Encoder], tuple[()]]:
        if self._folder is None:
            raise ModelError(
                "an encoder of a model in memory cannot be pickled; pickle the encoder of a saved run: Run(FOLDER).encoder()"
            )
        folder, memory = self._folder.absolute(), self._store.capacity
        return partial(type(self), folder, width=self._width, memory=memory), ()

    @property
    def model(self) -> AlignmentModel:
        """The fitted model."""
        with self._first:
            if self._model is None:
                assert self._folder is not None
                self._model = AlignmentModel.load(self._folder)
            return self._model

    @cached_property
    def _texts(self) -> TextModel | None:
        """What encodes texts without the rest of the model, where there is such a thing."""
        return None if self._folder is None else TextModel.load(self._folder)

    @property
    def width(self) -> int:
        """D, the numbers of a vector; with `normalised` there are two more."""
        if self._width is None:
            self._width = self._encode("intro", [""]).shape[1]
        return self._width

    def warm(self, side: Side | None = None) -> None:
        """Load, compile and run once what the poster or the intro `side` needs, or both; later calls cost nothing.

        Raises:
            ConfigError: no such side.
            ModelError: weights are missing or other ones.
        """
        for each in SIDES if side is None else (one_of(side, "side", SIDES),):
            with self._first:
                if each not in self._warm:
                    self._encode(each, [_example_poster()] if each == "poster" else ["a poster and its intro"])

    def encode_posters(
        self,
        posters: PosterSource | Iterable[PosterSource],
        *,
        normalised: bool = False,
        batch_size: int = POSTERS_AT_ONCE,
        progress: bool = False,
    ) -> Vectors:
        """Vectors of posters.

        Args:
            posters: one or many of: a path, a file's bytes, a PIL picture, uint8 pixels (H, W, 3), or a `Poster`.
            normalised: see `unit_rows`: rows of length 1 that a database's cosine ranks as D does.
            batch_size: posters that are decoded and looked at together.
            progress: whether to report on stderr.
        Returns:
            (N, D) float32, in order; one poster gives (1, D), none (0, D). (N, D + 2) where `normalised`.
        Raises:
            DataError: a poster cannot be read.
            ConfigError: batch_size is no whole number >= 1, or another option is none of its kind.
            ModelError: weights are missing or other ones.
        """
        many = [posters] if _is_one_poster(posters) else list(posters)  # type: ignore[arg-type]
        return self._in_batches("poster", many, _opened, normalised, batch_size, progress)

    def encode_intros(
        self,
        texts: str | Iterable[str],
        *,
        normalised: bool = False,
        batch_size: int = TEXTS_AT_ONCE,
        progress: bool = False,
    ) -> Vectors:
        """Vectors of texts, which are cleaned as a catalogue cleans its intros (tags, entities, white space).

        Args:
            texts: one text, or many.
            normalised: as in `encode_posters`.
            batch_size: texts that are read together; they are put in order of length first.
            progress: whether to report on stderr.
        Returns:
            (N, D) float32, in order; one text gives (1, D), none (0, D). (N, D + 2) where `normalised`.
        Raises:
            DataError: something among them is no text.
            ConfigError: batch_size is no whole number >= 1, or another option is none of its kind.
            ModelError: weights are missing or other ones.
        """
        cleaned = [clean_text(text) for text in as_texts(texts, "texts")]
        order = sorted(range(len(cleaned)), key=lambda row: len(cleaned[row]))
        found = self._in_batches("intro", [cleaned[row] for row in order], list, normalised, batch_size, progress)
        vectors = np.empty_like(found)
        vectors[order] = found
        return vectors

    def _in_batches(
        self,
        side: Side,
        items: Sequence[Any],
        ready: Callable[[Sequence[Any]], list[Any]],
        normalised: bool,
        batch_size: int,
        report: bool,
    ) -> Vectors:
        batch_size = as_whole(batch_size, "batch_size", 1)
        normalised, report = as_flag(normalised, "normalised"), as_flag(report, "progress")
        if not items:
            return np.zeros((0, self.width + (2 if normalised else 0)), dtype=np.float32)
        parts = []
        with _reporting(f"{side}s", len(items), report) as bar:
            for start in range(0, len(items), batch_size):
                batch = items[start : start + batch_size]
                parts.append(self._encode(side, ready(batch)))
                if bar is not None:
                    bar.advance(len(batch))
        vectors = np.concatenate(parts)
        return self.unit_rows(vectors, side) if normalised else vectors

    def lettering(self, posters: PosterSource | Iterable[PosterSource]) -> list[tuple[str, ...]] | None:
        """The lines read on posters by the view that reads most of them; None where the model reads no lettering.

        Args:
            posters: as in `encode_posters`; one that was encoded lately is not read again.
        Raises:
            DataError: a poster cannot be read.
        """
        read = self.lettering_lines(posters)
        return None if read is None else [tuple(line.text for line in lines) for lines in read]

    def lettering_lines(self, posters: PosterSource | Iterable[PosterSource]) -> list[list[Line]] | None:
        """As `lettering`, each line with its place on the poster and how sure the reader is of it."""
        many: list[Any] = [posters] if _is_one_poster(posters) else list(posters)  # type: ignore[arg-type]
        reader = fullest_reader(self.model.views.values())
        if reader is None:
            return None
        opened = _opened(many)
        self.warm("poster")
        return [reader.chosen(lines) for lines in reader.lines(opened, self._store)]

    def unit_rows(self, vectors: Vectors, side: Side) -> Vectors:
        """(N, D + 2) rows of length 1 whose inner product is that of `vectors` (N, D) over a constant.

        A poster's row is (v, sqrt(c^2 - |v|^2), 0) / c and an intro's (v, 0, sqrt(c^2 - |v|^2)) / c, with c the length that no
        vector of the model exceeds. Cosine, inner product and Euclidean distance of such rows all rank as D does; scaling each
        vector to length 1 by itself would not, as lengths differ.

        Raises:
            ConfigError: no such side.
            DataError: vectors that are not finite.
            ModelError: a vector is longer than the model's distance says any can be.

        Source: Bachrach et al. 2014 (Xbox recommender), with a coordinate for each side.
        """
        one_of(side, "side", SIDES)
        vectors = as_vectors(vectors, f"{side} vectors", none=True).numpy()
        longest = self.model.distance.longest()
        squares = (vectors.astype(np.float64) ** 2).sum(axis=1, keepdims=True)
        if len(squares) and squares.max() > longest**2 * 1.001:
            raise ModelError(
                f"a vector has length {float(np.sqrt(squares.max())):.4f} and distance "
                f"{self.model.recipe.distance.distance!r} says that none is longer than {longest:.4f}; mend its longest()"
            )
        rest = np.sqrt(np.maximum(longest**2 - squares, 0.0))
        empty = np.zeros_like(rest)
        pair = (rest, empty) if side == "poster" else (empty, rest)
        rows: Vectors = (np.concatenate([vectors, *pair], axis=1) / longest).astype(np.float32)
        return rows

    def _encode(self, side: Side, items: list[Any]) -> Vectors:
        """One batch; the first one of a side alone, as it loads and compiles, and sides share networks."""
        with nullcontext() if side in self._warm else self._first:
            if side == "poster":
                vectors = self.model.encode_posters(items, self._store)
            else:
                vectors = (self._texts or self.model).encode_intros(items, self._store)
            self._warm.add(side)
        return vectors


def _is_one_poster(given: Any) -> bool:
    """A sequence or iterator is many; an array of four dimensions too."""
    if isinstance(given, str | bytes | bytearray | memoryview | Poster):
        return True
    if hasattr(given, "__array_interface__"):  # arrays, and PIL pictures, which have no `ndim`
        return getattr(given, "ndim", 3) < 4
    return not isinstance(given, Iterable)


def _opened(sources: Sequence[PosterSource]) -> list[Poster]:
    """The posters of a batch, each decoded once for all views."""

    def opened(source: PosterSource) -> Poster:
        poster = Poster.of(source)
        picture = open_poster(poster)
        return Poster(poster.digest, lambda: picture, poster.path)

    return [opened(source) for source in sources]


def _example_poster() -> Poster:
    """A poster with a word on it, so that what reads words runs as well."""
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.new("RGB", (182, 268), "navy")
    ImageDraw.Draw(picture).text((20, 100), "POSTER", fill="white", font=ImageFont.load_default(36))
    return Poster.of(picture)


@contextmanager
def _reporting(label: str, total: int, wanted: bool) -> Iterator[Progress | None]:
    if not wanted:
        yield None
        return
    with progress(label, total) as bar:
        yield bar
