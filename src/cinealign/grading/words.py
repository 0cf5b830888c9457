"""What the desk writes, in the language of the teacher: labels by name, and its remarks by their pattern."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

from cinealign.figures import Language
from cinealign.plain_yaml import read_yaml


def said(text: str, lang: Language) -> str:
    """`text` in `lang`. Gaps (`*` in words.zh.yaml) are kept; an error message of another room stays English."""
    if lang == "en":
        return text
    for pattern, told in _phrases():
        if found := pattern.fullmatch(text):
            return told.replace("*", "{}").format(*(said(part, lang) for part in found.groups()))
    return text


@cache
def _phrases() -> list[tuple[re.Pattern[str], str]]:
    """Whole phrases before those with gaps, longer ones first."""
    words: dict[str, str] = read_yaml(files("cinealign.grading").joinpath("words.zh.yaml").read_text(encoding="utf-8"))
    order = sorted(words, key=lambda text: (text.count("*"), -len(text)))
    return [(re.compile("(.*?)".join(map(re.escape, text.split("*"))), re.DOTALL), words[text]) for text in order]
