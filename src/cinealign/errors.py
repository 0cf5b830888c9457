"""Errors that a user can cause and fix.

Every message is one line: what is wrong with which input, what was expected, what to do. The command line prints it and
exits with code 2; any other exception is a bug and keeps its traceback.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path


def meant(given: str, known: Iterable[str]) -> str:
    """For the end of a message about an unknown name: "; did you mean 'default'?", or nothing where none is near."""
    near = get_close_matches(given, list(known), n=2)
    return f"; did you mean {' or '.join(map(repr, near))}?" if near else ""


def as_argument(path: Path) -> str:
    """A path within a command that a message offers, so that the command can be pasted as it stands."""
    return shlex.quote(str(path))


class CineAlignError(Exception):
    """Base of every error that the user's input can cause."""

    def __str__(self) -> str:
        """The message in one line that a terminal shows as it is, whatever a file or an argument put into it."""
        line = " ".join(super().__str__().split())
        return "".join(each if each.isprintable() else repr(each)[1:-1] for each in line)


class DataError(CineAlignError):
    """Posters, intros, splits or saved results that cannot be used as they are."""


class ConfigError(CineAlignError):
    """A recipe, an option or a combination of them that makes no sense."""


class ModelError(CineAlignError):
    """Weights that are missing, damaged or do not fit."""


@contextmanager
def damage_refused(kind: type[CineAlignError], path: Path, remedy: str) -> Iterator[None]:
    """Inside, files are read that this program wrote and others may have changed: whatever their content upsets is one line.

    A parser, a look-up and a product of arrays each raise their own where a key, a type or a shape is not what it was. Only
    reading belongs inside, as this hides a bug's traceback (it stays the error's cause).

    Args:
        kind: what is raised.
        path: the file or folder, for the message.
        remedy: what to do.
    """
    try:
        yield
    except (CineAlignError, MemoryError):
        raise
    except Exception as error:
        said = " ".join(str(error).split())[:120]
        raise kind(f"{path} is damaged ({type(error).__name__}: {said}); {remedy}") from error
