"""Reading many posters: every one is searched for lines, and the lines of all of them are read together by their width.

A reader has two compiled networks for the whole process, whoever asks for them, and works through them with one thread a
processor core. What is read on a poster depends on that poster alone: a line's width decides how it is padded, and the
networks compute each line of a batch by itself.

Memory: the networks and their kernels, some 0.5 GB; a picture a thread; the cut lines of the posters that are read together
(30 kB a line).
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cinealign.data.posters import Poster, open_poster
from cinealign.device import device_settings
from cinealign.threads import thread_count
from cinealign.views.compiled import kept
from cinealign.views.poster.lines import Bounds, bounds, covered
from cinealign.views.poster.reading.detection import find_boxes
from cinealign.views.poster.reading.graphics_card import CardNetwork, CardRecogniser, reads_on_card
from cinealign.views.poster.reading.network import MODEL_FILES, Network, model_paths
from cinealign.views.poster.reading.options import OcrOptions
from cinealign.views.poster.reading.recognition import Recogniser, batches, cut_line, padded_width
from cinealign.views.precision import ResolvedPrecision, processor_precision

if TYPE_CHECKING:
    from PIL.Image import Image

READER = 2
"""What lies between the networks (sizes, boxes, crops, widths): another number means other lines."""
TOGETHER = 64
"""Posters whose lines are read together, and which are stored at once."""
MAX_WORKERS = 8
SAME_PLACE = 0.5
"""Share of the smaller of two lines that the other must cover for both to be the same lettering."""
_NARROWEST = 0.25

Box = NDArray[np.float32]


@dataclass(frozen=True)
class Found:
    """A line that was found on a poster and is to be read."""

    corners: Box
    size: tuple[int, int]
    """(width, height) of the poster in the pixels of `corners`."""
    picture: NDArray[np.uint8]


def settings_of(options: OcrOptions) -> dict[str, Any]:
    """What the lines of a poster depend on besides the poster."""
    on_card = reads_on_card()
    return {
        "engine": "onnxruntime" if on_card else "openvino",
        "reader": READER,
        "models": {part: sha256 for part, (_, sha256) in MODEL_FILES.items()},
        **options.model_dump(exclude={"precision"}),
        "precision": _precision(options),
        **(device_settings() if on_card else {}),
    }


def _precision(options: OcrOptions) -> ResolvedPrecision:
    """That of the processor, which reads whatever the device of the process is, unless onnxruntime-gpu is there."""
    if reads_on_card():
        return "float32"
    return processor_precision() if options.precision == "auto" else options.precision


class Reader:
    """The two networks of the engine; any number of threads may call it at the same time."""

    def __init__(self, precision: ResolvedPrecision) -> None:
        """Raises:
        ModelError: a model file is missing or another one.
        """
        import cv2

        cv2.setNumThreads(1)
        paths, workers = model_paths(), worker_count()
        self._detector: Network | CardNetwork
        self._recogniser: Recogniser | CardRecogniser
        if reads_on_card():
            self._detector = CardNetwork(paths["Det"])
            self._recogniser = CardRecogniser(CardNetwork(paths["Rec"]))
        else:
            self._detector = Network(paths["Det"], precision, streams=workers)
            self._recogniser = Recogniser(paths["Rec"], precision, workers)
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="reading")

    def records(
        self, posters: Sequence[Poster], options: OcrOptions, known: Sequence[Sequence[Bounds]] | None = None
    ) -> list[list[dict[str, Any]]]:
        """The lines of every poster as JSON records.

        Args:
            posters: N posters.
            options: how to read; their precision is the reader's.
            known: N lists of boxes; what lies on one of them is not read.
        Raises:
            DataError: a poster cannot be read.
        """
        known = known or [()] * len(posters)
        found = list(self._threads.map(lambda poster, known: self._find(poster, options, known), posters, known))
        lines = [line for of_poster in found for line in of_poster]
        widths = [padded_width(line.picture.shape[1]) for line in lines]
        together = list(batches(widths))
        read = self._threads.map(
            lambda rows: self._recogniser.read([lines[row].picture for row in rows], widths[rows[0]]),
            together,
        )
        texts: list[tuple[str, float]] = [("", 0.0)] * len(lines)
        for rows, of_batch in zip(together, read, strict=True):
            for row, text in zip(rows, of_batch, strict=True):
                texts[row] = text
        in_turn = iter(texts)
        of_posters = [[(line, *next(in_turn)) for line in of_poster] for of_poster in found]
        return [
            [_record(text, confidence, line) for line, text, confidence in of_poster if text.strip()]
            for of_poster in of_posters
        ]

    def _find(self, poster: Poster, options: OcrOptions, known: Sequence[Bounds]) -> list[Found]:
        picture, size = _enlarged(open_poster(poster), options)
        if options.contrast == "local":
            picture = _evened(picture)
        picture = np.ascontiguousarray(picture[:, :, ::-1])
        found = []
        for corners in find_boxes(picture, self._detector, options.detection_side):
            place = bounds((corners / size).tolist())
            if not any(covered(place, box) > SAME_PLACE for box in known):
                found.append(Found(corners, size, cut_line(picture, corners)))
        return found


@kept
def _made(precision: ResolvedPrecision) -> Reader:
    return Reader(precision)


def reader(options: OcrOptions) -> Reader:
    """The process's reader for `options`, made when first asked for and kept."""
    return _made(_precision(options))


def worker_count() -> int:
    """Threads that read: as many as this process may use, at most `MAX_WORKERS`."""
    return min(thread_count(), MAX_WORKERS)


def letter_height(corners: Box) -> float:
    """Height of the letters of the line in a box, in the box's unit: its shorter way, as tall boxes are read upwards."""
    along = max(np.linalg.norm(corners[0] - corners[1]), np.linalg.norm(corners[3] - corners[2]))
    across = max(np.linalg.norm(corners[0] - corners[3]), np.linalg.norm(corners[1] - corners[2]))
    return float(along if across >= 1.5 * along else across)


def _enlarged(poster: Image, options: OcrOptions) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """The poster at the size for reading, and its (width, height) there.

    A strip narrower than a quarter of its length gets black at its right or lower side: its short side decides the
    scale, and a strip of one pixel would be enlarged to gigabytes.
    """
    from PIL.Image import Resampling

    short = max(min(poster.size), _NARROWEST * max(poster.size))
    scale = min(max(options.min_side / short, 1.0), options.max_side / short)
    if options.min_side <= short <= options.max_side:
        scale = 1.0
    width, height = (max(1, round(side * scale)) for side in poster.size)
    if (width, height) != poster.size:
        poster = poster.resize((width, height), Resampling.BICUBIC)
    pixels = np.asarray(poster)
    least = round(_NARROWEST * max(width, height))
    padding = ((0, max(0, least - height)), (0, max(0, least - width)), (0, 0))
    return np.pad(pixels, padding), (width, height)


def _evened(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """RGB pixels whose lightness has equal contrast everywhere: contrast-limited adaptive histogram equalisation."""
    import cv2

    lab = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)
    lab[..., 0] = cv2.createCLAHE(clipLimit=3.0, tileGridSize=(8, 8)).apply(np.ascontiguousarray(lab[..., 0]))
    evened: NDArray[np.uint8] = cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)
    return evened


def _record(text: str, confidence: float, line: Found) -> dict[str, Any]:
    width, height = line.size
    fractions = np.clip(line.corners / [width, height], 0.0, 1.0)
    return {
        "text": text.strip(),
        "confidence": round(min(max(confidence, 0.0), 1.0), 4),
        "box": [[round(float(x), 4), round(float(y), 4)] for x, y in fractions],
        "height": round(min(letter_height(line.corners) / height, 1.0), 4),
    }
