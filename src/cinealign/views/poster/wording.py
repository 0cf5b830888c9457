"""Words out of lettering: an OCR engine runs neighbouring words together, and a lexicon tells where they part.

The lexicon is wordninja's: 126 thousand English words and names by how frequent they are. A word that is in its first
`COMMON` stays as it is; another one is parted where that gives known pieces only, and stays as it is otherwise.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wordninja import LanguageModel

COMMON = 60_000
"""Words of the lexicon that count as known; the rarer ones are mostly misspellings and initials."""
_SHORTEST_PARTED = 6
_MOST_PIECES = 4
_SHORT_WORDS = frozenset(
    "a i am an as at be by do go he if in is it me my no of on or so to up us we".split()  # noqa: SIM905
)
_LETTERS = re.compile("[a-z]+")


def parted(text: str) -> str:
    """`text` in lower case with single spaces, and with the words in it that ran together parted ("homealone")."""
    return " ".join(_LETTERS.sub(lambda word: _parted_word(word[0]), text.lower()).split())


def words(text: str) -> list[str]:
    """The runs of the letters a to z in `text`, in lower case."""
    return _LETTERS.findall(text.lower())


def known_share(text: str) -> float:
    """Share of the letters of `text` that stand in known words, 0 where it has none: near 0 for what was not read well."""
    found = words(text)
    letters = sum(map(len, found))
    return sum(len(word) for word in found if rank(word) < COMMON) / letters if letters else 0.0


def rank(word: str) -> int:
    """Place of `word` in the lexicon by frequency, 0 the most frequent; its length for a word that is not there."""
    ranks = _ranks()
    return ranks.get(word, len(ranks))


@cache
def _parted_word(word: str) -> str:
    if len(word) < _SHORTEST_PARTED or rank(word) < COMMON:
        return word
    pieces = _language_model().split(word)
    fits = len(pieces) <= _MOST_PIECES and all(len(piece) > 2 or piece in _SHORT_WORDS for piece in pieces)
    return " ".join(pieces) if fits else word


@cache
def _ranks() -> dict[str, int]:
    costs = _language_model()._wordcost  # the cost of a word grows with its rank
    return {word: place for place, word in enumerate(sorted(costs, key=costs.__getitem__))}


@cache
def _language_model() -> LanguageModel:
    import wordninja

    return wordninja.DEFAULT_LANGUAGE_MODEL
