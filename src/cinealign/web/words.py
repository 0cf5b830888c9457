"""The languages of the pages: English in the templates and messages, Chinese in words.zh.yaml and messages.zh.yaml."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

from starlette.requests import Request

from cinealign.figures import LANGUAGES, Language
from cinealign.phrases import Phrasebook

COOKIE = "cinealign_lang"
NAMES = {"held_out": "held-out"}
"""Names that files have for things, as English pages say them."""


def language_of(request: Request, usual: Language | None) -> Language:
    """What its reader has chosen, else what the server was started with, else what the browser asks for."""
    chosen = request.cookies.get(COOKIE)
    for lang in LANGUAGES:
        if chosen == lang:
            return lang
    if usual is not None:
        return usual
    asked = request.headers.get("accept-language", "")
    return "zh" if asked.strip().lower().startswith("zh") else "en"


def translator(lang: Language) -> Callable[..., str]:
    """A function that gives an English text in `lang`, with values in its places."""

    def told(text: str, **values: Any) -> str:
        found = chinese().get(text, text) if lang == "zh" else NAMES.get(text, text)
        return found.format(**values) if values else found

    return told


def told_in(lang: Language, message: str) -> str:
    """A message of the library in the language of a page; in English where messages.zh.yaml does not know it."""
    return _messages().said(message) if lang == "zh" else message


@cache
def _messages() -> Phrasebook:
    return Phrasebook("web/messages.zh.yaml")


@cache
def chinese() -> dict[str, str]:
    """English text -> Chinese text."""
    import yaml

    text = files("cinealign").joinpath("web/words.zh.yaml").read_text(encoding="utf-8")
    known: dict[str, str] = yaml.safe_load(text)
    return known
