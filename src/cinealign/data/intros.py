"""Intros as text: cleaning once when they are read, and splitting into tokens for the views that count words."""

from __future__ import annotations

import html
import re
import unicodedata
from functools import cache, lru_cache
from importlib.resources import files
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snowballstemmer import stemmer

# Windows punctuation (curly quotes, dashes) that was read as latin-1 stands at 0x80-0x9f, where Unicode has control
# characters; five of those bytes mean nothing in Windows-1252 either.
_WINDOWS = {code: bytes([code]).decode("cp1252", "ignore") for code in range(0x80, 0xA0)}
_TAG = re.compile(r"</?(?:a|b|br|div|em|i|li|p|span|strong|u|ul)\b[^<>]{0,200}>", re.IGNORECASE)
_JOINERS = "\u200c\u200d"  # they shape letters in Persian and Indic scripts, so they belong to the text
# Letters of scripts that put no blank between words: Han and kana, Thai and Lao, Burmese, Khmer.
_UNSPACED = (
    "\u3005\u3007\u3041-\u3096\u309d-\u30fa\u30fc-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
    "\u0e01-\u0e30\u0e32\u0e33\u0e40-\u0e46\u0e81-\u0eb0\u0eb2\u0eb3\u0ec0-\u0ec6\u1000-\u102a\u1780-\u17b3"
)
# Vowel signs and the like, which Python does not count among letters; without them words of Hindi or Thai fall apart.
_MARKS = "".join(c for c in map(chr, range(0x0590, 0x1900)) if unicodedata.category(c) in ("Mn", "Mc"))
_LETTERS = rf"(?:[^\W_{_UNSPACED}][{_MARKS}]*)+"
_RUN = re.compile(rf"(?:[{_UNSPACED}][{_MARKS}]*)+")
_PIECE = re.compile(rf"{_RUN.pattern}|{_LETTERS}(?:'{_LETTERS})*")
_UNSPACED_LETTER = re.compile(rf"[{_UNSPACED}][{_MARKS}]*")
_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "＇": "'", "`": "'"})
_CONTRACTED = re.compile("'(?:s|ll|re|ve|d|m)$")
_ACCENTS = re.compile("[\u0300-\u036f]")
_UNSEEN = frozenset({"Cc", "Cf", "Cs"})  # controls, soft hyphens and the like, lone surrogates
_stemming = Lock()


def clean_text(text: str) -> str:
    """`text` on one line as a reader sees it: entities resolved, simple tags and control characters gone, NFC.

    Entities are resolved twice, as scraped texts often hold `&amp;quot;`. Length is not limited.
    """
    text = html.unescape(html.unescape(text))
    text = _TAG.sub(" ", text).translate(_WINDOWS)
    text = unicodedata.normalize("NFC", text)
    text = "".join(c for c in text if c.isspace() or c in _JOINERS or unicodedata.category(c) not in _UNSEEN)
    return " ".join(text.split())


def tokens(text: str, *, stop_words: bool = True, stem: bool = True) -> list[str]:
    """The words of `text` in order, lower-case, without accents; scripts without blanks as overlapping pairs of letters.

    "boy's" gives "boy", "he'll" gives "he" and "don't" gives "dont"; "导演的" gives "导演", "演的". Numbers are words.
    Scripts without blanks are Chinese, Japanese, Thai, Lao, Burmese and Khmer.

    Args:
        text: any text; need not be cleaned.
        stop_words: True leaves out the function words of `stop_words.txt` (English) and `stop_words_zh.txt` (Chinese).
        stem: True cuts English endings ("stories" and "story" both give "stori").
    """
    text = _ACCENTS.sub("", unicodedata.normalize("NFKD", text.translate(_APOSTROPHES)))
    text = unicodedata.normalize("NFC", text).lower()
    found: list[str] = []
    for piece in _PIECE.findall(text):
        if _UNSPACED_LETTER.match(piece):
            found += [pair for pair in _pairs(piece) if not (stop_words and _says_little(pair))]
            continue
        word = _CONTRACTED.sub("", piece).replace("'", "")
        if not (stop_words and word in english_stop_words()):
            found.append(stem_word(word) if stem else word)
    return found


def unspaced_runs(text: str) -> tuple[list[str], str]:
    """The runs of letters of scripts without blanks, in order, and the rest, where a blank stands for each run."""
    if text.isascii():
        return [], text
    return _RUN.findall(text), _RUN.sub(" ", text)


def run_letters(run: str) -> list[str]:
    """The letters of a run, each with the marks that belong to it."""
    return _UNSPACED_LETTER.findall(run)


@cache
def english_stop_words() -> frozenset[str]:
    """The package's own list of English function words, apostrophes left out ("dont")."""
    return _listed_words("stop_words.txt")


@cache
def chinese_stop_words() -> frozenset[str]:
    """The package's own list of Chinese function words, of one or two characters."""
    return _listed_words("stop_words_zh.txt")


def _listed_words(name: str) -> frozenset[str]:
    listing = files("cinealign.data").joinpath(name).read_text(encoding="utf-8")
    return frozenset(word for line in listing.splitlines() if not line.startswith("#") for word in line.split())


def _pairs(run: str) -> list[str]:
    letters = run_letters(run)
    return ["".join(letters[start : start + 2]) for start in range(max(1, len(letters) - 1))]


def _says_little(pair: str) -> bool:
    words = chinese_stop_words()
    return pair in words or all(letter in words for letter in pair)


@lru_cache(maxsize=100_000)
def stem_word(word: str) -> str:
    """The stem of a lower-case English word by Snowball's English stemmer; words of other scripts stay as they are."""
    if not word.isascii():
        return word
    with _stemming:  # the stemmer keeps its word in itself
        return str(_stemmer().stemWord(word))


@cache
def _stemmer() -> stemmer:
    import snowballstemmer

    return snowballstemmer.stemmer("english")
