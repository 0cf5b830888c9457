"""What a cell of a table says: words for nothing, which depend on the column, and several parts in one cell."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

ALWAYS_NOTHING = frozenset(
    {"", "<na>", "#n/a", "#na", "#n/a n/a", "\\n", "nan", "n/a", "nat", "#ref!", "#value!", "#name?"}
)
"""Words for nothing that programs write and no column means otherwise, in lower case."""
NOTHING = ALWAYS_NOTHING | {"na", "null", "none", "nil", "-", "--", "?"}
"""Words for nothing in any column but titles: somebody may have called a thing "None", "Null" or "NA"."""
NO_PARTS = NOTHING | {"(no genres listed)", "[]", "{}"}
"""Words for nothing where several parts may stand."""
PART = "|"
"""What stands between parts in info.csv."""
SEPARATORS = "|;,、，；"
_AFFIX = re.compile(r"(?:jr|sr|ii|iii|iv|ph\.?d|m\.?d|esq)\.?", re.IGNORECASE)
_MOST_STRUCTURE = 200_000  # letters of a structure in a cell that is looked into


def is_nothing(text: str, *, title: bool = False) -> bool:
    """Whether a cell only says that there is nothing."""
    return text.strip().lower() in (ALWAYS_NOTHING if title else NOTHING)


def parts_of(text: str, separator: str = PART) -> list[str]:
    """The parts of a cell: of a JSON or Python list their texts or names, else what stands between `separator`."""
    text = text.strip()
    if text.lower() in NO_PARTS:
        return []
    pieces = _structure(text)
    if pieces is not None:
        return [part for piece in pieces if (part := piece.strip())]
    pieces = _with_affixes(text.split(separator)) if separator == "," else text.split(separator)
    return [part for piece in pieces if (part := piece.strip()).lower() not in ALWAYS_NOTHING]


def joined_parts(parts: Sequence[str]) -> str:
    """A cell of info.csv that `parts_of` reads as `parts`."""
    plain = PART.join(parts)
    return plain if parts_of(plain) == list(parts) else json.dumps(list(parts), ensure_ascii=False)


def separator_of(cells: Iterable[str], *, people: bool = False) -> str:
    """What stands between the parts of cells: "|" where there is one, else the mark that most cells have, else "|".

    A comma between people counts only where most of what it separates are names of several words, as it stands inside
    "Lee, Ang" too.
    """
    texts = [text for text in cells if text.strip() and _structure(text.strip()) is None]
    if any(PART in text for text in texts):
        return PART
    found = max(SEPARATORS, key=lambda mark: sum(mark in text for text in texts))
    if not texts or sum(found in text for text in texts) < max(1, len(texts) / 10):
        return PART
    if people and found == ",":
        parts = [part.strip() for text in texts if "," in text for part in _with_affixes(text.split(","))]
        if Counter(" " in part for part in parts)[True] <= len(parts) / 2:
            return PART
    return found


def _with_affixes(pieces: Sequence[str]) -> list[str]:
    """ "Robert Downey, Jr." is one name."""
    whole: list[str] = []
    for piece in pieces:
        if whole and _AFFIX.fullmatch(piece.strip()):
            whole[-1] += f",{piece}"
        else:
            whole.append(piece)
    return whole


def _structure(text: str) -> list[str] | None:
    """The texts of a JSON or Python list, or names of its objects; None where `text` is no such list."""
    if not (text[:1] in "[{" and text[-1:] in "]}") or len(text) > _MOST_STRUCTURE:
        return None
    for read in (json.loads, ast.literal_eval):
        try:
            return _names(read(text))
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            continue
    return None


def _names(value: Any) -> list[str] | None:
    if isinstance(value, (dict, str)):
        value = [value]
    if not isinstance(value, (list, tuple)):
        return None
    names = [
        each.get("name", each.get("english_name")) if isinstance(each, dict) else each
        for each in value
        if each is not None
    ]
    if not all(isinstance(name, (str, int, float)) for name in names):
        return None
    return [str(name) for name in names]
