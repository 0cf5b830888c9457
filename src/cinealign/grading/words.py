"""What the desk writes, in the language of the teacher: labels by name, and its remarks by their pattern."""

from __future__ import annotations

from functools import cache

from cinealign.figures import Language
from cinealign.phrases import Phrasebook


def said(text: str, lang: Language) -> str:
    """`text` in `lang`. Gaps (`*` in words.zh.yaml) are kept; an error message of another room stays English."""
    return text if lang == "en" else _book().said(text)


@cache
def _book() -> Phrasebook:
    return Phrasebook("cinealign.grading", "words.zh.yaml")
