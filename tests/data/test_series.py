from __future__ import annotations

import pytest

from cinealign.data.series import series_name


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Rocky IV (1985)", "rocky"),
        ("Rocky V (1990)", "rocky"),
        ("Godfather: Part II, The (1974)", "godfather"),
        ("Godfather, The (1972)", "godfather"),
        ("The Godfather", "godfather"),
        ("Fly II, The (1989)", "fly"),
        ("Karate Kid, Part II, The (1986)", "karate kid"),
        ("NeverEnding Story II: The Next Chapter, The (1990)", "neverending story"),
        ("Back to the Future Part III (1990)", "back to the future"),
        ("Friday the 13th Part 3: 3D (1982)", "friday the 13th"),
        ("Hot Shots! Part Deux (1993)", "hot shots"),
        ("Mad Max 2 (a.k.a. The Road Warrior) (1981)", "mad max"),
        ("Die Hard 2 (1990)", "die hard"),  # no German article
        ("Die Hard: With a Vengeance (1995)", "die hard"),
        ("Alien³ (1992)", "alien"),
        ("Airplane! (1980)", "airplane"),
        ("Airport 1975 (1974)", "airport"),
        ("Three Colors: Red (1994)", "three colors"),
        ("A", "a"),
        ("A (1998)", "a"),
        ("1984 (1956)", "1984"),
        ("2010 (1984)", "2010"),
        ("Malcolm X (1992)", "malcolm x"),
        ("Apollo 13 (1995)", "apollo 13"),
        ("Fahrenheit 451 (1966)", "fahrenheit 451"),
        ("Boys, Les (1997)", "boys, les"),
        ("(500) Days of Summer (2009)", "days of summer"),
        ("(1999)", "(1999)"),
        ("三国演义：第二部", "三国演义"),
    ],
)
def test_series_are_named_by_what_their_titles_share(title: str, name: str) -> None:
    assert series_name(title) == name


def test_other_titles_stay_apart() -> None:
    titles = ["Alien (1979)", "Aliens (1986)", "Heat (1995)", "Malcolm X (1992)", "1984 (1984)", "Se7en (1995)"]
    assert len({series_name(title) for title in titles}) == len(titles)
