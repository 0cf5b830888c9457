"""Where results are written: refuses what it must not replace, locks the place, writes whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from cinealign.errors import ConfigError

WITHOUT_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL)
"""What the system says where a folder, one on a network say, keeps no locks."""
HALVES = f".{'[0-9a-f]' * 12}.part*"
"""Names of files that are not whole yet."""
NO_LOCKS = "keeps no locks, as some network folders do not"


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
def whole_file(
    path: Path, option: str = "", *, advice: str = "choose another place", scratch: Path | None = None
) -> Iterator[Path]:
    """A new name beside `path` to write to; it takes the place of `path` when the block ends well, and goes otherwise.

    It ends as `path` does, as many a writer goes by that. Folders on the way are made.

    Args:
        path: where the file is to be.
        option: that which named it, for messages: "--out".
        advice: what to do where it cannot be written.
        scratch: a folder on the same disk for the half file, where none may show beside `path`.
    Raises:
        ConfigError: the place cannot be written.
    """
    beside = (scratch or path.parent) / f".{secrets.token_hex(6)}.part{path.suffix}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.touch(mode=0o666)
        yield beside
        beside.replace(path)
    except OSError as error:
        # A full disk names no file; what the block reads from elsewhere is not ours to explain.
        if error.filename is not None and Path(error.filename) not in (beside, *path.parents):
            raise
        reason = "Not a directory" if isinstance(error, FileExistsError) else error.strerror or str(error)
        raise ConfigError(f"{option} {path} cannot be written: {reason}; {advice}".lstrip()) from None
    finally:
        with suppress(NotADirectoryError):
            beside.unlink(missing_ok=True)


def write_whole(
    path: Path,
    content: bytes,
    option: str = "",
    *,
    advice: str = "choose another place",
    scratch: Path | None = None,
    durable: bool = False,
) -> None:
    """Make `path` appear with all of `content` at once; arguments and errors as for `whole_file`.

    With `durable` it outlives a power cut once this has returned.
    """
    with whole_file(path, option, advice=advice, scratch=scratch) as beside, beside.open("wb") as file:
        file.write(content)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    if durable and os.name != "nt":  # which has nothing of the kind for names
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def forget_halves(folder: Path) -> None:
    """Remove what a killed `whole_file` has left anywhere in `folder`, which nobody else writes to."""
    for half in folder.rglob(HALVES):
        half.unlink(missing_ok=True)


def partial(folder: Path) -> Path:
    """Where `folder` is while it is being made."""
    return folder.parent / f"{folder.name}.partial"  # with_name would not take "."


@dataclass(frozen=True)
class Draft:
    """A folder that is made beside its place and takes it when all is there; what was there before stays until then."""

    out: Path

    @property
    def folder(self) -> Path:
        """Where it is made; what is in it outlives an interruption."""
        return partial(self.out)

    @classmethod
    @contextmanager
    def open(cls, out: Path, refuse: Callable[[], None]) -> Iterator[Draft]:
        """Begin, or go on where a process was interrupted; one process at a time.

        Args:
            out: the place; need not exist.
            refuse: raises where the place is taken.
        Raises:
            ConfigError: another process is making it, or it cannot be written; and what `refuse` raises.
        """
        refuse()
        draft = cls(out)
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = "Not a directory" if isinstance(error, FileExistsError) else error.strerror
            raise ConfigError(f"--out {out} cannot be written: {reason}; choose another place") from None
        with locked(draft.folder):
            if previous(out).exists() and not out.exists():  # killed between the two moves
                previous(out).replace(out)
            refuse()  # again: another process may have finished it before we had the lock
            try:
                draft.folder.mkdir(exist_ok=True)
            except OSError as error:
                raise ConfigError(f"--out {out} cannot be written: {error.strerror}; choose another place") from None
            yield draft

    def discard(self) -> None:
        """Remove the folder with all that is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def clear(self, keep: str = "") -> None:
        """Remove what an earlier process left in the folder, but for the entry `keep`."""
        for left in self.folder.iterdir():
            if left.name == keep:
                continue
            if left.is_dir() and not left.is_symlink():
                shutil.rmtree(left)
            else:
                left.unlink()

    def finish(self) -> None:
        """Put the folder in its place; only then what was there before goes."""
        forget_halves(self.folder)
        put_in_place(self.folder, self.out)


def put_in_place(made: Path, folder: Path) -> None:
    """Rename `made`, a finished folder on the same disk, to `folder`; only then what lay there goes."""
    old = previous(folder)
    if folder.exists():
        shutil.rmtree(old, ignore_errors=True)
        folder.replace(old)
    made.replace(folder)
    shutil.rmtree(old, ignore_errors=True)


def previous(folder: Path) -> Path:
    """Where what lay at `folder` is between the two moves."""
    return folder.parent / f"{folder.name}.old"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Held while a process works in `folder`, by a file beside it; the system frees it when the process dies, however it dies.

    The file lies beside, as a folder with an open file in it cannot be moved on Windows.

    Args:
        folder: the place; need not exist, but the folder that holds it must.
    Raises:
        ConfigError: another process holds it, or it cannot be written.
    """
    path = folder.parent / f"{folder.name}.lock"
    busy = ConfigError(f"{folder} is being made by another process; wait for it or choose another --out")
    try:
        file = path.open("a")
    except PermissionError as error:
        if os.name == "nt":  # it is just being removed
            raise busy from None
        raise ConfigError(f"{path} cannot be written: {error.strerror}; choose another --out") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}; choose another --out") from None
    try:
        try:
            if not _hold(file):
                print(
                    f"{path.parent} {NO_LOCKS}; see that no other process writes {folder}", file=sys.stderr, flush=True
                )
            ours = os.path.samestat(os.fstat(file.fileno()), path.stat())
        except OSError:
            raise busy from None
        if not ours:  # another process held it, finished and removed it while we waited to open it
            raise busy
        if os.name != "nt":
            try:
                yield
            finally:
                path.unlink(missing_ok=True)  # while it is held: nobody else can hold a file that is not there
        else:
            yield
    finally:
        file.close()
        if os.name == "nt":
            with suppress(OSError):  # another process has opened it meanwhile
                path.unlink(missing_ok=True)


@contextmanager
def changing(folder: Path, lock: str, busy: str) -> Iterator[None]:
    """Held by the one process that changes `folder` in place, by a file in it; the system frees it when the process dies.

    The file stays. A folder that keeps no locks is refused, as two could change it at once.

    Args:
        folder: must exist.
        lock: name of the file, from `folder`.
        busy: what is said where another process holds it.
    Raises:
        ConfigError: another process holds it, or the folder cannot be written or keeps no locks.
    """
    try:
        file = (folder / lock).open("a")
    except OSError as error:
        raise ConfigError(f"{folder} cannot be written: {error.strerror}; choose another folder") from None
    with file:
        try:
            held = _hold(file)
        except OSError:
            raise ConfigError(busy) from None
        if not held:
            raise ConfigError(f"{folder} {NO_LOCKS}; choose another folder")
        yield


def _hold(file: IO[str]) -> bool:
    """Whether `file` is held now; False where the file system has no locks. Raises OSError where another process holds it."""
    if sys.platform == "win32":
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in WITHOUT_LOCKS:
                raise
            return False
    return True
