"""The words of a movie's own title, taken out of its intro and out of the lettering of its poster."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from cinealign.data.intros import tokens

_YEAR = re.compile(r"\s*\(\s*\d{4}[^)]*\)\s*$")
_WORD = re.compile(r"[^\W_]+(?:['’`][^\W_]+)*")
NEAR = 0.8
"""How alike a word that OCR has read and a word of the title must be, 1 being equal, to be taken for it."""
SHORTEST = 3
"""Letters of the shortest word that is looked for inside the title written without spaces."""


def title_stems(title: str) -> frozenset[str]:
    """Stems of the content words of a title, its year left out: "Usual Suspects, The (1995)" gives usual, suspect."""
    return frozenset(tokens(_YEAR.sub("", title)))


def without_title(intro: str, title: str) -> str:
    """`intro` without the words that share their stem with a content word of `title`; the same text where none does."""
    stems = title_stems(title)
    kept = _WORD.sub(lambda found: "" if stems.intersection(tokens(found[0], stop_words=False)) else found[0], intro)
    return intro if kept == intro else " ".join(kept.split())


def lettering_without_title(lettering: str, title: str) -> str:
    """The words read on a poster without those that are, or are near, words of `title`, run together or misread.

    A word goes if its letters are nearly those of a word of the title (`NEAR`), if they occur in the title written
    without spaces ("GODFATHER" and "FATHER" of "Godfather, The"), or if that title or a long word of it occurs in them
    ("THEGODFATHERPARTII").
    """
    words = [_letters(word) for word in _WORD.findall(_YEAR.sub("", title))]
    run_together = "".join(words)
    long_words = [word for word in (*words, run_together) if len(word) > SHORTEST + 1]

    def of_title(word: str) -> bool:
        letters = _letters(word)
        if len(letters) >= SHORTEST and letters in run_together:
            return True
        if any(word in letters for word in long_words):
            return True
        return any(
            letters == word or (len(word) >= SHORTEST and SequenceMatcher(None, letters, word).ratio() >= NEAR)
            for word in words
        )

    return " ".join(word for word in lettering.split() if not of_title(word))


def _letters(word: str) -> str:
    return "".join(c for c in word.lower() if c.isalnum())
