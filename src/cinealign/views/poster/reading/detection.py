"""Where lines of lettering lie on a picture: the detection network and the boxes in its map (DB, arXiv 1911.08947)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from cinealign.views.poster.reading.graphics_card import CardNetwork
    from cinealign.views.poster.reading.network import Network

MULTIPLE = 32
"""Both sides of what the network sees are multiples of it."""
LETTERING = 0.3
"""Probability from which a pixel counts as lettering."""
LEAST_MEAN = 0.5
"""Mean probability that a box must have."""
GROWTH = 1.6
"""The map shows the core of a line: a box grows on each side by this many times its area over its outline."""
MOST_BOXES = 1000
_SMALLEST = 3


def find_boxes(
    picture: NDArray[np.uint8], network: Network | CardNetwork, least_side: int = MULTIPLE
) -> list[NDArray[np.float32]]:
    """Corners (4, 2) in pixels, clockwise from the upper left, of every line on a BGR `picture` (H, W, 3).

    The network sees the picture enlarged to a shorter side of `least_side`, if it has less.
    """
    import cv2

    height, width = picture.shape[:2]
    times = max(1.0, least_side / min(height, width)) / MULTIPLE
    seen_height, seen_width = (max(1, round(side * times)) * MULTIPLE for side in (height, width))
    seen = picture if (seen_height, seen_width) == (height, width) else cv2.resize(picture, (seen_width, seen_height))
    batch = np.ascontiguousarray(seen.transpose(2, 0, 1)[None], dtype=np.float32)
    batch *= np.float32(2 / 255)
    batch -= 1
    probabilities: NDArray[np.float32] = network(batch)[0, 0]
    scale = np.array([width / seen_width, height / seen_height], dtype=np.float32)
    limit = np.array([width - 1, height - 1], dtype=np.float32)
    boxes = [clockwise(np.clip(corners * scale, 0, limit)) for corners in boxes_in(probabilities)]
    return [corners for corners in boxes if min(sides(corners)) > _SMALLEST]


def boxes_in(probabilities: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Corners (4, 2), in pixels of the map, of the grown boxes in a map (H, W) of the probability of lettering."""
    import cv2

    mask = cv2.dilate((probabilities > LETTERING).astype(np.uint8), np.ones((2, 2), np.uint8))
    contours = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)[0]
    found = []
    for contour in contours[:MOST_BOXES]:
        centre, (width, height), angle = cv2.minAreaRect(contour)
        if min(width, height) < _SMALLEST:
            continue
        if _mean_inside(probabilities, cv2.boxPoints((centre, (width, height), angle))) < LEAST_MEAN:
            continue
        grown = 2 * GROWTH * width * height / (2 * (width + height))
        if min(width, height) + grown >= _SMALLEST + 2:
            found.append(cv2.boxPoints((centre, (width + grown, height + grown), angle)))
    return found


def sides(corners: NDArray[Any]) -> tuple[float, float]:
    """Length of the upper and of the left side of a box."""
    return float(np.linalg.norm(corners[0] - corners[1])), float(np.linalg.norm(corners[0] - corners[3]))


def clockwise(corners: NDArray[np.float32]) -> NDArray[np.float32]:
    """The corners (4, 2) from the upper left one on: of the two on the left the upper one comes first."""
    by_x = corners[np.argsort(corners[:, 0], kind="stable")]
    left, right = by_x[:2], by_x[2:]
    top_left, bottom_left = left[np.argsort(left[:, 1], kind="stable")]
    top_right, bottom_right = right[np.argsort(right[:, 1], kind="stable")]
    return np.stack([top_left, top_right, bottom_right, bottom_left])


def _mean_inside(probabilities: NDArray[np.float32], corners: NDArray[np.float32]) -> float:
    import cv2

    height, width = probabilities.shape
    left, top = np.clip(np.floor(corners.min(axis=0)).astype(int), 0, [width - 1, height - 1])
    right, bottom = np.clip(np.ceil(corners.max(axis=0)).astype(int), 0, [width - 1, height - 1])
    mask = np.zeros((bottom - top + 1, right - left + 1), dtype=np.uint8)
    cv2.fillPoly(mask, [(corners - [left, top]).astype(np.int32)], 1)
    return float(cv2.mean(probabilities[top : bottom + 1, left : right + 1], mask)[0])
