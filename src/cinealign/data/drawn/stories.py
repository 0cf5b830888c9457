"""Stories of the drawn catalogue: a genre, a title and an intro that know of each other, but not everything.

The title's word stands in the intro half of the time; else a synonym does, or nothing at all. So lettering tells much
about the intro without settling it, and so does the scene, which the intro's place belongs to.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

WORD_IN_INTRO, SYNONYM_IN_INTRO = 0.5, 0.3
SHARED_CONCEPT = 0.3
SECOND_GENRE = 0.5
MISLEADING_SCENE = 0.15
_DAYS = 28
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Story:
    """A movie before its poster is drawn. `lettering` is the title without its year; `scene` names what is painted."""

    title: str
    lettering: str
    genres: tuple[str, ...]
    scene: str
    palette_of: str
    release: str
    intro: str
    directors: tuple[str, ...]
    writers: tuple[str, ...]
    cast: tuple[str, ...]


@cache
def words() -> Mapping[str, Any]:
    """The lexicon and grammar in `words.yaml`."""
    content = files("cinealign.data.drawn").joinpath("words.yaml").read_text(encoding="utf-8")
    loaded: Mapping[str, Any] = yaml.safe_load(content)
    return loaded


def tell_story(dice: random.Random) -> Story:
    """One story; the same state of `dice` tells the same one."""
    lexicon = words()
    genre, second = dice.sample(sorted(lexicon["genres"]), 2)
    about = lexicon["genres"][genre]
    scene = dice.choice(sorted(about["scenes"]))
    place = dice.choice(about["scenes"][scene])
    first_word, first_words = _concept(dice, genre)
    second_word, second_words = _concept(dice, genre, besides=first_word)
    name = dice.choice(lexicon["names"])
    lettering = _title(dice, first_word, second_word, name)
    intro = _fill(
        dice.choice(about["plots"]),
        {
            "hero": dice.choice(about["heroes"]),
            "other": dice.choice(about["others"]),
            "place": place,
            "name": name,
            "c1": _in_intro(dice, genre, first_word, first_words),
            "c2": _in_intro(dice, genre, second_word, second_words),
        },
    )
    if dice.random() < MISLEADING_SCENE:
        scene = dice.choice(sorted(lexicon["genres"][second]["scenes"]))
    year = dice.randint(1934, 2000)
    return Story(
        title=f"{lettering} ({year})",
        lettering=lettering,
        genres=(genre, second) if dice.random() < SECOND_GENRE else (genre,),
        scene=scene,
        palette_of=second if dice.random() < MISLEADING_SCENE else genre,
        release=f"{dice.randint(1, _DAYS):02d} {dice.choice(_MONTHS)} {year}",
        intro=intro,
        directors=(_person(dice),),
        writers=tuple(dict.fromkeys(_person(dice) for _ in range(dice.randint(1, 3)))),
        cast=tuple(dict.fromkeys(_person(dice) for _ in range(dice.randint(2, 4)))),
    )


def _concept(dice: random.Random, genre: str, besides: str = "") -> tuple[str, list[str]]:
    """A word for the title and the words that may stand for it in the intro."""
    lexicon = words()
    source = lexicon["shared"] if dice.random() < SHARED_CONCEPT else lexicon["genres"][genre]["concepts"]
    word = dice.choice(sorted(set(source) - {besides}))
    return word, source[word]


def _in_intro(dice: random.Random, genre: str, word: str, synonyms: list[str]) -> str:
    chance = dice.random()
    if chance < WORD_IN_INTRO:
        return word.lower()
    if chance < WORD_IN_INTRO + SYNONYM_IN_INTRO:
        return dice.choice(synonyms)
    return _concept(dice, genre, besides=word)[0].lower()


def _title(dice: random.Random, first: str, second: str, name: str) -> str:
    adjective = dice.choice(words()["adjectives"])
    patterns = (
        f"The {first}",
        f"{first} and {second}",
        f"The {adjective} {first}",
        f"{adjective} {first}",
        f"{name} and the {first}",
        f"{first} of the {second}",
        f"Beyond the {first}",
        f"A {first} for {name}" if first[0] not in "AEIOU" else f"An {first} for {name}",
        f"{first} at Midnight",
        f"{first} Café",
    )
    return dice.choices(patterns, weights=(4, 3, 3, 3, 2, 2, 2, 2, 1, 1))[0]


def _fill(plot: str, slots: dict[str, str]) -> str:
    for concept in ("c1", "c2"):
        word = slots[concept]
        article = "an" if word[0].lower() in "aeiou" else "a"
        plot = plot.replace(f"{{a {concept}}}", f"{article} {word}").replace(f"{{the {concept}}}", f"the {word}")
    text = plot.format(**slots)
    return text[0].upper() + text[1:]


def _person(dice: random.Random) -> str:
    return f"{dice.choice(words()['names'])} {dice.choice(words()['surnames'])}"
