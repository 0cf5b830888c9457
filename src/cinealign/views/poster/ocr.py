"""The lettering of posters: every line that an OCR engine reads, with its place, size and confidence.

PP-OCRv6 small (detection and recognition, English and Chinese) through rapidocr, computed by OpenVINO. Posters are read
by a few threads with an engine each; an engine computes in one thread, so a poster's lines do not depend on the others.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from cinealign.data.posters import Poster, open_poster
from cinealign.views.first_inference import ALONE, first_alone
from cinealign.views.precision import Precision, ResolvedPrecision, resolve_precision
from cinealign.views.store import FeatureStore
from cinealign.views.weights import packaged_file

if TYPE_CHECKING:
    from PIL.Image import Image

PACKAGE = "rapidocr"
MODEL_FILES = {
    "Det": ("models/PP-OCRv6_det_small.onnx", "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f"),
    "Rec": ("models/PP-OCRv6_rec_small.onnx", "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884"),
}
BATCH = 32
MAX_WORKERS = 4
"""An engine takes some 0.5 GB, so more workers than this ask too much of a laptop."""
_WIDTH_STEP = 64
_KERNELS_KEPT = 100
_NARROWEST = 0.25


class OcrOptions(BaseModel):
    """How posters are read; every option is part of the key under which lines are stored."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    min_side: int = Field(default=546, ge=32, le=4000)
    """A poster whose shorter side has fewer pixels is enlarged to it: three times for MovieLens' 182 x 268."""
    max_side: int = Field(default=1100, ge=32, le=4000)
    """A poster whose shorter side has more pixels is shrunk to it."""
    detection_side: int = Field(default=480, ge=32, le=4000)
    """Detection enlarges a picture whose shorter side has fewer pixels once more."""
    contrast: Literal["as_is", "local"] = "as_is"
    """Whether the contrast of the lightness is evened out over an 8 x 8 grid (CLAHE) before reading: a second look that finds
    lettering which is dark on dark or pale on pale, and misses some that the first one finds."""
    precision: Precision = "auto"

    @model_validator(mode="after")
    def _ordered(self) -> OcrOptions:
        if self.min_side > self.max_side:
            raise ValueError(f"min_side must be <= max_side, got {self.min_side} and {self.max_side}")
        return self


@dataclass(frozen=True)
class Line:
    """A line of lettering.

    Coordinates are fractions of the poster: x of its width, y of its height, from the upper left corner.
    """

    text: str
    confidence: float
    """0 to 1, the mean over the characters as the engine sees it."""
    box: tuple[tuple[float, float], ...]
    """Four corners, clockwise, from the upper left one of the line as it is read."""
    height: float
    """Height of the letters as a fraction of the poster's height."""

    @property
    def centre(self) -> tuple[float, float]:
        """(x, y) of the middle of the box."""
        return sum(x for x, _ in self.box) / 4, sum(y for _, y in self.box) / 4


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
    reading = _Reading(options or OcrOptions())
    with reading:
        records = store.records(
            "lettering",
            reading.settings,
            [poster.digest for poster in posters],
            lambda rows: reading.records([posters[row] for row in rows]),
            batch_size=BATCH,
        )
    return [reading_order([_line(record) for record in lines]) for lines in records]


def missing_lettering(posters: Sequence[Poster], store: FeatureStore, options: OcrOptions | None = None) -> int:
    """How many distinct posters have lines that `store` does not hold; nothing is read or written."""
    settings = _Reading(options or OcrOptions()).settings
    return store.missing("lettering", settings, [poster.digest for poster in posters])


def reading_order(lines: Sequence[Line]) -> list[Line]:
    """`lines` from top to bottom and, within a row, from left to right.

    The topmost line that is left begins a row, and lines belong to it whose middle is less than half a letter's height
    (of the smaller of the two) below its middle.
    """
    left = sorted(lines, key=lambda line: (line.centre[1], line.centre[0]))
    ordered: list[Line] = []
    while left:
        first = left[0]
        row = [x for x in left if x.centre[1] - first.centre[1] < 0.5 * min(x.height, first.height) or x is first]
        ordered += sorted(row, key=lambda line: line.centre[0])
        left = [line for line in left if not any(line is taken for taken in row)]
    return ordered


def worker_count() -> int:
    """Posters read at the same time: one a processor core that this process may use, at most `MAX_WORKERS`."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, MAX_WORKERS)


class Engine:
    """One OCR engine that computes in the thread that calls it; not to be called by two threads at once."""

    def __init__(self, detection_side: int, precision: ResolvedPrecision) -> None:
        """Args:
        detection_side: see `OcrOptions`.
        precision: number format of both networks.

        Raises:
            ModelError: a model file is missing or another one; rapidocr alone would download it.
        """
        paths = model_paths()
        import cv2
        from rapidocr import EngineType, RapidOCR

        cv2.setNumThreads(1)
        self._rapidocr = RapidOCR(
            params={
                "Global.text_score": 0.0,  # all lines; views choose by confidence
                "Global.use_cls": False,
                "Global.log_level": "critical",  # "no text found" is a warning there
                "Global.max_side_len": 100_000,  # `_enlarged` sees to the size
                "Det.limit_side_len": detection_side,
                "EngineConfig.openvino.inference_num_threads": 1,
                **{f"{part}.engine_type": EngineType.OPENVINO for part in ("Det", "Rec", "Cls")},
                **{f"{part}.model_path": str(path) for part, path in paths.items()},
            }
        )
        with ALONE:  # rapidocr compiles both networks once before ours take their place
            detector, recogniser = self._rapidocr._load_det_model(), self._rapidocr._load_rec_model()
        detector.session = _Network(paths["Det"], precision)
        recogniser.session = _Network(paths["Rec"], precision, width_step=_WIDTH_STEP)

    def read(self, picture: NDArray[np.uint8]) -> list[tuple[str, float, NDArray[np.float64]]]:
        """Text, confidence and corners (4, 2) in pixels of every line of an RGB picture (H, W, 3)."""
        found = self._rapidocr(np.ascontiguousarray(picture[:, :, ::-1]), use_cls=False)
        if getattr(found, "txts", None) is None or getattr(found, "boxes", None) is None:
            return []
        return [
            (str(text), float(confidence), np.asarray(box, dtype=np.float64))
            for text, confidence, box in zip(found.txts, found.scores, found.boxes, strict=True)
        ]


class _Network:
    """A network compiled by us, as rapidocr passes neither the precision nor the size of the kernel cache on.

    Processor pinning is off: OpenVINO would put the one thread of every engine on the same core.
    """

    def __init__(self, path: Path, precision: ResolvedPrecision, width_step: int = 1) -> None:
        import openvino

        properties = {
            "INFERENCE_NUM_THREADS": 1,
            "NUM_STREAMS": 1,
            "ENABLE_CPU_PINNING": False,
            "INFERENCE_PRECISION_HINT": {"float32": "f32", "bfloat16": "bf16"}[precision],
            "CPU_RUNTIME_CACHE_CAPACITY": str(_KERNELS_KEPT),
        }
        with ALONE:
            core = openvino.Core()
            self._compiled = core.compile_model(core.read_model(path), "CPU", properties)
            self._request = self._compiled.create_infer_request()
        self._width_step = width_step
        self._infer = first_alone(self._inferred)

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Output for `batch` (B, 3, H, W), padded on the right to a multiple of the width step.

        Every new shape costs compiling and some MB of kernels; lines of text come in hundreds of widths.
        """
        rest = -batch.shape[3] % self._width_step
        if rest:
            batch = np.pad(batch, ((0, 0), (0, 0), (0, 0), (0, rest)))
        return self._infer(batch)

    def _inferred(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        self._request.infer([batch])
        return cast(NDArray[np.float32], self._request.get_output_tensor().data)


class _Reading:
    """Engines and threads for one call; made when the first poster is missing in the store."""

    def __init__(self, options: OcrOptions) -> None:
        self._options = options
        self._precision = resolve_precision(options.precision)
        self._idle: SimpleQueue[Engine] = SimpleQueue()
        self._threads: ThreadPoolExecutor | None = None

    @property
    def settings(self) -> dict[str, Any]:
        """What the lines of a poster depend on besides the poster."""
        plain = {
            "precision",
            *(["contrast"] if self._options.contrast == "as_is" else []),
        }  # keys of older stores stay true
        return {
            "engine": f"rapidocr {version('rapidocr')} openvino",
            "models": {part: sha256 for part, (_, sha256) in MODEL_FILES.items()},
            **self._options.model_dump(exclude=plain),
            "precision": self._precision,
            "width_step": _WIDTH_STEP,
            "resize": "bicubic",
        }

    def __enter__(self) -> _Reading:
        return self

    def __exit__(self, *_: object) -> None:
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)

    def records(self, posters: Sequence[Poster]) -> list[list[dict[str, Any]]]:
        """The lines of every poster as JSON records."""
        if self._threads is None:
            for _ in range(worker_count()):
                self._idle.put(Engine(self._options.detection_side, self._precision))
            self._threads = ThreadPoolExecutor(worker_count())
        return list(self._threads.map(self._read, posters))

    def _read(self, poster: Poster) -> list[dict[str, Any]]:
        picture, (width, height) = _enlarged(open_poster(poster), self._options)
        if self._options.contrast == "local":
            picture = _evened(picture)
        engine = self._idle.get()
        try:
            found = engine.read(picture)
        finally:
            self._idle.put(engine)
        return [_record(text, confidence, corners, width, height) for text, confidence, corners in found]


def model_paths() -> dict[str, Path]:
    """Path of the detection and the recognition model by their name in rapidocr, contents checked.

    Raises:
        ModelError: one is missing or another one.
    """
    return {part: packaged_file(PACKAGE, name, sha256) for part, (name, sha256) in MODEL_FILES.items()}


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


def _record(text: str, confidence: float, corners: NDArray[np.float64], width: int, height: int) -> dict[str, Any]:
    """A line as JSON; `corners` (4, 2) are pixels of a poster of `width` x `height`."""
    along = max(np.linalg.norm(corners[0] - corners[1]), np.linalg.norm(corners[3] - corners[2]))
    across = max(np.linalg.norm(corners[0] - corners[3]), np.linalg.norm(corners[1] - corners[2]))
    letters = along if across >= 1.5 * along else across  # the engine turns such a box and reads it upwards
    fractions = np.clip(corners / [width, height], 0.0, 1.0)
    return {
        "text": text.strip(),
        "confidence": round(min(max(confidence, 0.0), 1.0), 4),
        "box": [[round(float(x), 4), round(float(y), 4)] for x, y in fractions],
        "height": round(min(float(letters) / height, 1.0), 4),
    }


def _line(record: dict[str, Any]) -> Line:
    return Line(record["text"], record["confidence"], tuple((x, y) for x, y in record["box"]), record["height"])
