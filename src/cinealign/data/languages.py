"""The language of a text, told from its script and its function words; "unclear" rather than a guess.

Made for blurbs of a sentence or more. Of a few words, or of a language that function_words.txt does not have, it says only the
script.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files

from cinealign.data.scripts import script_of

BY_SCRIPT = {
    "Han": "Chinese",
    "Kana": "Japanese",
    "Hangul": "Korean",
    "Greek": "Greek",
    "Hebrew": "Hebrew",
    "Thai": "Thai",
    "Georgian": "Georgian",
    "Armenian": "Armenian",
}
"""Scripts that name a language, for most texts at least."""
NO_LETTER = "no letter"
_LEAST_HITS = 2
_WORD = re.compile(r"[^\W\d_]+")


def language_of(text: str) -> str:
    """A language's English name; else "unclear (Latin)" with the script; `NO_LETTER` where there is none.

    The script decides where it stands for one language. Otherwise the language wins that has the most function words
    in the text, if they are at least two and more than any other language's.
    """
    script = script_of(text)
    if script == "none":
        return NO_LETTER
    if script in BY_SCRIPT:
        return BY_SCRIPT[script]
    words = _WORD.findall(text.lower())
    hits = Counter({name: sum(word in known for word in words) for name, known in function_words().items()})
    (first, most), (_, second) = hits.most_common(2)
    return first if most >= _LEAST_HITS and most > second else f"unclear ({script})"


def languages_of(texts: Iterable[str]) -> dict[str, int]:
    """How many texts are in which language, the most frequent first."""
    return dict(Counter(map(language_of, texts)).most_common())


@cache
def function_words() -> Mapping[str, frozenset[str]]:
    """The words of `function_words.txt` by language."""
    listing = files("cinealign.data").joinpath("function_words.txt").read_text(encoding="utf-8")
    lines = (line.partition(":") for line in listing.splitlines() if line and not line.startswith("#"))
    return {name: frozenset(words.split()) for name, _, words in lines}
