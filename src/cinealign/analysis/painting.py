"""Posters with parts of them painted over, as files that views can look at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cinealign.data.posters import PosterFile, open_poster
from cinealign.views.poster.ocr import Line

CHEAP = ("appearance", "appearance_map", "classical", "pixels")
"""Views that look at some ten posters or more a second on two cores, so that a whole catalogue can be looked at again."""
MARGIN = 0.15
"""How far beyond a line's box is painted, in heights of its letters."""


def without_lettering(poster: PosterFile, lines: Sequence[Line], file: Path) -> PosterFile:
    """The poster with the boxes of `lines` filled from what surrounds them, written to `file` (PNG).

    A poster without lines is given back as it is. Equal posters and lines give equal files.

    Raises:
        DataError: the poster cannot be read.
    Source:
        The filling is Telea's, "An image inpainting technique based on the fast marching method" (2004), of OpenCV.
    """
    import cv2

    if not lines:
        return poster
    pixels = np.asarray(open_poster(poster))
    height, width = pixels.shape[:2]
    mask = np.zeros((height, width), dtype=np.uint8)
    for line in lines:
        corners = np.array(line.box) * [width, height]
        middle = corners.mean(axis=0)
        outward = corners - middle
        lengths = np.linalg.norm(outward, axis=1, keepdims=True)
        grown = middle + outward * (1 + MARGIN * line.height * height / np.maximum(lengths, 1.0))
        cv2.fillPoly(mask, [np.round(grown).astype(np.int32)], 255)
    return written(cv2.inpaint(pixels, mask, 3, cv2.INPAINT_TELEA), file)


def with_cell_painted(poster: PosterFile, cell: tuple[float, float, float, float], file: Path) -> PosterFile:
    """The poster with one rectangle in the poster's mean colour, written to `file` (PNG).

    Args:
        poster: any poster.
        cell: left, top, right, bottom as fractions of width and height.
        file: where to write.
    Raises:
        DataError: the poster cannot be read.
    """
    pixels = np.array(open_poster(poster))
    height, width = pixels.shape[:2]
    left, top, right, bottom = (round(part * size) for part, size in zip(cell, (width, height) * 2, strict=True))
    pixels[top:bottom, left:right] = np.round(pixels.mean(axis=(0, 1))).astype(np.uint8)
    return written(pixels, file)


def written(pixels: NDArray[np.uint8], file: Path) -> PosterFile:
    """An RGB picture (H, W, 3) as a PNG file."""
    from PIL import Image

    Image.fromarray(pixels).save(file, compress_level=1)
    return PosterFile.of(file)


def lines_outside(lines: Iterable[Line], cell: tuple[float, float, float, float]) -> list[Line]:
    """Those of `lines` whose middle does not lie in `cell` (left, top, right, bottom)."""
    left, top, right, bottom = cell
    return [line for line in lines if not (left <= line.centre[0] < right and top <= line.centre[1] < bottom)]
