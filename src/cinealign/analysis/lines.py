"""Lines of a flat table, and what of an answer has some."""

from __future__ import annotations

from typing import Any

Lines = list[dict[str, Any]]


def entries(found: Any) -> Lines:
    """A list as it is; nothing for a part that was skipped."""
    return found if isinstance(found, list) else []
