"""From the name that a table gives to the picture file that is meant, whichever system wrote either of them.

A file counts that is called as written; else the only one that differs in what systems and tools change: upper and lower
case, Unicode form (NFC, NFD), percent codes, backslashes, a leading slash, ".0" after a number, the suffix, and the folders
before it. Where two files fit alike, the name is refused.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from cinealign.data.importing.source import PICTURE_SUFFIXES
from cinealign.data.system_files import left_by_a_system
from cinealign.data.tables import whole_number
from cinealign.errors import DataError

MOST_FILES = 5_000_000
"""A folder with more files than this is not looked through."""
_FLOAT_NAME = re.compile(r"(?:(?<=/)|^)(\d+)\.0+(?=\.[A-Za-z]+$|$)", re.ASCII)


class PictureNames:
    """The picture files below a folder, hidden ones left out.

    Args:
        folder: where names start; no file outside it is ever found, links followed.
    Attributes:
        loosely: names that no file has as written -> the file that was taken, below `folder`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self._home = folder, folder.resolve()
        self.loosely: dict[str, str] = {}
        self._taken: dict[Path, tuple[str, str, bool]] = {}

    def by_path(self, text: str) -> Path | None:
        """The file that a path names; None where there is none.

        Raises:
            DataError: it leaves the folder, or two files fit alike.
        """
        try:
            if (found := self._existing(text)) is not None:
                return self._take(found, text, loosely=False)
        except (OSError, ValueError):  # a name too long for the file system, or with a NUL
            return None
        found = None if ".." in re.split(r"[/\\]", text) else self._loosely(text)
        if found is None and self._escapes(self.folder / text.replace("\\", "/")):
            raise DataError(_outside(text, self.folder))
        return None if found is None else self._take(found.resolve(), text, loosely=True)

    def _take(self, found: Path, text: str, *, loosely: bool) -> Path:
        """`found`, unless it was taken for another name before: one of the two lacks its picture.

        Raises:
            DataError: it was, and not both names are exact.
        """
        *_, last = _forms(text)
        name = _plain_path(last)
        other, before, other_loosely = self._taken.setdefault(found, (name, text, loosely))
        same = name in (other, _without_suffix(other)) or _without_suffix(name) == other
        if not same and (loosely or other_loosely):
            raise DataError(
                f"{before!r} and {text!r} would both be the picture {found.name}; name each as written on disk"
            )
        return found

    def by_id(self, text: str) -> Path | None:
        """The file that an id names, its suffix aside: "7", "7.0" and "0007" are one.

        Raises:
            DataError: two files fit alike, or it is a link that leaves the folder.
        """
        for forms in (self._top, self._below):
            for wanted in dict.fromkeys(map(_plain, (text, _without_suffix(text), unquote(text)))):
                if wanted in forms:
                    files = forms[wanted]
                    as_written = _without_suffix(PurePosixPath(files[0]).name) == text
                    return self._only(text, files, "pictures for the id", as_written=as_written)
        return None

    def first(self) -> str:
        """The name of a file, for messages."""
        return next((PurePosixPath(path).name for path in self._files), "none")

    def _existing(self, text: str) -> Path | None:
        """The file at the path as written, inside the folder.

        Raises:
            DataError: it is a link that leaves the folder.
        """
        path = self.folder / (text.replace("\\", "/") if "\\" in text else text)
        real = path.resolve()
        if real.is_relative_to(self._home):
            return real if real.is_file() else None
        if path.absolute().is_relative_to(self.folder.absolute()) and ".." not in path.parts and path.exists():
            raise DataError(_outside(text, self.folder))
        return None

    def _escapes(self, path: Path) -> bool:
        try:
            return not path.resolve().is_relative_to(self._home)
        except (OSError, ValueError):
            return False

    def _loosely(self, text: str) -> Path | None:
        for form in _forms(text):
            path = _plain_path(form)
            stem, name = _without_suffix(path), PurePosixPath(path).name
            for tried in (
                [(self._by_path, path)],
                [(self._by_stem, stem), (self._by_name, name)],
                [(self._by_name_stem, _without_suffix(name))],
            ):
                found = [file for known, key in tried for file in _same_tail(known.get(key, ()), path)]
                if found:
                    return self._only(text, list(dict.fromkeys(found)), "pictures that fit")
        return None

    def _only(self, text: str, files: list[str], what: str, *, as_written: bool = False) -> Path:
        if len(files) > 1:
            raise DataError(
                f"{self.folder} has two {what} {text}: {files[0]} and {files[1]}; name it as written on disk"
            )
        found = self.folder / files[0]
        if self._escapes(found):
            raise DataError(f"{found} is a link that leaves the folder; put the picture itself there")
        if not as_written:
            self.loosely[text] = files[0]
        return found

    @cached_property
    def _files(self) -> list[str]:
        found: list[str] = []
        for here, folders, names in os.walk(self.folder):
            folders[:] = sorted(name for name in folders if not left_by_a_system(name))
            inside = Path(here).relative_to(self.folder)
            for name in sorted(names):
                if not left_by_a_system(name) and name.lower().endswith(PICTURE_SUFFIXES):
                    found.append((inside / name).as_posix())
            if len(found) > MOST_FILES:
                raise DataError(
                    f"{self.folder} holds more than {MOST_FILES:,} pictures; give their folder with --images"
                )
        return found

    @cached_property
    def _by_path(self) -> dict[str, list[str]]:
        return _grouped(self._files, _plain_path)

    @cached_property
    def _by_stem(self) -> dict[str, list[str]]:
        return _grouped(self._files, lambda path: _without_suffix(_plain_path(path)))

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        return _grouped(self._files, lambda path: _plain_path(PurePosixPath(path).name))

    @cached_property
    def _by_name_stem(self) -> dict[str, list[str]]:
        return _grouped(self._files, lambda path: _without_suffix(_plain_path(PurePosixPath(path).name)))

    @cached_property
    def _top(self) -> dict[str, list[str]]:
        return _grouped([path for path in self._files if "/" not in path], lambda path: _plain(_without_suffix(path)))

    @cached_property
    def _below(self) -> dict[str, list[str]]:
        return _grouped(self._files, lambda path: _plain(_without_suffix(PurePosixPath(path).name)))


def _outside(text: str, folder: Path) -> str:
    return f"the picture {text[:80]!r} is outside {folder}; give the folder that holds the pictures with --images"


def _forms(text: str) -> Iterator[str]:
    """The path as written, then as other systems and tools may have written it; each below the folder."""
    plain = text.removeprefix("file://").replace("\\", "/")
    plain = re.sub(r"^[A-Za-z]:", "", plain).lstrip("/")
    seen: dict[str, None] = {}
    for form in (plain, unquote(plain)):
        seen[form] = None
        seen[_FLOAT_NAME.sub(r"\1", form)] = None
    yield from seen


def _plain_path(path: str) -> str:
    return unicodedata.normalize("NFC", os.path.normpath(path)).casefold()


def _plain(text: str) -> str:
    """An id as files are named by it."""
    number = whole_number(text)
    return str(number) if number is not None else unicodedata.normalize("NFC", text.strip()).casefold()


def _without_suffix(path: str) -> str:
    suffix = next((end for end in PICTURE_SUFFIXES if path.lower().endswith(end)), "")
    return path[: len(path) - len(suffix)]


def _grouped(files: list[str], key: Callable[[str], str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for path in files:
        groups.setdefault(key(path), []).append(path)
    return groups


def _same_tail(files: Sequence[str], wanted: str) -> list[str]:
    """The files whose folders agree with those of the path that is wanted, as far as both go."""
    parts = wanted.split("/")[-2::-1]
    return [
        path for path in files if all(a == b for a, b in zip(_plain_path(path).split("/")[-2::-1], parts, strict=False))
    ]
