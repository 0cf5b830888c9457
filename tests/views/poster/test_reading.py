from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from cinealign.figures import cjk_font
from cinealign.views.poster.lines import bounds, covered
from cinealign.views.poster.reading.characters import FITS, most_likely, usual_classes
from cinealign.views.poster.reading.detection import boxes_in, clockwise, find_boxes
from cinealign.views.poster.reading.network import Network, model_paths
from cinealign.views.poster.reading.reader import letter_height
from cinealign.views.poster.reading.recognition import (
    BATCH_WIDTH,
    HEIGHT,
    LARGEST_BATCH,
    Recogniser,
    batches,
    cut_line,
    decoded,
    padded_width,
)
from cinealign.views.precision import ResolvedPrecision


def test_boxes_grow_around_what_the_map_shows() -> None:
    probabilities = np.zeros((60, 100), dtype=np.float32)
    probabilities[20:30, 10:60] = 0.9  # 50 x 10; dilated by one pixel to 51 x 11, whose rectangle measures 50 x 10
    probabilities[50:52, 80:82] = 0.9  # too small
    probabilities[40:46, 10:60] = 0.35  # lettering nowhere sure
    (corners,) = boxes_in(probabilities)
    growth = 1.6 * 50 * 10 / (2 * (50 + 10))
    left, top = corners.min(axis=0)
    right, bottom = corners.max(axis=0)
    np.testing.assert_allclose([right - left, bottom - top], [50 + 2 * growth, 10 + 2 * growth], atol=0.01)
    assert 9 <= (left + right) / 2 - 25 <= 10.5 and 24 <= (top + bottom) / 2 <= 25.5
    assert boxes_in(np.zeros((32, 32), np.float32)) == []


def test_corners_run_clockwise_from_the_upper_left() -> None:
    square = np.array([[0, 0], [9, 1], [8, 5], [1, 4]], dtype=np.float32)
    for turned in (square[[2, 0, 3, 1]], square[::-1], square):
        np.testing.assert_array_equal(clockwise(turned), square)


def test_boxes_are_in_the_pixels_of_the_picture() -> None:
    """A network that sees lettering in the left upper quarter, on pictures of any size."""
    seen = []

    def network(batch: np.ndarray) -> np.ndarray:
        seen.append(batch.shape)
        assert batch.min() >= -1 and batch.max() <= 1
        probabilities = np.zeros((1, 1, *batch.shape[2:]), dtype=np.float32)
        probabilities[:, :, 4 : batch.shape[2] // 2, 4 : batch.shape[3] // 2] = 1
        return probabilities

    picture = np.full((150, 100, 3), 255, dtype=np.uint8)
    (corners,) = find_boxes(picture, network)  # type: ignore[arg-type]
    assert corners[0].min() == 0 and corners[2][0] < 100 and corners[2][1] < 150
    find_boxes(picture, network, least_side=200)  # type: ignore[arg-type]
    assert seen == [(1, 3, 160, 96), (1, 3, 288, 192)]


def test_lines_are_cut_upright() -> None:
    picture = np.zeros((100, 200, 3), dtype=np.uint8)
    picture[20:40, 30:90] = (10, 20, 30)
    box = np.array([[30, 20], [90, 20], [90, 40], [30, 40]], dtype=np.float32)
    line = cut_line(picture, box)
    assert line.shape == (HEIGHT, 144, 3) and (line[10:-10, 10:-10] == (10, 20, 30)).all()
    tall = np.array([[30, 0], [50, 0], [50, 60], [30, 60]], dtype=np.float32)
    assert cut_line(picture, tall).shape == (HEIGHT, 144, 3)
    assert letter_height(tall) == 20 and letter_height(box) == 20


def test_the_padded_width_holds_the_line_and_comes_in_few_sizes() -> None:
    widths = [padded_width(width) for width in range(1, 3201)]
    assert all(width <= padded for width, padded in enumerate(widths, 1)) and len(set(widths)) < 40
    assert (widths[0], widths[63], widths[64], widths[320], widths[640]) == (64, 64, 96, 384, 768)


def test_every_line_is_in_one_batch_of_its_width() -> None:
    dice = np.random.default_rng(0)
    widths = [padded_width(int(width)) for width in dice.integers(1, 1500, 157)]
    together = list(batches(widths))
    assert sorted(at for rows in together for at in rows) == list(range(157))
    for rows in together:
        assert len({widths[at] for at in rows}) == 1 and len(rows) in (1, 2, 4, 8)
        assert len(rows) == 1 or len(rows) * widths[rows[0]] <= BATCH_WIDTH
    assert [widths[rows[0]] for rows in together] == sorted((widths[rows[0]] for rows in together), reverse=True)
    assert list(batches([])) == [] and [len(rows) for rows in batches([64] * 19)] == [LARGEST_BATCH] * 2 + [2, 1]


def test_decoding_drops_repeats_and_blanks() -> None:
    classes = np.array([1, 1, 0, 1, 3, 0, 2])
    probabilities = np.array([0.5, 0, 0, 1, 0.4, 0, 1])
    assert decoded(classes, probabilities, "abc") == ("aacb", pytest.approx((0.5 + 1 + 0.4 + 1) / 4))
    assert decoded(np.zeros(2, np.int64), np.zeros(2), "abc") == ("", 0.0)


class LastLayer:
    """(N, 5) logits of five classes from states that hold them; counts the columns that it is asked for."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, states: NDArray[np.float32], take: Callable[[NDArray[np.float32]], Any]) -> Any:
        self.asked += int((states != 0).any(axis=1).sum())
        return take(states)


def test_all_classes_are_computed_where_a_character_begins_or_no_usual_one_fits() -> None:
    usual = np.array([0, 2, 4])
    logits = np.zeros((1, 7, 5), dtype=np.float32)
    for column, at in enumerate([2, 2, 0, 4, 3, 3, 0]):  # 3 is none of the usual classes
        logits[0, column, at] = 20
    logits[0, 6, 0] = FITS
    last_layer = LastLayer()
    seen = np.concatenate([logits[..., usual], logits], axis=2)
    classes, probabilities = most_likely(seen, usual, last_layer)  # type: ignore[arg-type]
    assert classes.tolist() == [[2, 2, 0, 4, 3, 3, 0]]
    sure = 1 / (1 + 4 * np.exp(-20))
    assert probabilities[0] == pytest.approx([sure, 0, 0, sure, sure, 0, 0])
    assert last_layer.asked == 4  # the beginnings of 2 and 4, and both columns of 3


def test_usual_characters_are_latin_ones_and_marks() -> None:
    assert usual_classes(["a", "é", "片", "7", "-", "一", "。", "ж", "ab", "a片", " "]).tolist() == [
        *(0, 1, 2, 4, 5, 6, 7, 9, 11)
    ]


def drawn_lines() -> list[NDArray[np.uint8]]:
    dice = np.random.default_rng(0)
    lines = [dice.integers(0, 256, (HEIGHT, width, 3), dtype=np.uint8) for width in (60, 96)]
    font = ImageFont.truetype(str(cjk_font()), 34)
    for text in ("一部1994年的电影", "HERO 英雄", "千と千尋", "ΖΟΡΜΠΑΣ", "Amélie Poulain"):
        picture = Image.new("RGB", (int(font.getlength(text)) + 12, HEIGHT), (20, 40, 60))
        ImageDraw.Draw(picture).text((6, -4), text, font=font, fill=(240, 230, 200))
        lines.append(np.asarray(picture))
    return lines


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_columns_are_read_as_the_whole_network_reads_them(precision: ResolvedPrecision) -> None:
    path = model_paths()["Rec"]
    whole, recogniser = Network(path, precision), Recogniser(path, precision)
    characters = [*whole.characters(), " "]
    read = []
    for line in drawn_lines():
        width = padded_width(line.shape[1])
        batch = np.zeros((1, 3, HEIGHT, width), np.float32)
        batch[0, :, :, : line.shape[1]] = line.transpose(2, 0, 1) * np.float32(2 / 255) - 1
        probabilities = whole(batch)[0]
        classes = probabilities.argmax(axis=1)
        starts = (classes != 0) & (np.append(-1, classes[:-1]) != classes)
        text = "".join(characters[at - 1] for at in classes[starts])
        found, confidence = recogniser.read([line], width)[0]
        assert found == text
        assert confidence == pytest.approx(probabilities.max(axis=1)[starts].mean() if text else 0, abs=0.01)
        read.append(found)
    assert "英雄" in read[3] and "Poulain" in read[6]


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_line_reads_the_same_in_any_batch(precision: ResolvedPrecision) -> None:
    recogniser = Recogniser(model_paths()["Rec"], precision, streams=2)
    dice = np.random.default_rng(0)
    lines = [dice.integers(0, 256, (HEIGHT, width, 3), dtype=np.uint8) for width in (60, 96, 80, 70, 33)]
    alone = [recogniser.read([line], 96)[0] for line in lines]
    for size in (2, 4, 5):
        assert recogniser.read(lines[:size], 96) == alone[:size]


def test_boxes_cover_each_other() -> None:
    assert bounds([(0.2, 0.1), (0.5, 0.0), (0.6, 0.3), (0.1, 0.2)]) == (0.1, 0.0, 0.6, 0.3)
    assert covered((0, 0, 1, 1), (0.5, 0, 1.5, 0.5)) == pytest.approx(0.5)
    assert covered((0, 0, 1, 1), (2, 2, 3, 3)) == 0 and covered((0, 0, 0, 1), (0, 0, 1, 1)) == 0
