"""Words for nothing and several parts in one cell."""

from __future__ import annotations

import pytest

from cinealign.data.cells import is_nothing, joined_parts, parts_of, separator_of


@pytest.mark.parametrize("word", ["", " ", "NaN", "nan", "<NA>", "#N/A", "N/A", "\\N", "NaT", "#REF!"])
def test_nothing_in_any_column(word: str) -> None:
    assert is_nothing(word) and is_nothing(word, title=True)


@pytest.mark.parametrize("word", ["NA", "Null", "none", "NONE", "-", "?"])
def test_a_title_may_be_what_is_nothing_elsewhere(word: str) -> None:
    assert is_nothing(word) and not is_nothing(word, title=True)


@pytest.mark.parametrize(
    ("cell", "parts"),
    [
        ("Drama|Sci-Fi", ["Drama", "Sci-Fi"]),
        ('[{"id": 18, "name": "Drama"}, {"id": 8, "name": "Sci-Fi"}]', ["Drama", "Sci-Fi"]),
        ("[{'id': 18, 'name': 'Drama'}, {'id': 8, 'name': \"Rock'n'roll\"}]", ["Drama", "Rock'n'roll"]),
        ("['Drama', 'Sci-Fi']", ["Drama", "Sci-Fi"]),
        ("('Drama', 'Sci-Fi')", ["('Drama', 'Sci-Fi')"]),
        ("[Drama", ["[Drama"]),
        ("[unread]", ["[unread]"]),
        ("(no genres listed)", []),
        ("[]", []),
        ("N/A", []),
        ("__import__('os')", ["__import__('os')"]),
        ("[" * 5000 + "]" * 5000, ["[" * 5000 + "]" * 5000]),
    ],
)
def test_parts(cell: str, parts: list[str]) -> None:
    assert parts_of(cell) == parts


@pytest.mark.parametrize("parts", [["a", "b"], ["a|b", "c"], ["None"], ["[]"], [], ["['x']"], ["x, y"]])
def test_parts_come_back(parts: list[str]) -> None:
    assert parts_of(joined_parts(parts)) == parts


def test_commas_between_people() -> None:
    assert separator_of(["Ann Bee, Carl Dee", "Eve Fox"], people=True) == ","
    assert separator_of(["Lee, Ang", "Scott, Ridley"], people=True) == "|"
    assert parts_of("Robert Downey, Jr., Ann Bee", ",") == ["Robert Downey, Jr.", "Ann Bee"]
    assert separator_of(["['a, b']", "x;y"]) == ";"
