"""The text of lines: crops of one height, batches of one width, and the most likely character of every column (CTC)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cinealign.views.poster.reading.characters import (
    most_likely,
    only_last_layer,
    starts_of,
    up_to_last_layer,
    usual_classes,
)
from cinealign.views.poster.reading.network import Network
from cinealign.views.precision import ResolvedPrecision

HEIGHT = 48
"""Pixels of a line as the network sees it."""
STEP = 32
"""Widths are rounded up to a multiple of it, wide ones to more: every width costs compiling."""
NARROWEST = 64
WIDEST = 3200
"""A longer line is squeezed; nothing on a poster is that long."""
BATCH_WIDTH = 1280
"""The lines of a batch side by side: enough for large products, few enough to stay in the processor's cache."""
LARGEST_BATCH = 8


def cut_line(picture: NDArray[np.uint8], corners: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The line in the box `corners` (4, 2) of a BGR `picture`, upright and `HEIGHT` pixels high; (48, W, 3) uint8.

    A box half as high again as it is wide is turned: it is read upwards.
    """
    import cv2

    width = max(1, int(max(np.linalg.norm(corners[0] - corners[1]), np.linalg.norm(corners[2] - corners[3]))))
    height = max(1, int(max(np.linalg.norm(corners[0] - corners[3]), np.linalg.norm(corners[1] - corners[2]))))
    upright = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    turn = cv2.getPerspectiveTransform(corners.astype(np.float32), upright)
    line = cv2.warpPerspective(picture, turn, (width, height), borderMode=cv2.BORDER_REPLICATE, flags=cv2.INTER_CUBIC)
    if height >= 1.5 * width:
        line, width, height = np.ascontiguousarray(np.rot90(line)), height, width
    wide = min(WIDEST, max(1, int(np.ceil(HEIGHT * width / height))))
    resized: NDArray[np.uint8] = cv2.resize(line, (wide, HEIGHT))
    return resized


def padded_width(width: int) -> int:
    """The width at which a line of `width` pixels is read; it depends on nothing else, so neither does its text."""
    step = STEP if width <= 320 else 2 * STEP if width <= 640 else 4 * STEP
    return max(NARROWEST, -(-width // step) * step)


def batches(widths: Sequence[int]) -> Iterator[list[int]]:
    """Positions in `widths` (padded ones) in batches of one width, the widest first.

    A batch has 1, 2, 4 or 8 lines, so that there are few shapes to compile.
    """
    of_width: dict[int, list[int]] = {}
    for at, width in enumerate(widths):
        of_width.setdefault(width, []).append(at)
    for width in sorted(of_width, reverse=True):
        left, size = of_width[width], LARGEST_BATCH
        while left:
            while size > len(left) or (size > 1 and size * width > BATCH_WIDTH):
                size //= 2
            yield left[:size]
            left = left[size:]


def batch_of(lines: Sequence[NDArray[np.uint8]], width: int) -> NDArray[np.float32]:
    """(B, 3, 48, width) in [-1, 1] of `lines` (48, W, 3), filled up with 0 on the right."""
    batch = np.zeros((len(lines), 3, HEIGHT, width), dtype=np.float32)
    for row, line in zip(batch, lines, strict=True):
        row[:, :, : line.shape[1]] = line.transpose(2, 0, 1)
        row[:, :, : line.shape[1]] *= np.float32(2 / 255)
        row[:, :, : line.shape[1]] -= 1
    return batch


class Recogniser:
    """The recognition network; any number of threads may call it at the same time."""

    def __init__(self, path: Path, precision: ResolvedPrecision, streams: int = 1) -> None:
        """Args:
        path: its ONNX file.
        precision: number format of its products.
        streams: calls that compute at the same time.
        """
        self._last_layer = Network(path, precision, streams=streams, change=only_last_layer)
        self._characters = [*self._last_layer.characters(), " "]
        self._usual = usual_classes(self._characters)
        self._network = Network(
            path, precision, streams=streams, change=lambda model: up_to_last_layer(model, self._usual)
        )

    def read(self, lines: Sequence[NDArray[np.uint8]], width: int) -> list[tuple[str, float]]:
        """Text and confidence of `lines` (48, W, 3), each at most `width` wide, which are read in one batch of that width.

        Confidence is the mean probability of the characters, 0 where there is none.
        """
        batch = batch_of(lines, width)
        classes, probabilities = self._network(batch, lambda seen: most_likely(seen, self._usual, self._last_layer))
        return [decoded(*line, self._characters) for line in zip(classes, probabilities, strict=True)]


def decoded(
    classes: NDArray[np.int64], probabilities: NDArray[np.float64], characters: Sequence[str]
) -> tuple[str, float]:
    """Text and mean probability of one line from the classes (T,) of its columns (CTC, read greedily)."""
    starts = starts_of(classes[None])[0]
    text = "".join(characters[at - 1] for at in classes[starts])
    return text, float(probabilities[starts].mean()) if text else 0.0
