"""The report's sentences: YAML in both languages, with places for facts, put together without ever running anything.

In a text, `{name}` or `{name:spec}` is a place for a value, `$...$` a formula in Typst's notation, `*...*` strong,
backquotes code, and `[@key]` a reference. Values are put in after this was read, so they cannot bring any markup.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from cinealign.figures import Language, label_of
from cinealign.report.facts import Fact, Span, Text

Value = Fact | str | Sequence[Span]
"""What a place takes: a fact, words, or text that is made already."""

_PIECE = re.compile(
    r"(?P<math>\$[^$]+\$)|(?P<strong>\*[^*]+\*)|(?P<code>`[^`]+`)|(?P<cite>\[@[\w-]+\])"
    r"|\{(?P<name>\w+)(?::(?P<spec>[^{}]*))?\}"
)

_FULL_WIDTH = "，。；：、！？（）“”"
_HAN = "\u4e00-\u9fff"


_MOVIE = re.compile(r"(?<![\w{`/])(?P<plural>movies)|(?<![\w{`/])movie(?![\w`}])", re.IGNORECASE)
_CHINESE_NOUNS = {
    **{"book": ("本", "书"), "album": ("张", "专辑"), "game": ("款", "游戏"), "product": ("件", "商品")},
    **{"flag": ("面", "旗帜"), "painting": ("幅", "画作")},
}
"""Measure word and noun for what an import may call a thing; any other is 个条目."""


class Texts:
    """The texts of one language, found by their keys with dots between."""

    def __init__(self, lang: Language, noun: str = "movie") -> None:
        """Args:
        lang: of the texts.
        noun: what one thing of the data is called.
        """
        self.lang, self.noun = lang, noun
        self.tree = _tree(lang)

    def raw(self, key: str) -> Any:
        """What stands at `key`, as written."""
        found: Any = self.tree
        for part in key.split("."):
            found = found[int(part)] if isinstance(found, list) else found[part]
        return found

    def has(self, key: str) -> bool:
        """Whether there is a text at `key`."""
        try:
            self.raw(key)
        except (KeyError, TypeError):
            return False
        return True

    def say(self, key: str, **values: Value) -> Text:
        """The text at `key` with `values` in their places; every place must get one."""
        text = self.raw(key)
        assert isinstance(text, str), f"{key} is no text"
        line = speaking_of(self.noun, " ".join(text.split()), self.lang)
        return spans(_without_gaps(line) if self.lang == "zh" else line, values)

    def word(self, key: str) -> str:
        """The text at `key`, which is a plain word or two."""
        return speaking_of(self.noun, str(self.raw(key)), self.lang)

    def named(self, group: str, name: str) -> str:
        """What `name` is called, by the list at `group`, else as in figures, where it stays as it is in the end."""
        return str(self.raw(group).get(name) or label_of(name, self.lang))

    def called(self, fact: Fact) -> Text:
        """What a name that the analysis uses is called in this language; as it is where there is no other word."""
        name = label_of(fact.value, self.lang)
        return (fact.span(),) if name == fact.value else (Span(name),)

    def list(self, entries: Sequence[Value], last: str = "words.and", between: str = "words.comma") -> Text:
        """Entries as one enumeration: "a, b and c"; `last` and `between` are keys of what stands between them."""
        made: list[Span] = []
        for at, entry in enumerate(entries):
            if at:
                made.append(Span(self.word(last if at == len(entries) - 1 else between)))
            made += _value(entry, "")
        return tuple(made)

    def series(self, entries: Sequence[Value]) -> Text:
        """Longer entries, which have commas of their own: "a; b; c"."""
        return self.list(entries, "words.semicolon", "words.semicolon")


def speaking_of(noun: str, text: str, lang: Language) -> str:
    """`text`, which speaks of movies, about things called `noun`; places and code stay as they are."""
    if noun == "movie":
        return text
    if lang == "zh":
        measure, thing = _CHINESE_NOUNS.get(noun, ("个", "条目"))
        counted = re.sub(r"部(?=电影)|(?<=\} )部", measure, text)
        return counted.replace("电影", thing)

    def named(found: re.Match[str]) -> str:
        word = plural(noun) if found["plural"] else noun
        return word.capitalize() if found[0][0].isupper() else word

    return _MOVIE.sub(named, text)


def plural(noun: str) -> str:
    """Several of a thing called `noun`, by the usual rules of English."""
    if re.search(r"[^aeiou]y$", noun):
        return f"{noun[:-1]}ies"
    return f"{noun}es" if re.search(r"(?:s|x|z|ch|sh)$", noun) else f"{noun}s"


def spans(text: str, values: Mapping[str, Value]) -> Text:
    """`text` in its pieces, with the values put in."""
    made: list[Span] = []
    at = 0
    for piece in _PIECE.finditer(text):
        if piece.start() > at:
            made.append(Span(text[at : piece.start()]))
        at = piece.end()
        if piece["math"]:
            made.append(Span(piece["math"][1:-1], "math"))
        elif piece["code"]:
            made += [replace(span, kind="code") for span in spans(piece["code"][1:-1], values)]
        elif piece["cite"]:
            made.append(Span(piece["cite"][2:-1], "cite"))
        elif piece["strong"]:
            made += [replace(span, kind="strong") for span in spans(piece["strong"][1:-1], values)]
        else:
            made += _value(values[piece["name"]], piece["spec"] or "")
    if at < len(text):
        made.append(Span(text[at:]))
    return tuple(made)


def _without_gaps(line: str) -> str:
    """A Chinese text whose line ends left spaces behind: none next to full-width marks and between Chinese characters."""
    line = re.sub(rf"(?<=[{_FULL_WIDTH}]) | (?=[{_FULL_WIDTH}])", "", line)
    return re.sub(rf"(?<=[{_HAN}]) (?=[{_HAN}])", "", line)


def _value(value: Value, spec: str) -> list[Span]:
    if isinstance(value, Fact):
        return [value.span(spec)]
    return [Span(value)] if isinstance(value, str) else list(value)


@cache
def _tree(lang: Language) -> dict[str, Any]:
    text = files("cinealign.report").joinpath("texts", f"{lang}.yaml").read_text(encoding="utf-8")
    tree: dict[str, Any] = yaml.safe_load(text)
    return tree
