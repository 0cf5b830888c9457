"""Posters with parts of them painted over; they are painted when they are opened, and nothing is written."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from cinealign.data.posters import Poster, open_poster
from cinealign.views.poster.ocr import Line

if TYPE_CHECKING:
    from PIL.Image import Image

CHEAP = ("appearance", "appearance_map", "classical", "pixels")
"""Views that look at some ten posters or more a second on two cores, so that a whole catalogue can be looked at again."""
MARGIN = 0.15
"""How far beyond a line's box is painted, in heights of its letters."""


def without_lettering(poster: Poster, lines: Sequence[Line]) -> Poster:
    """The poster with the boxes of `lines` filled from what surrounds them; as it is where there are none.

    Source:
        The filling is Telea's, "An image inpainting technique based on the fast marching method" (2004), of OpenCV.
    """
    if not lines:
        return poster

    def painted() -> Image:
        import cv2
        from PIL import Image

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
        return Image.fromarray(cv2.inpaint(pixels, mask, 3, cv2.INPAINT_TELEA))

    return Poster(_digest(poster, "without", [(line.box, line.height) for line in lines]), painted)


def _digest(poster: Poster, *changed: object) -> str:
    """Of what a painted poster depends on: the poster and what is painted."""
    return hashlib.sha256(f"{poster.digest} {changed!r}".encode()).hexdigest()


def lines_outside(lines: Iterable[Line], cell: tuple[float, float, float, float]) -> list[Line]:
    """Those of `lines` whose middle does not lie in `cell` (left, top, right, bottom)."""
    left, top, right, bottom = cell
    return [line for line in lines if not (left <= line.centre[0] < right and top <= line.centre[1] < bottom)]
