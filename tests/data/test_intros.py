from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cinealign.data.intros import clean_text, tokens


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("Tom &amp; Jerry &quot;live&quot; 8&frac12;", 'Tom & Jerry "live" 8½'),
        ("a &amp;quot;b&amp;quot;", 'a "b"'),
        ("one<br/>two <i>three</i>", "one two three"),
        ("3 < 4 and 5 > 2", "3 < 4 and 5 > 2"),
        ("\tline\r\nnext\u00a0 word \u3000end ", "line next word end"),
        ("be\x00ll\x07 \x1b[1mbold soft\u00adhyphen \ufeffmark", "bell [1mbold softhyphen mark"),
        ("cafe\u0301", "caf\u00e9"),
        ("it\x92s \x93so\x94", "it’s “so”"),
        ("一个小镇。", "一个小镇。"),
        ("lone \ud800 surrogate", "lone surrogate"),
        ("  ", ""),
    ],
)
def test_clean_text(raw: str, clean: str) -> None:
    assert clean_text(raw) == clean


@given(st.text(alphabet=st.characters(exclude_characters="&<"), max_size=60))
def test_cleaning_twice_changes_nothing(text: str) -> None:
    clean = clean_text(text)
    assert clean_text(clean) == clean and "\n" not in clean


def test_tokens_are_stems_without_stop_words() -> None:
    assert tokens("The boy's STORIES, and the story of 1995!") == ["boy", "stori", "stori", "1995"]


def test_tokens_as_they_are() -> None:
    plain = tokens("Don’t look: it's O'Neil's naïve R2-D2", stop_words=False, stem=False)
    assert plain == ["dont", "look", "it", "oneil", "naive", "r2", "d2"]


def test_contractions_are_stop_words() -> None:
    assert tokens("don't you're he’ll they've I'd") == []


def test_chinese_is_split_into_pairs() -> None:
    assert tokens("导演的 film 爱") == ["导演", "演的", "film", "爱"]


def test_chinese_stop_words_are_left_out() -> None:
    text = "我们在一个小镇上，但是他的导演"
    assert tokens(text) == ["个小", "小镇", "镇上", "的导", "导演"]
    assert tokens(text, stop_words=False)[:3] == ["我们", "们在", "在一"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("हिन्दी में कहानी", ["हिन्दी", "में", "कहानी"]),  # vowel signs belong to the word
        ("أَهْلًا بالعالم", ["أَهْلًا", "بالعالم"]),
        ("שָׁלוֹם עולם", ["שָׁלוֹם", "עולם"]),
        ("ผู้ชาย", ["ผู้ช", "ชา", "าย"]),  # no blanks between words: pairs of letters with their marks
        ("少年はサメと", ["少年", "年は", "はサ", "サメ", "メと"]),
        ("소년이 상어를", ["소년이", "상어를"]),
        ("人々の町", ["人々", "々の", "の町"]),
    ],
)
def test_other_scripts(text: str, words: list[str]) -> None:
    assert tokens(text, stop_words=False, stem=False) == words


@pytest.mark.parametrize("text", ["", " ", "!?", "the of and"])
def test_nothing_to_say(text: str) -> None:
    assert tokens(text) == []
