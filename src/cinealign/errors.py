"""Errors that a user can cause and fix.

Every message is one line: what is wrong with which input, what was expected, what to do. The command line prints it and
exits with code 2; any other exception is a bug and keeps its traceback.
"""


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
