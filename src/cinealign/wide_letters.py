"""Columns that a text takes in a terminal: Chinese letters take two."""

from __future__ import annotations

import unicodedata


def columns_of(text: str) -> int:
    """Columns that a text takes."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return len(text) + wide - sum(unicodedata.combining(letter) > 0 for letter in text)


def filled(text: str, width: int) -> str:
    """`text` with blanks up to so many columns: behind it, or before it where `width` is negative."""
    blanks = " " * (abs(width) - columns_of(text))
    return text + blanks if width > 0 else blanks + text
