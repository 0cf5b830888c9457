"""Where results go: a place that is free or may be replaced, and that one process at a time works on."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cinealign.errors import ConfigError

LOCK = "lock"
"""Name of the file in a folder that a process holds while it works there."""


def refuse_taken(out: Path, force: bool, *, mark: str, one: str, many: str) -> None:
    """Refuse a place where something lies already, unless it is of our making and may be replaced.

    Args:
        out: the place; need not exist.
        force: allow to replace what was made before.
        mark: a file that only what we make has.
        one, many: what that is called, for messages: "a run directory", "runs".
    Raises:
        ConfigError: the place is taken, or nobody may look there.
    """
    try:
        taken, ours = out.exists(), (out / mark).is_file()
    except OSError as error:
        raise ConfigError(f"--out {out} cannot be used: {error.strerror}; choose another place") from None
    if taken and not force:
        raise ConfigError(f"{out} exists already; pass --force to replace it, or --out for another place")
    if taken and not ours:
        raise ConfigError(f"{out} exists and is not {one}; --force replaces {many} only, choose another --out")


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A new name beside `path` to write to; it takes the place of `path` when the block ends well, and goes otherwise.

    It ends as `path` does, as many a writer goes by that.

    Raises:
        ConfigError: the place cannot be written.
    """
    beside = path.with_name(f".{secrets.token_hex(6)}.part{path.suffix}")
    try:
        beside.touch(mode=0o666)
        yield beside
        beside.replace(path)
    except OSError as error:
        if error.filename is None or Path(error.filename) != beside:
            raise
        raise ConfigError(f"{path} cannot be written: {error.strerror}; choose another place") from None
    finally:
        beside.unlink(missing_ok=True)


def partial(folder: Path) -> Path:
    """Where `folder` is while it is being made."""
    return folder.parent / f"{folder.name}.partial"  # with_name would not take "."


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Held while a process works in `folder`; the system frees it when the process dies, however it dies.

    Whoever moves or removes the folder when all is done does so while holding it, and removes the lock's file last:
    until then it must be where another process looks for it.

    Raises:
        ConfigError: another process holds it, or it cannot be written.
    """
    import fcntl
    import os

    path = folder / LOCK
    busy = ConfigError(f"{folder} is being made by another process; wait for it or choose another --out")
    try:
        file = path.open("w")
    except FileNotFoundError:  # it was finished and moved away a moment ago
        raise busy from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}; choose another --out") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            ours = os.path.samestat(os.fstat(file.fileno()), path.stat())
        except OSError:
            raise busy from None
        if not ours:
            raise busy
        yield
