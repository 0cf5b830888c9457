"""The folder of a download: one process at a time, files that appear whole, and nothing outside it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cinealign.errors import DataError
from cinealign.out import HALVES, changing, forget_halves, write_whole

STATE = ".download"
"""What is kept to go on from; hidden, so that the catalogue does not see it. May be deleted once all is there."""
RESULTS = (
    "info.csv",
    "movies.csv",
    "ratings.csv",
    "train.txt",
    "split.json",
    "missing.csv",
    "ml-1m-README.txt",
    "poster",
)
"""Everything else that a download puts into its folder."""
_MARK = "MovieLens download"


def source_mark(address: str) -> str:
    """A short name for where something came from, so that what one source said is not taken for another's."""
    return hashlib.sha256(address.encode()).hexdigest()[:8]


@dataclass(frozen=True)
class DownloadFolder:
    """A folder that one download at a time writes to."""

    path: Path

    @classmethod
    @contextmanager
    def claim(cls, path: Path) -> Iterator[DownloadFolder]:
        """The folder at `path`: new, empty, or begun by an earlier download; held until the block ends.

        Raises:
            DataError: it holds something else, leads elsewhere by a link, or cannot be written.
            ConfigError: another process holds it.
        """
        state = path / STATE
        for inner in (state, *(path / name for name in RESULTS)):
            if inner.is_symlink():
                raise DataError(f"{inner} is a link, and a download writes nothing outside its folder; remove it")
        if path.exists() and not path.is_dir():
            raise DataError(f"{path} is not a folder; choose another name")
        begun = (state / "mark").is_file() and (state / "mark").read_text("utf-8", "replace").strip() == _MARK
        if path.is_dir() and not begun and not _barely_begun(path):
            raise DataError(f"{path} holds something that no download put there; choose a new folder")
        try:
            for inner in (state, path / "poster"):
                inner.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(f"{path} cannot be written: {error.strerror or error}; choose another folder") from None
        with changing(path, f"{STATE}/lock", f"another download is at work in {path}; wait for it, or stop it"):
            folder = cls(path)
            folder.write(f"{STATE}/mark", f"{_MARK}\n".encode())
            forget_halves(state)
            yield folder

    def write(self, name: str, content: bytes) -> None:
        """Make the file `name` appear with all of `content` at once.

        Raises:
            ConfigError: it cannot be written.
        """
        write_whole(self.path / name, content, advice="is there room?", scratch=self.path / STATE, durable=True)

    def read(self, name: str) -> bytes | None:
        """The content of the file `name`; None if there is none."""
        path = self.path / name
        return path.read_bytes() if path.is_file() else None


def _barely_begun(path: Path) -> bool:
    """Whether a folder holds nothing, or what a download makes before its mark: one that was ended just then."""
    held = {entry.name for entry in path.iterdir()}
    return (
        held <= {STATE, "poster"}
        and (
            STATE not in held or all(entry.name == "lock" or entry.match(HALVES) for entry in (path / STATE).iterdir())
        )
        and not ("poster" in held and any((path / "poster").iterdir()))
    )
