from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from cinealign.figures import LANGUAGES, Language
from cinealign.report.facts import Fact, Span, plain
from cinealign.report.texts import Texts, plural, spans, speaking_of

PLACES = re.compile(r"\{(\w+)(?::[^{}]*)?\}")


def leaves(tree: Any, path: str = "") -> dict[str, str]:
    if isinstance(tree, dict):
        return {key: text for name, inner in tree.items() for key, text in leaves(inner, f"{path}.{name}").items()}
    if isinstance(tree, list):
        return {key: text for at, inner in enumerate(tree) for key, text in leaves(inner, f"{path}.{at}").items()}
    return {path: str(tree)}


def test_both_languages_say_the_same_things() -> None:
    """Every key and every place of one is in the other; names that one language needs no word for may be left out."""
    english, chinese = (leaves(Texts(lang).tree) for lang in ("en", "zh"))
    translated = re.compile(r"^\.(drops|slice_attributes|downstream\.(tasks|methods|measures))\b")
    assert {key for key in english if not translated.match(key)} == {
        key for key in chinese if not translated.match(key)
    }
    for key in english.keys() & chinese.keys():
        assert set(PLACES.findall(english[key])) == set(PLACES.findall(chinese[key])), key
        formulas = [re.findall(r"\$[^$]+\$", re.sub('"[^"]*"', "", text[key])) for text in (english, chinese)]
        assert sorted(formulas[0]) == sorted(formulas[1]), key


def test_cited_works_are_known() -> None:
    from importlib.resources import files

    works = yaml.safe_load(files("cinealign.report").joinpath("texts", "references.yaml").read_text(encoding="utf-8"))
    for lang in ("en", "zh"):
        cited = set(re.findall(r"\[@([\w-]+)\]", "\n".join(leaves(Texts(lang).tree).values())))
        assert cited and cited <= set(works), lang


def test_marks_become_spans() -> None:
    fact = Fact({"n": 1234}, "x.json")
    made = spans("*N = {n:,d}* in `{what}`, $x_i$ [@cca].", {"n": fact["n"], "what": "D"})
    assert made == (
        Span("N = ", "strong"),
        Span("1,234", "strong", "x.json/n", ",d"),
        Span(" in "),
        Span("D", "code"),
        Span(", "),
        Span("x_i", "math"),
        Span(" "),
        Span("cca", "cite"),
        Span("."),
    )


def test_values_bring_no_marks() -> None:
    nasty = "*a* $b$ `c` [@d] {e} #import"
    assert spans("{title}!", {"title": nasty}) == (Span(nasty), Span("!"))
    with pytest.raises(KeyError):
        spans("{missing}", {})


def test_lists_and_chinese_line_ends() -> None:
    english, chinese = Texts("en"), Texts("zh")
    assert plain(english.list(["a", "b", "c"])) == "a, b and c" and plain(english.list([])) == ""
    assert plain(english.series(["a", "b", "c"])) == "a; b; c"
    assert plain(chinese.list(["甲", "乙", "丙"])) == "甲、乙和丙"
    assert plain(chinese.say("data.intros")).count(" ") == 2  # around HTML, where the text has them
    assert ". " in plain(english.say("data.read", read="a", n="b"))


def test_the_noun_of_the_data_is_taken() -> None:
    said = plain(Texts("en", "story").say("subtitle.run", recipe="r", n=Fact(120, "x"), train=Fact(60, "x")))
    assert said == "Recipe r on 120 stories, 60 of them for training"
    said = plain(Texts("zh", "book").say("subtitle.run", recipe="r", n=Fact(120, "x"), train=Fact(60, "x")))
    assert said == "配方 r，120 本书，其中 60 本用于训练"
    assert speaking_of("flag", "`movie` {movies:,d} movies. Movies of MovieLens", "en") == (
        "`movie` {movies:,d} flags. Flags of MovieLens"
    )
    assert [plural(noun) for noun in ("book", "toy", "box", "story")] == ["books", "toys", "boxes", "stories"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_text_speaks_of_movies_where_the_data_are_others(lang: Language) -> None:
    texts = Texts(lang, "book")
    said = [speaking_of("book", text, lang) for text in leaves(texts.tree).values()]
    without_places = " ".join(re.sub(r"\{[^}]*\}|`[^`]*`", "", text) for text in said)
    assert not re.search(r"\bmovies?\b|电影", without_places)
