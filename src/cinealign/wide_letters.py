"""Texts lined up in a terminal, where Chinese letters take two columns."""

from __future__ import annotations

from rich.cells import cell_len


def filled(text: str, width: int) -> str:
    """`text` with blanks up to so many columns: behind it, or before it where `width` is negative."""
    blanks = " " * (abs(width) - cell_len(text))
    return text + blanks if width > 0 else blanks + text
