"""The scripts that texts are written in, told from their letters."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

WITHOUT_BLANKS = frozenset({"Han", "Kana", "Thai", "Lao", "Khmer", "Myanmar"})
"""Scripts that put no blank between words."""
_BY_NAME = (
    ("CJK", "Han"),
    ("HIRAGANA", "Kana"),
    ("KATAKANA", "Kana"),
    ("HALFWIDTH KATAKANA", "Kana"),
    ("IDEOGRAPHIC", "Han"),
    ("HANGUL", "Hangul"),
    ("FULLWIDTH LATIN", "Latin"),
)


def letters_of(text: str) -> str:
    """The letters of `text` without digits, marks and blanks."""
    return "".join(c for c in text if c.isalpha())


@lru_cache(maxsize=20_000)
def script_of_letter(letter: str) -> str:
    """The script of one letter, by the beginning of its Unicode name: "Latin", "Han", "Kana", "Cyrillic" ..."""
    name = unicodedata.name(letter, "")
    for beginning, script in _BY_NAME:
        if name.startswith(beginning):
            return script
    return name.partition(" ")[0].capitalize() or "Unknown"


def reads_without_blanks(letter: str) -> bool:
    """Whether the letter's script puts no blank between words."""
    return script_of_letter(letter) in WITHOUT_BLANKS


def script_of(text: str) -> str:
    """The script of most letters of `text`; "none" where it has no letter.

    Han characters beside any kana count as Japanese ("Kana"), which mixes both.
    """
    if text.isascii():
        return "Latin" if any(c.isalpha() for c in text) else "none"
    counts = Counter(script_of_letter(letter) for letter in letters_of(text))
    if not counts:
        return "none"
    if counts["Kana"]:
        counts["Kana"] += counts.pop("Han", 0)
    return max(counts, key=lambda script: (counts[script], script))


def scripts_of(texts: Iterable[str]) -> dict[str, int]:
    """How many texts are written in which script, the most frequent first."""
    return dict(Counter(map(script_of, texts)).most_common())
