"""Frozen features against the plain use of the same models: time, ratio and cosines to it.

    python benchmarks/features.py [--data DIR] [--posters 128] [--intros 1024] [--rounds 3]

Plain is what a reader of the models' own pages would write: float32, one process, the usual batch of 32; pictures opened
and resized one after another, `SentenceTransformer.encode` for texts. Ours is the view as a recipe uses it, feature store
and all, into an empty folder. The two take turns; a ratio is of the best rounds. Compiling the picture network (once a
process) is timed apart. Without --data the posters and intros are drawn.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from cinealign.data.catalogue import Catalogue
from cinealign.data.drawn.movies import draw_sample
from cinealign.data.posters import Poster
from cinealign.views.intro.encoders import encoder_files
from cinealign.views.poster.appearance import PACKAGE, WEIGHTS, WEIGHTS_SHA256
from cinealign.views.registry import VIEWS
from cinealign.views.store import FeatureStore
from cinealign.views.weights import packaged_file

Rows = NDArray[np.float32]
BATCH = 32


def plain_appearance(posters: list[Poster]) -> Callable[[], Rows]:
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_name("efficientnet-lite2")
    network.load_state_dict(torch.load(packaged_file(PACKAGE, WEIGHTS, WEIGHTS_SHA256), weights_only=True))
    network.eval()

    def pixels(poster: Poster) -> torch.Tensor:
        with Image.open(poster.path) as file:
            resized = np.asarray(file.convert("RGB").resize((224, 320), Image.Resampling.BICUBIC))
        return (torch.from_numpy(resized.copy()).permute(2, 0, 1).float() - 127) / 128

    def run() -> Rows:
        rows = []
        with torch.no_grad():
            for start in range(0, len(posters), BATCH):
                images = torch.stack([pixels(poster) for poster in posters[start : start + BATCH]]).contiguous()
                rows.append(network.extract_features(images).mean(dim=(2, 3)))
        return torch.cat(rows).numpy()

    return run


def plain_language_model(texts: list[str]) -> Callable[[], Rows]:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(encoder_files("minilm", False).located()), device="cpu")
    return lambda: model.encode(texts, show_progress_bar=False)


def ours(view: str, items: list[Poster] | list[str]) -> Callable[[], Rows]:
    kept = VIEWS.build(view)

    def run() -> Rows:
        with tempfile.TemporaryDirectory() as folder:
            return np.asarray(kept.extract(items, FeatureStore(Path(folder))))

    return run


def cosines(a: Rows, b: Rows) -> Rows:
    return (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--posters", type=int, default=128)
    parser.add_argument("--intros", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if arguments.data is None:
            draw_sample(Path(folder) / "sample", movies=max(arguments.posters, arguments.intros), seed=0)
        catalogue = Catalogue.load(arguments.data or Path(folder) / "sample")
        posters, texts = list(catalogue.posters[: arguments.posters]), list(catalogue.intros[: arguments.intros])
        print(f"{torch.get_num_threads()} threads, best of {arguments.rounds} rounds that take turns")
        print(
            f"{'view':<16} {'items':>6} {'plain':>11} {'ours':>11} {'ratio':>6} {'first':>7} {'cosine least':>13} {'median':>9}"
        )
        rounds = arguments.rounds
        picture = row("appearance", plain_appearance(posters), ours("appearance", posters), len(posters), rounds)
        text = row("language_model", plain_language_model(texts), ours("language_model", texts), len(texts), rounds)
    slow, quick = (sum(times) for times in zip(picture, text, strict=True))
    print(f"a movie, both    {1000 * slow:>15.1f} ms {1000 * quick:>8.1f} ms {slow / quick:>6.2f}")


def row(name: str, plain: Callable[[], Rows], fast: Callable[[], Rows], items: int, rounds: int) -> tuple[float, float]:
    """Print a line; returns the seconds of an item, plain and ours."""
    began = time.perf_counter()
    fast()  # loads and compiles
    first = time.perf_counter() - began
    plain()
    took: dict[str, list[float]] = {"plain": [], "ours": []}
    for _ in range(rounds):
        for way, run in (("plain", plain), ("ours", fast)):
            began = time.perf_counter()
            found = run()
            took[way].append(time.perf_counter() - began)
            if way == "plain":
                expected = found
    near = cosines(expected, found)
    slow, quick = min(took["plain"]), min(took["ours"])
    print(
        f"{name:<16} {items:>6} {items / slow:>9.1f}/s {items / quick:>9.1f}/s {slow / quick:>6.2f} {first:>5.1f} s "
        f"{near.min():>13.5f} {np.median(near):>9.5f}",
        flush=True,
    )
    return slow / items, quick / items


if __name__ == "__main__":
    main()
