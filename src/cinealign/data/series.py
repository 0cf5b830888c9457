"""Which titles are parts of one series, by what they have in common."""

from __future__ import annotations

import re

_BRACKETS = re.compile(r"\s*\([^)]*\)")
_SUBTITLE = re.compile(r"[:：]| [-–—] ")
_FIRST_ARTICLE = re.compile(r"^(?:the|a|an) (?=\w)")
_LAST_ARTICLE = re.compile(r", (?:the|a|an)$")
_NUMBER = re.compile(
    r"[\s,]+(?:(?:part|chapter|episode|volume|vol\.?)\s+\w+|[2-9]|1[0-2]|(?:19|20)\d\d|ii|iii|iv|v|vi|vii|viii|ix)$"
)
_RAISED = str.maketrans({"²": " 2", "³": " 3", "⁴": " 4"})


def series_name(title: str) -> str:
    """What the parts of a series have in common, in lower case: "Rocky IV (1985)" gives "rocky", "Godfather, The" "godfather".

    Brackets, subtitle, English articles and the number of a part go; of a title of nothing else, such as "1984", all
    stays. A rule of thumb on titles alone: remakes of one name count as one series, and series whose parts are named
    differently ("Dr. No", "Goldfinger") are not found. A single I or X at the end ("Malcolm X") is taken for a name.
    """
    plain = _BRACKETS.sub("", title).translate(_RAISED).casefold().strip()
    name = _LAST_ARTICLE.sub("", _SUBTITLE.split(plain)[0].strip())
    name = _LAST_ARTICLE.sub("", _NUMBER.sub("", name).strip(" ,.!?'\""))
    return _FIRST_ARTICLE.sub("", name).strip(" ,.!?'\"") or title.strip().casefold()
