from __future__ import annotations

import numpy as np

from cinealign.views.poster.ocr import Line
from cinealign.views.poster.title_lines import FEATURES, line_features, pairs, title_lines, title_probabilities


def line(text: str, y: float, height: float, confidence: float = 0.97, width: float = 0.6) -> Line:
    box = ((0.2, y), (0.2 + width, y), (0.2 + width, y + height), (0.2, y + height))
    return Line(text, confidence, box, height)


POSTER = [
    line("KEVIN COSTNER", 0.05, 0.03),
    line("He had everything to lose.", 0.15, 0.025, 0.9),
    line("DANCES", 0.6, 0.11),
    line("WITH WOLVES", 0.72, 0.1),
    line("A film by Kevin Costner", 0.95, 0.02, 0.8),
]


def test_large_common_words_low_on_the_poster_are_the_title() -> None:
    assert title_lines(POSTER) == [False, False, True, True, False]


def test_without_a_likely_line_the_likeliest_is_the_title() -> None:
    credits = [line("qwtr dsk", 0.02, 0.02, 0.5), line("zzkl", 0.04, 0.015, 0.4)]
    probabilities = title_probabilities(credits)
    assert probabilities.max() < 0.4 and sum(title_lines(credits)) == 1


def test_nothing_read() -> None:
    assert title_lines([]) == [] and title_probabilities([]).shape == (0,)


def test_one_line_alone_has_finite_features() -> None:
    features = line_features([Line("", 0.0, ((0.0, 0.0),) * 4, 0.0)])
    assert features.shape == (1, len(FEATURES)) and np.isfinite(features).all()


def test_order_of_the_lines_does_not_matter() -> None:
    turned = title_probabilities(POSTER[::-1])[::-1]
    np.testing.assert_allclose(turned, title_probabilities(POSTER))


def test_products_of_any_two() -> None:
    assert pairs(np.array([[2.0, 3.0]])).tolist() == [[2, 3, 4, 6, 9]]
