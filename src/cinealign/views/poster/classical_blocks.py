"""The blocks of classical features of one picture."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from cinealign.views.poster.visual_words import DESCRIPTORS, orb

if TYPE_CHECKING:
    from PIL.Image import Image

WIDTH, HEIGHT = 128, 192
Block = NDArray[np.float32]


def settings() -> dict[str, Any]:
    """What the blocks depend on besides the poster."""
    return {
        "size": [WIDTH, HEIGHT],
        "blocks": {name: [p.start, p.stop] for name, p in places().items()},
        "orb": DESCRIPTORS,
    }


def look(picture: Image) -> NDArray[np.float32]:
    """All blocks, then the number of descriptors, then the descriptors (bytes as numbers), as one row."""
    pixels = _pixels(picture)
    found = orb(_grey(pixels))
    padded = np.zeros((DESCRIPTORS, 32), dtype=np.float32)
    padded[: len(found)] = found
    parts = [block(pixels) for block in BLOCKS.values()]
    return np.concatenate([*parts, [len(found)], padded.ravel()]).astype(np.float32)


def grey_pixels(picture: Image) -> NDArray[np.uint8]:
    """(HEIGHT, WIDTH) grey values of the picture as the blocks see it."""
    return _grey(_pixels(picture))


def unpack(row: NDArray[np.float32]) -> tuple[Block, NDArray[np.uint8]]:
    """Blocks and descriptors of a row that `look` made."""
    end = row.size - 1 - DESCRIPTORS * 32
    descriptors = row[end + 1 :].reshape(DESCRIPTORS, 32)[: int(row[end])]
    return row[:end], descriptors.astype(np.uint8)


@cache
def places() -> dict[str, slice]:
    """Which columns of a row belong to which block."""
    blank = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)
    found, start = {}, 0
    for name, block in BLOCKS.items():
        stop = start + block(blank).size
        found[name], start = slice(start, stop), stop
    return found


def colour(pixels: NDArray[np.uint8]) -> Block:
    """Histograms of hue (16), saturation (8) and value (8) in each quarter; roots of shares. Grey pixels have no hue."""
    import cv2

    hsv = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV)
    parts = []
    for quarter in _grid(hsv):
        weight = quarter[..., 1].astype(np.float64) * quarter[..., 2] / 255**2
        hue, _ = np.histogram(quarter[..., 0], bins=16, range=(0, 180), weights=weight)
        parts += [hue / quarter[..., 0].size]
        parts += [np.histogram(quarter[..., i], bins=8, range=(0, 256))[0] / quarter[..., 0].size for i in (1, 2)]
    return _block(np.sqrt(np.concatenate(parts)))


def dominant(pixels: NDArray[np.uint8]) -> Block:
    """Five dominant colours in CIELAB, the most frequent first, each with its share."""
    import cv2
    from sklearn.cluster import KMeans

    small = cv2.resize(pixels, (24, 36), interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB).reshape(-1, 3)
    start = lab[np.linspace(0, len(lab) - 1, 5).astype(int)[np.argsort(lab[:: len(lab) // 5][:5, 0], kind="stable")]]
    clusters = KMeans(5, init=start, n_init=1, max_iter=10).fit(lab) if len(np.unique(lab, axis=0)) >= 5 else None
    if clusters is None:
        return _block(np.concatenate([lab.mean(axis=0), [1.0], np.zeros(16)]))
    shares = np.bincount(clusters.labels_, minlength=5) / len(lab)
    order = np.argsort(-shares, kind="stable")
    return _block(np.column_stack([clusters.cluster_centers_[order], shares[order]]).ravel())


def hog(pixels: NDArray[np.uint8]) -> Block:
    """Histograms of oriented gradients: 9 directions, 6 x 4 cells, 2 x 2 cells a block."""
    from skimage.feature import hog as oriented_gradients

    cells = (HEIGHT // 6, WIDTH // 4)
    found = oriented_gradients(_grey(pixels), orientations=9, pixels_per_cell=cells, cells_per_block=(2, 2))
    return _block(found)


def lbp(pixels: NDArray[np.uint8]) -> Block:
    """Uniform local binary patterns of radius 1 and 2, in each quarter; shares."""
    from skimage.feature import local_binary_pattern

    parts = []
    for points, radius in ((8, 1), (16, 2)):
        patterns = local_binary_pattern(_grey(pixels), points, radius, method="uniform")
        for quarter in _grid(patterns):
            parts.append(np.bincount(quarter.astype(int).ravel(), minlength=points + 2) / quarter.size)
    return _block(np.concatenate(parts))


def texture(pixels: NDArray[np.uint8]) -> Block:
    """Co-occurrence of 16 grey values, strength of edges in a 3 x 2 grid, brightness, contrast, saturation, entropy."""
    import cv2
    from skimage.feature import graycomatrix, graycoprops

    grey = _grey(pixels)
    pairs = graycomatrix(grey // 16, [1, 4], [0, np.pi / 2], levels=16, symmetric=True, normed=True)
    names = ("contrast", "dissimilarity", "homogeneity", "energy", "correlation")
    parts = [graycoprops(pairs, name).ravel() for name in names]
    gradient = np.hypot(cv2.Sobel(grey, cv2.CV_64F, 1, 0), cv2.Sobel(grey, cv2.CV_64F, 0, 1)) / 255
    parts += [np.array([part.mean(), part.std()]) for part in _grid(gradient, 3, 2)]
    parts.append(np.array([(cv2.Canny(part, 100, 200) > 0).mean() for part in _grid(grey, 3, 2)]))
    shares = np.bincount(grey.ravel(), minlength=256) / grey.size
    entropy = -(shares[shares > 0] * np.log2(shares[shares > 0])).sum()
    saturation = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV)[..., 1] / 255
    parts.append(np.array([grey.mean() / 255, grey.std() / 255, saturation.mean(), saturation.std(), entropy]))
    return _block(np.concatenate(parts))


BLOCKS: dict[str, Callable[[NDArray[np.uint8]], Block]] = {
    "colour": colour,
    "dominant": dominant,
    "hog": hog,
    "lbp": lbp,
    "texture": texture,
}
"""The blocks in the order of their columns."""


def _pixels(picture: Image) -> NDArray[np.uint8]:
    from PIL import Image

    return np.asarray(picture.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS))


def _grey(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    import cv2

    return cast("NDArray[np.uint8]", cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))


def _grid(values: NDArray[Any], rows: int = 2, columns: int = 2) -> list[NDArray[Any]]:
    return [part for band in np.array_split(values, rows) for part in np.array_split(band, columns, axis=1)]


def _block(values: Any) -> Block:
    return np.nan_to_num(np.asarray(values, dtype=np.float32))
