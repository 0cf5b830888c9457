from __future__ import annotations

import pytest

from cinealign.views.poster.wording import COMMON, known_share, parted, rank, words


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        ("HOMEALONE", "home alone"),
        ("Farewelltothe  flesh", "farewell to the flesh"),
        ("the silence of the lambs", "the silence of the lambs"),
        ("It's 12 O'CLOCK", "it's 12 o'clock"),
        ("dogs", "dogs"),  # short enough to be one word
        ("xqzvkjwq", "xqzvkjwq"),  # no known pieces
        ("", ""),
    ],
)
def test_words_that_ran_together_are_parted(read: str, expected: str) -> None:
    assert parted(read) == expected


def test_other_scripts_stay() -> None:
    assert parted("泰坦尼克号 TITANIC") == "泰坦尼克号 titanic"


def test_known_share_counts_letters() -> None:
    assert known_share("home xqzvkjwq") == pytest.approx(4 / 12)
    assert known_share("home alone") == 1.0 and known_share("12 !") == 0.0


def test_ranks_are_by_frequency() -> None:
    assert rank("the") == 0 and rank("the") < rank("shark") < COMMON < rank("xqzvkjwq")
    assert words("Don't STOP, 2 go") == ["don", "t", "stop", "go"]
