"""Own messages, tables and summaries in the language of the terminal: files of phrases, looked up where they are printed.

A phrase is a whole line, a cell or a summary; `*` in it stands for what differs from time to time and `#`
for a number. What has no phrase stays English, so a message that is new is never lost.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from cinealign.plain_yaml import read_yaml

LANGUAGES = ("en", "zh")
VARIABLE = "CINEALIGN_LANG"
TERMINAL = (
    "terminal.zh.yaml",
    "audit/findings.zh.yaml",
    "data/importing/messages.zh.yaml",
    "grading/words.zh.yaml",
)
"""Files of what the terminal says: each long story in the room that tells it."""
LOCALES = ("LC_ALL", "LC_MESSAGES", "LANG")
"""Asked in this order, as gettext does; the first that is set decides."""

_PLACE = re.compile(r"[*#]")
_GAP = re.compile(r"([*#])")
_GAPS = {"*": "(.*?)", "#": r"([+-]?\d[\d.,]*)"}

_chosen = LANGUAGES[0]


def locale_language(environ: Mapping[str, str]) -> str:
    """The language that CINEALIGN_LANG names, else that of the locale: zh where it begins so, else en."""
    given = next((environ[name] for name in (VARIABLE, *LOCALES) if environ.get(name)), "")
    return "zh" if given.lower().startswith("zh") else "en"


def use_language(lang: str) -> None:
    """From now on `word` speaks `lang`, en or zh."""
    global _chosen
    _chosen = lang


def word(text: str) -> str:
    """`text` in the language in use; blanks around it stay."""
    if _chosen == "en" or not text.strip():
        return text
    bare = text.strip()
    told = said(bare)
    return text if told == bare else text.replace(bare, told)


def said(text: str) -> str:
    """`text` in Chinese, what stands in a gap as well; as it is where no phrase fits."""
    return _book().said(text)


def phrases() -> dict[str, str]:
    """English -> Chinese, as in the file."""
    return _book().words


@dataclass(frozen=True)
class _Phrase:
    """A phrase with gaps; its pattern is compiled where a text has its beginning and its end."""

    text: str
    told: str

    def fit(self, text: str) -> re.Match[str] | None:
        first, *_, last = _PLACE.split(self.text)
        if not (text.startswith(first) and text.endswith(last)):
            return None
        return _compiled(self.text).fullmatch(text)


@cache
def _compiled(phrase: str) -> re.Pattern[str]:
    return re.compile("".join(_GAPS.get(piece) or re.escape(piece) for piece in _GAP.split(phrase)), re.DOTALL)


class Phrasebook:
    """Phrases in English and what they are in another language, from YAML files of this package.

    Args:
        places: files; where two have one phrase, the first counts.
    Attributes:
        words: phrase -> phrase; each `*` stands for any text and each `#` for a number, the same number of them on both sides.
    """

    def __init__(self, *places: str) -> None:
        self.words: dict[str, str] = {}
        for place in reversed(places):
            self.words |= read_yaml(files("cinealign").joinpath(place).read_text(encoding="utf-8"))
        # What is sure of its beginning and says more goes first; a phrase without gaps is looked up.
        order = sorted(self.words, key=lambda t: ("*" in t, t.startswith("*"), len(_PLACE.findall(t)) - len(t)))
        self._phrases = [_Phrase(text, self.words[text]) for text in order if _PLACE.search(text)]

    def said(self, text: str) -> str:
        """`text` in the other language, what stands in a gap as well; as it is where no phrase fits."""
        if text in self.words and not _PLACE.search(text):
            return self.words[text]
        for phrase in self._phrases:
            if found := phrase.fit(text):
                first, *rest = _PLACE.split(phrase.told)
                return first + "".join(self.said(gap) + piece for gap, piece in zip(found.groups(), rest, strict=True))
        return text


@cache
def _book() -> Phrasebook:
    return Phrasebook(*TERMINAL)
