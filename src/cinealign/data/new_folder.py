"""A folder that the program makes: it takes an empty place, or that of an earlier one that it made itself."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from cinealign.errors import DataError
from cinealign.out import put_in_place


@contextmanager
def new_folder(folder: Path, *, mark: str, files: Collection[str], what: str, force: bool) -> Iterator[Path]:
    """A place beside `folder` to make it at; it takes its place when the block ends well, and goes otherwise.

    Args:
        folder, mark, files, what, force: as for `refuse_occupied`.
    Raises:
        DataError: the place is taken or cannot be written.
    """
    refuse_occupied(folder, mark=mark, files=files, what=what, force=force)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
            made = Path(scratch) / "made"
            yield made
            put_in_place(made, folder)
    except OSError as error:
        raise DataError(f"{folder} cannot be written: {error.strerror or error}; choose another folder") from None


def refuse_occupied(folder: Path, *, mark: str, files: Collection[str], what: str, force: bool) -> None:
    """Refuse a folder that holds anything, but for an earlier `what` where `force` allows to replace it.

    Args:
        folder: the place; need not exist.
        mark: the file by which an earlier one is known.
        files: all that may lie in an earlier one; a folder with something else is left alone.
        what: what the program makes, for messages: "a sample drawn".
        force: allow an earlier one.
    Raises:
        DataError: the place is taken.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise DataError(f"{folder} is a file; choose a new folder")
    held = {entry.name for entry in folder.iterdir()}
    if not held:
        return
    if not force:
        raise DataError(f"{folder} is not empty; choose a new folder, or pass --force to replace {what} before")
    if mark not in held or (others := held - set(files)):
        fault = f"holds {sorted(others)[0]}" if mark in held else f"has no {mark}"
        raise DataError(f"{folder} {fault}, so it is not just {what} before and --force leaves it alone")
