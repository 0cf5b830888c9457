"""Files that an operating system or an office program leaves beside a person's own."""

from __future__ import annotations

from pathlib import PurePath

_NAMES = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx"})


def left_by_a_system(path: PurePath | str) -> bool:
    """Whether a path is hidden, or is what macOS, Windows or an open document of Office leaves behind.

    Args:
        path: relative to the folder that the user named, as that one may well be hidden.
    """
    return any(part.startswith((".", "~$")) or part.lower() in _NAMES for part in PurePath(path).parts)
