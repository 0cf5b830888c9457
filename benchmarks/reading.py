"""The reader of posters against the same networks used poster by poster, as rapidocr does: time, and what the lines are worth.

    python benchmarks/reading.py [--data DIR] [--posters 64] [--rounds 2] [--precision auto]
    python benchmarks/reading.py --data DIR --score     and the inner score of `default` and `best` with each

Poster by poster is how cinealign read before: three times enlarged, a second engine for a second thread, batches of up to six
lines of one poster that are padded to the widest of them and to 320 pixels at least. The two take turns on train posters
only; the times are of the best round. `--score` reads every train poster with both, twice for `best`, and takes as long.
The inner score is cross-validation inside the train movies (`studies.inner_score`); nothing here sees a held-out movie.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from cinealign import Catalogue, Recipe
from cinealign.data.drawn.movies import draw_sample
from cinealign.data.posters import Poster, open_poster
from cinealign.model import Extracts
from cinealign.studies.inner_score import inner_scores
from cinealign.views.poster import lettering
from cinealign.views.poster.lines import Line, reading_order
from cinealign.views.poster.ocr import _line
from cinealign.views.poster.reading import reader as reading
from cinealign.views.poster.reading.detection import find_boxes
from cinealign.views.poster.reading.network import Network, model_paths
from cinealign.views.poster.reading.options import OcrOptions
from cinealign.views.poster.reading.recognition import Recogniser, batches, cut_line, padded_width
from cinealign.views.precision import ResolvedPrecision, resolve_precision
from cinealign.views.store import FeatureStore

SURE = 0.5
Records = list[list[dict[str, Any]]]


class PosterByPoster:
    """rapidocr's own pipeline on networks that OpenVINO compiled, an engine a thread."""

    def __init__(self, precision: ResolvedPrecision) -> None:
        self._idle: SimpleQueue[Any] = SimpleQueue()
        for _ in range(reading.worker_count()):
            self._idle.put(self._engine(precision))
        self._threads = ThreadPoolExecutor(reading.worker_count())

    @staticmethod
    def _engine(precision: ResolvedPrecision) -> Any:
        from rapidocr import EngineType, RapidOCR

        paths = model_paths()
        engine = RapidOCR(
            params={
                "Global.text_score": 0.0,
                "Global.use_cls": False,
                "Global.log_level": "critical",
                "Global.max_side_len": 100_000,
                "Det.limit_side_len": 480,
                "EngineConfig.openvino.inference_num_threads": 1,
                **{f"{part}.engine_type": EngineType.OPENVINO for part in ("Det", "Rec", "Cls")},
                **{f"{part}.model_path": str(path) for part, path in paths.items()},
            }
        )
        engine._load_det_model().session = Network(paths["Det"], precision)
        engine._load_rec_model().session = Network(paths["Rec"], precision, width_step=64)
        return engine

    def records(self, posters: Sequence[Poster], options: OcrOptions) -> Records:
        return list(self._threads.map(lambda poster: self._read(poster, options), posters))

    def _read(self, poster: Poster, options: OcrOptions) -> list[dict[str, Any]]:
        pixels, size = reading._enlarged(open_poster(poster), OcrOptions(min_side=546, contrast=options.contrast))
        picture = reading._evened(pixels) if options.contrast == "local" else pixels
        engine = self._idle.get()
        try:
            found = engine(np.ascontiguousarray(picture[:, :, ::-1]), use_cls=False)
        finally:
            self._idle.put(engine)
        if getattr(found, "txts", None) is None or getattr(found, "boxes", None) is None:
            return []
        return [
            reading._record(text, float(sure), reading.Found(np.asarray(box, np.float32), size, picture))
            for text, sure, box in zip(found.txts, found.scores, found.boxes, strict=True)
        ]


def timed(work: Callable[[], Any], posters: int) -> tuple[float, float, Any]:
    """Milliseconds of processor and of wall time a poster, and what came out."""
    cpu, wall = time.process_time(), time.perf_counter()
    found = work()
    return (time.process_time() - cpu) * 1000 / posters, (time.perf_counter() - wall) * 1000 / posters, found


def parts(posters: Sequence[Poster], precision: ResolvedPrecision) -> tuple[float, float]:
    """Milliseconds of one thread a poster for finding lines and for reading them."""
    paths, options = model_paths(), OcrOptions()
    detector, recogniser = Network(paths["Det"], precision), Recogniser(paths["Rec"], precision)
    pictures = [
        np.ascontiguousarray(reading._enlarged(open_poster(poster), options)[0][:, :, ::-1]) for poster in posters
    ]

    def find() -> list[NDArray[np.uint8]]:
        return [cut_line(picture, box) for picture in pictures for box in find_boxes(picture, detector)]

    def read(lines: Sequence[NDArray[np.uint8]]) -> None:
        widths = [padded_width(line.shape[1]) for line in lines]
        for rows in batches(widths):
            recogniser.read([lines[row] for row in rows], widths[rows[0]])

    read(find())  # compiles
    detection, _, lines = timed(find, len(posters))
    return detection, timed(lambda: read(lines), len(posters))[0]


def words(records: Sequence[dict[str, Any]]) -> str:
    return " ".join(record["text"].lower() for record in records if record["confidence"] >= SURE)


def title_share(read: Records, titles: Sequence[str]) -> float:
    """Share of the titles' words of three letters or more that stand in the lines of their posters."""
    found = total = 0
    for records, title in zip(read, titles, strict=True):
        wanted = {word for word in re.findall("[a-z0-9]+", re.sub(r"\(.*?\)", "", title).lower()) if len(word) > 2}
        found += sum(word in words(records) for word in wanted)
        total += len(wanted)
    return found / total if total else 0.0


def agreement(one: Records, other: Records) -> float:
    """Words that both read over words that either reads, the mean over posters that have any."""
    shares = []
    for left, right in zip(one, other, strict=True):
        a, b = (set(re.findall(r"\w+", words(records))) for records in (left, right))
        if a | b:
            shares.append(len(a & b) / len(a | b))
    return float(np.mean(shares)) if shares else 1.0


def score(catalogue: Catalogue, former: PosterByPoster, options: OcrOptions) -> None:
    """Print the inner score of `default` and `best` with lines read either way."""
    rows = catalogue.train_rows
    posters, intros = [catalogue.posters[row] for row in rows], [catalogue.intros[row] for row in rows]
    kept: dict[str, list[list[Line]]] = {}

    def read_before(posters: Sequence[Poster], store: FeatureStore, given: OcrOptions) -> list[list[Line]]:
        if given.contrast not in kept:
            read = former.records(posters, given)
            kept[given.contrast] = [reading_order([_line(record) for record in records]) for records in read]
        return kept[given.contrast]

    def again_before(posters: Sequence[Poster], store: FeatureStore, given: OcrOptions, *_: Any) -> list[list[Line]]:
        return read_before(posters, store, given)

    for name in ("default", "best"):
        recipe = Recipe.load(name)
        with (
            tempfile.TemporaryDirectory() as folder,
            patch.object(lettering, "read_lettering", read_before),
            patch.object(lettering, "read_again", again_before),
        ):
            before = _score(recipe, posters, intros, FeatureStore(Path(folder)))
        print(f"inner score of {name}: {before:.4f} before, {_score(recipe, posters, intros, FeatureStore()):.4f} now")


def _score(recipe: Recipe, posters: Sequence[Poster], intros: Sequence[str], store: FeatureStore) -> float:
    training = Extracts.of(recipe, posters, intros, store).training_set(np.arange(len(posters)))
    return float(np.mean(list(inner_scores(recipe, training))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--posters", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--precision", choices=("auto", "float32", "bfloat16"), default="auto")
    parser.add_argument("--score", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as drawn:
        if given.data is None:
            draw_sample(Path(drawn) / "sample")
        catalogue = Catalogue.load(given.data or Path(drawn) / "sample")
        rows = np.random.default_rng(0).permutation(catalogue.train_rows)[: given.posters]
        posters, titles = [catalogue.posters[row] for row in rows], [catalogue.movies[row].title for row in rows]
        options, precision = OcrOptions(precision=given.precision), resolve_precision(given.precision)
        ways = {"before": PosterByPoster(precision), "now": reading.Reader(precision)}
        times: dict[str, list[tuple[float, float, Records]]] = {name: [] for name in ways}
        for _ in range(given.rounds):
            for name, way in ways.items():
                times[name].append(timed(lambda way=way: way.records(posters, options), len(posters)))  # type: ignore[misc]
        print(
            f"{len(posters)} train posters, {precision}, {reading.worker_count()} threads, best of {given.rounds} rounds"
        )
        for name, rounds in times.items():
            cpu, wall, read = min(cpu for cpu, _, _ in rounds), min(wall for _, wall, _ in rounds), rounds[0][2]
            lines = np.mean([len(records) for records in read])
            print(
                f"{name:7s} {cpu:5.0f} ms of processor and {wall:5.0f} ms a poster, {lines:.1f} lines, "
                f"{title_share(read, titles):.3f} of the title words"
            )
        ratio = min(cpu for cpu, _, _ in times["before"]) / min(cpu for cpu, _, _ in times["now"])
        detection, recognition = parts(posters, precision)
        same = agreement(times["before"][0][2], times["now"][0][2])
        print(f"ratio {ratio:.2f} (processor time); the two share {same:.3f} of the words that either reads")
        print(f"now: {detection:.0f} ms of one thread to find lines, {recognition:.0f} ms to read them")
        if given.score:
            score(catalogue, ways["before"], options)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
