"""Posters on disk: identity by content, and safe decoding."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class PosterFile:
    """A poster on disk. `digest` is the sha256 of the file's bytes: equal pictures share their features."""

    path: Path
    digest: str

    @classmethod
    def of(cls, path: Path) -> PosterFile:
        """The poster at `path`, with its digest read from the file."""
        return cls(path, hashlib.sha256(path.read_bytes()).hexdigest())
