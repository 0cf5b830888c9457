"""Files of a download: written beside, then renamed, and never outside the download's folder."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from cinealign.errors import DataError

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
    """A folder that one download at a time may write to. Release `lock` when done; it ends with the process."""

    path: Path
    lock: FileLock

    @classmethod
    def claim(cls, path: Path) -> DownloadFolder:
        """The folder at `path`: new, empty, or begun by an earlier download.

        Raises:
            DataError: it holds something else, leads elsewhere by a link, or cannot be written.
        """
        state = path / STATE
        for inner in (state, state / "part", *(path / name for name in RESULTS)):
            if inner.is_symlink():
                raise DataError(f"{inner} is a link, and a download writes nothing outside its folder; remove it")
        if path.exists() and not path.is_dir():
            raise DataError(f"{path} is not a folder; choose another name")
        begun = (state / "mark").is_file() and (state / "mark").read_text("utf-8", "replace").strip() == _MARK
        if path.is_dir() and not begun and not _barely_begun(path):
            raise DataError(f"{path} holds something that no download put there; choose a new folder")
        folder = cls(path, FileLock(state / "lock", timeout=0))
        try:
            for inner in (state / "part", path / "poster"):
                inner.mkdir(parents=True, exist_ok=True)
            folder.lock.acquire()
            folder.write(f"{STATE}/mark", f"{_MARK}\n".encode())
            for left in (state / "part").iterdir():  # halves that a kill has left
                left.unlink()
        except Timeout:
            raise DataError(f"another download is at work in {path}; wait for it, or stop it") from None
        except OSError as error:
            raise DataError(f"{path} cannot be written: {error.strerror or error}; choose another folder") from None
        return folder

    def write(self, name: str, content: bytes) -> None:
        """Make the file `name` appear with all of `content` at once.

        Raises:
            DataError: it cannot be written.
        """
        target = self.path / name
        part = self.path / STATE / "part" / name.replace("/", "-")
        try:
            with part.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.replace(target)
        except OSError as error:
            raise DataError(f"{target} cannot be written: {error.strerror or error}; is there room?") from None

    def read(self, name: str) -> bytes | None:
        """The content of the file `name`; None if there is none."""
        path = self.path / name
        return path.read_bytes() if path.is_file() else None


def _barely_begun(path: Path) -> bool:
    """Whether a folder holds nothing, or what a download makes before its mark: one that was ended just then."""
    held = {entry.name for entry in path.iterdir()}
    state = path / STATE
    return (
        held <= {STATE, "poster"}
        and (STATE not in held or {entry.name for entry in state.iterdir()} <= {"part", "lock"})
        and not ("poster" in held and any((path / "poster").iterdir()))
    )
