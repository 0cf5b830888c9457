"""Which encoding a text file is in: decided by its bytes, and refused where they do not tell.

A byte order mark decides; then UTF-8, which other encodings hardly ever imitate. A file that is neither is decoded in every
encoding of `language_letters.yaml`, and that one counts whose characters are those that a language writes often. Two
encodings that fit alike and give different texts are refused, and so is a file that is UTF-8 but for some damage.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from cinealign.errors import DataError

MARKS = {
    b"\xff\xfe\0\0": "utf-32",
    b"\0\0\xfe\xff": "utf-32",
    codecs.BOM_UTF8: "utf-8-sig",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
"""Byte order mark -> encoding; the longer ones first."""
REMEDY = "save it as UTF-8, or name its encoding with --encoding when it is imported"
WESTERN = "cp1252"
_CHUNK = 1 << 20
_SAMPLE = 200_000  # bytes of words with letters beyond ASCII that are looked at
_LEAST = 0.45  # a lower score is no evidence
_MIXED = 0.85  # what letters count that only several languages together write
_SPARSE = 0.02  # below this share of letters beyond ASCII a text may be English with some foreign names
_UTF8_LETTER = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|\xed[\x80-\x9f][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}"
    rb"|\xf0[\x90-\xbf][\x80-\xbf]{2}|\xf4[\x80-\x8f][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}"
)
_HIGH = re.compile(rb"[\x80-\xff]")
_ASCII_LETTER = re.compile(rb"[A-Za-z]")
# No byte below 0x30 is ever the second byte of a letter, so a word that is cut there is whole in every encoding.
_WORD = re.compile(rb"[^\x00-\x2f]*[\x80-\xff][^\x00-\x2f]*")


def find_encoding(path: Path) -> str:
    """The encoding of a text file, by Python's name.

    Raises:
        DataError: the file cannot be read, is no text, is damaged UTF-8 (with the line), or its encoding cannot be told.
    """
    try:
        with path.open("rb") as file:
            first = file.read(4)
            file.seek(0)
            for mark, encoding in MARKS.items():
                if first.startswith(mark):
                    return encoding
            return _without_mark(path.name, file)
    except OSError as error:
        raise DataError(f"{path.name} cannot be read: {error.strerror or error}; check the file's rights") from None


def check_encoding(name: str) -> str:
    """`name` if Python knows a text encoding of that name.

    Raises:
        DataError: it does not.
    """
    try:
        known = codecs.lookup(name)
        "".encode(known.name)
    except (LookupError, ValueError, UnicodeError):
        raise DataError(
            f"--encoding {name!r} is no encoding of texts; name one such as utf-8, big5 or cp1251"
        ) from None
    return name


def _without_mark(name: str, file: Any) -> str:
    utf8, valid, escaped = codecs.getincrementaldecoder("utf-8")(), True, False
    while chunk := file.read(_CHUNK):
        if b"\0" in chunk:
            file.seek(0)
            return _with_zeros(name, file.read(_CHUNK))
        escaped = escaped or b"\x1b$" in chunk
        try:
            utf8.decode(chunk)
        except UnicodeDecodeError:
            valid = False
            break
    if valid:
        try:
            utf8.decode(b"", final=True)
            return "iso2022_jp" if escaped else "utf-8"
        except UnicodeDecodeError:
            pass
    file.seek(0)
    return _legacy(name, file)


def _with_zeros(name: str, first: bytes) -> str:
    """UTF-16 without its mark has its zeros at every other place; anything else with zeros is no text."""
    for encoding, zero in (("utf-16-le", 1), ("utf-16-be", 0)):
        with_zero, without = first[zero::2].count(0), first[1 - zero :: 2].count(0)
        if len(first) % 2 == 0 and with_zero > len(first) / 16 and with_zero > 8 * without:
            return encoding
    line = first.count(b"\n", 0, first.index(b"\0") if b"\0" in first else 0) + 1
    where = f" line {line}" if b"\0" in first else ""
    raise DataError(f"{name}{where}: holds a NUL byte, so it is damaged or not text; save it as UTF-8 text")


def _legacy(name: str, file: Any) -> str:
    words, size, high, well, ascii_letters = [], 0, 0, 0, 0
    damaged = ""
    for number, line in enumerate(_lines(file), start=1):
        ascii_letters += len(_ASCII_LETTER.findall(line))
        if line.isascii():
            continue
        letters = sum(len(found) for found in _UTF8_LETTER.findall(line))
        beyond = len(_HIGH.findall(line))
        high, well = high + beyond, well + letters
        if not damaged and letters < beyond:
            bad = _first_bad(line)
            damaged = f"line {number}, byte {bad + 1} (0x{line[bad]:02x})"
        if size < _SAMPLE:
            found = _WORD.findall(line)[: _SAMPLE // 4]
            words += found
            size += sum(map(len, found))
    if well >= 0.8 * high:
        raise DataError(f"{name} {damaged}: damaged, as the file is UTF-8 elsewhere; mend the line or {REMEDY}")
    return _told(name, b" ".join(words), sparse=high < _SPARSE * ascii_letters)


def _first_bad(line: bytes) -> int:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start
    return 0


def _lines(file: Any) -> Iterator[bytes]:
    while lines := file.readlines(_CHUNK):
        yield from lines


def _told(name: str, sample: bytes, *, sparse: bool) -> str:
    """The encoding whose characters a language writes; latin-1 where it is Western and needs no Windows letters."""
    scores: dict[str, tuple[float, str]] = {}
    for encoding, profile in _profiles().items():
        try:
            text = sample.decode(encoding)
        except UnicodeDecodeError:
            continue
        scores[encoding] = (profile.score(text), text)
    ranked = sorted(scores, key=lambda each: -scores[each][0])
    if not ranked or scores[ranked[0]][0] < _LEAST:
        raise DataError(f"{name} is not UTF-8, and which encoding it is in cannot be told; {REMEDY}")
    best, (most, text) = ranked[0], scores[ranked[0]]
    western = scores.get(WESTERN, (0.0, ""))[0]
    if western >= max(_LEAST, most - 0.02):  # of encodings that fit alike the usual one
        return WESTERN if re.search(rb"[\x80-\x9f]", sample) else "latin-1"
    lead = max(0.02, 2 / sum(not c.isascii() for c in text))
    rivals = [each for each in ranked[1:] if scores[each][1] != text and scores[each][0] > most - lead]
    if sparse and western >= _LEAST and not rivals:
        rivals = ["latin-1"]  # a few letters fit any language by chance
    if rivals:
        raise DataError(f"{name} is not UTF-8 and may be {best} or {rivals[0]} alike; {REMEDY}")
    return best


class _Profile:
    """The letters that languages write in one encoding.

    Attributes:
        languages: letters of each language beyond ASCII; for a script of its own only the most frequent ones.
        script: "accents" among ASCII letters, a "dense" alphabet whose words hold no ASCII letter, or "han".
        share: for scripts of their own, the share of a text that the listed letters make up at least.
    """

    def __init__(self, languages: Iterable[str], script: str, share: float) -> None:
        self.languages = [frozenset(letters) for letters in languages]
        self.union: frozenset[str] = frozenset().union(*self.languages)
        self.script, self.share = script, share

    def score(self, text: str) -> float:
        """0 to 1: how much of the text beyond ASCII is what a language writes often, standing as it is written."""
        good: list[str] = []
        wrong = marks = 0
        for before, c, after in zip(f" {text}", text, f"{text[1:]} ", strict=False):
            if c.isascii():
                continue
            if "\x80" <= c <= "\x9f" or c == "\ufffd":
                return 0.0
            if c.isalpha() or c in _combined():
                if self._in_place(before, c, after):
                    good.append("i" if c == "İ" else c.lower())
                else:
                    wrong += 1
            elif c in _marks() and (c in "’‐‑–—·\xa0" or not (before.isalpha() and after.isalpha())):
                marks += 1
            else:
                wrong += 1
        if not good:
            return 0.0 if wrong or not marks else 0.6  # nothing but dashes, pounds and the like
        sound = len(good) / (len(good) + wrong)
        if self.share:
            listed = max(sum(c in language for c in good) for language in self.languages)
            return sound * min(1.0, listed / (self.share * len(good)))
        known = self.union | {"i"}
        one = max(sum(c in language or c == "i" for c in good) for language in self.languages)
        return sound * max(one, _MIXED * sum(c in known for c in good)) / len(good)

    def _in_place(self, before: str, c: str, after: str) -> bool:
        if before.islower() and c.isupper():
            return False
        latin = [each.isascii() and each.isalpha() for each in (before, after)]
        if self.script == "dense":
            return not any(latin)
        if self.script == "han":
            return not all(latin)
        return before.isascii() or after.isascii() or not (before.isalpha() and after.isalpha())


@cache
def _content() -> Mapping[str, Any]:
    content = yaml.safe_load(files("cinealign.data").joinpath("language_letters.yaml").read_text(encoding="utf-8"))
    assert isinstance(content, dict)
    return content


@cache
def _marks() -> frozenset[str]:
    return frozenset(_content()["marks"]) | {"\xa0", "\u3000"}


@cache
def _combined() -> frozenset[str]:
    """Vowel signs of Thai, which Python does not count among letters."""
    return frozenset(map(chr, range(0x0E31, 0x0E4F)))


@cache
def _profiles() -> Mapping[str, _Profile]:
    return {
        encoding: _Profile(group["letters"], group.get("script", "accents"), group.get("share", 0.0))
        for group in _content()["groups"]
        for encoding in group["encodings"]
    }
