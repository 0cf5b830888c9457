from __future__ import annotations

from cinealign.views.poster.ocr import Line
from cinealign.views.poster.readings import merged


def line(text: str, y: float, confidence: float = 0.9, x: float = 0.1, width: float = 0.5) -> Line:
    box = ((x, y), (x + width, y), (x + width, y + 0.1), (x, y + 0.1))
    return Line(text, confidence, box, 0.1)


def test_one_reading_keeps_lines_that_lie_on_each_other() -> None:
    lines = [line("sudden", 0.5), line("death", 0.51)]
    assert merged([lines]) == lines and merged([lines, []]) == lines


def test_a_clearly_better_reading_replaces_and_gaps_are_filled() -> None:
    first = [line("MANFY", 0.2, 0.64), line("train", 0.6, 0.99)]
    second = [line("MONEY", 0.21, 0.95), line("traln", 0.6, 0.97), line("the fast track", 0.4)]
    assert [found.text for found in merged([first, second])] == ["MONEY", "the fast track", "train"]


def test_about_as_good_is_not_better() -> None:
    assert merged([[line("stars", 0.2, 0.9)], [line("stare", 0.2, 0.99)]])[0].text == "stars"


def test_known_words_count_beside_confidence() -> None:
    assert merged([[line("sxxrs", 0.2, 0.9)], [line("stars", 0.2, 0.8)]])[0].text == "stars"


def test_a_piece_does_not_replace_the_whole() -> None:
    whole, piece = line("money train", 0.2, 0.8), line("money", 0.2, 0.99, width=0.2)
    assert merged([[whole], [piece]]) == [whole]


def test_one_line_can_replace_two_pieces() -> None:
    pieces = [line("mon", 0.2, 0.5, width=0.2), line("tra", 0.2, 0.5, x=0.35, width=0.2)]
    assert [found.text for found in merged([pieces, [line("money train", 0.2, 0.95)]])] == ["money train"]
