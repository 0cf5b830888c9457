"""Own messages, tables and summaries in the language of the terminal: one file of phrases, looked up where they are printed.

A phrase of terminal.zh.yaml is a whole line, a cell or a summary; `*` in it stands for what differs from time to time. What
has no phrase stays English, so a message that is new is never lost.
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
    for pattern, told in _phrases():
        if found := pattern.fullmatch(text):
            pieces = told.split("*")
            return pieces[0] + "".join(said(part) + rest for part, rest in zip(found.groups(), pieces[1:], strict=True))
    return text


def phrases() -> dict[str, str]:
    """English -> Chinese, as in the file."""
    read: dict[str, str] = read_yaml(files("cinealign").joinpath("terminal.zh.yaml").read_text(encoding="utf-8"))
    return read


@cache
def _phrases() -> list[tuple[re.Pattern[str], str]]:
    """Whole phrases before those with gaps, and what says more before what says less."""
    words = phrases()
    order = sorted(words, key=lambda text: ("*" in text, text.count("*") - len(text)))
    return [(re.compile("(.*?)".join(map(re.escape, text.split("*"))), re.DOTALL), words[text]) for text in order]
