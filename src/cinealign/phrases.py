"""Own messages, tables and summaries in the language of the terminal: one file of phrases, looked up where they are printed.

A phrase of terminal.zh.yaml is a whole line, a cell or a summary; `*` in it stands for what differs from time to time and `#`
for a number. What has no phrase stays English, so a message that is new is never lost.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from cinealign.plain_yaml import read_yaml

LANGUAGES = ("en", "zh")
VARIABLE = "CINEALIGN_LANG"
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


def _pattern(piece: str) -> str:
    return _GAPS.get(piece) or re.escape(piece)


class Phrasebook:
    """Phrases in English and what they are in another language, from a YAML file.

    Attributes:
        words: phrase -> phrase; each `*` stands for any text and each `#` for a number, the same number of them on both sides.
    """

    def __init__(self, package: str, file: str) -> None:
        self.words: dict[str, str] = read_yaml(files(package).joinpath(file).read_text(encoding="utf-8"))
        # Whole phrases before those with gaps, and what says more before what says less.
        order = sorted(self.words, key=lambda text: ("*" in text, len(_PLACE.findall(text)) - len(text)))
        self._patterns: list[tuple[re.Pattern[str], str]] = [
            (re.compile("".join(map(_pattern, _GAP.split(text))), re.DOTALL), self.words[text]) for text in order
        ]

    def said(self, text: str) -> str:
        """`text` in the other language, what stands in a gap as well; as it is where no phrase fits."""
        for pattern, told in self._patterns:
            if found := pattern.fullmatch(text):
                first, *rest = _PLACE.split(told)
                return first + "".join(self.said(gap) + piece for gap, piece in zip(found.groups(), rest, strict=True))
        return text


@cache
def _book() -> Phrasebook:
    return Phrasebook("cinealign", "terminal.zh.yaml")
