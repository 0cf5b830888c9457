"""Arguments of public functions, checked where they come in: a wrong one is one line of ours, not a traceback from within."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import Any, TypeVar

from cinealign.errors import ConfigError, DataError

LONGEST_SHOWN = 80
"""Characters of a wrong value in a message."""
T = TypeVar("T")


def shown(value: Any) -> str:
    """`value` as messages show what came: as Python writes it, in no more than 80 characters."""
    try:
        text = repr(value)
    except ValueError:  # a whole number of thousands of digits
        text = "a very long number"
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 20]} ... ({len(text)} characters)"


def as_path(given: Any, name: str) -> Path:
    """The path that `given` is; whether anything lies there is not asked.

    Raises:
        ConfigError: it is no text or path, or none that a file can have.
    """
    if not isinstance(given, str | os.PathLike) or not isinstance(text := os.fspath(given), str):
        raise ConfigError(f"{name} must be a path, got {_came(given)}")
    try:
        Path(text).stat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except ValueError as error:
        raise ConfigError(f"{name} must be a path, got {shown(text)}: {error}") from None
    except OSError as error:
        raise ConfigError(f"{name} {shown(text)} cannot be looked up: {error.strerror}; choose another path") from None
    return Path(text)


def as_number(given: Any, name: str) -> float:
    """The number that `given` is, also as an array or tensor of one number without axes; NaN is a number here.

    Raises:
        ConfigError: it is none; a text is none, nor is a truth value.
    """
    value = _plain(given)
    if not isinstance(value, Real) or isinstance(value, bool):
        raise ConfigError(f"{name} must be a number, got {_came(given)}")
    return float(value)


def as_whole(given: Any, name: str, at_least: int | None = None) -> int:
    """The whole number that `given` is, as `as_number`.

    Raises:
        ConfigError: it is none, or below `at_least`.
    """
    value = _plain(given)
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise ConfigError(f"{name} must be a whole number, got {_came(given)}")
    if at_least is not None and value < at_least:
        raise ConfigError(f"{name} must be >= {at_least}, got {shown(value)}")
    return int(value)


def as_flag(given: Any, name: str) -> bool:
    """The truth value that `given` is; nothing else is taken for one, as "no" and an empty array would be surprises.

    Raises:
        ConfigError: it is none.
    """
    value = _plain(given)
    if not isinstance(value, bool):
        raise ConfigError(f"{name} must be True or False, got {_came(given)}")
    return value


def one_of(given: Any, name: str, choices: Sequence[T]) -> T:
    """The one of `choices`, texts or whole numbers, that `given` equals.

    Raises:
        ConfigError: it is none of them.
    """
    value = _plain(given)
    if isinstance(value, str | Integral) and not isinstance(value, bool) and value in choices:
        return choices[choices.index(value)]
    raise ConfigError(f"{name} must be one of: {', '.join(map(str, choices))}, got {_came(given)}")


def an_instance(given: Any, name: str, kind: type[T], remedy: str) -> T:
    """`given`, which is of class `kind`.

    Args:
        given: what came.
        name: of the argument.
        kind: the class.
        remedy: what makes one, for the message.
    Raises:
        ConfigError: it is of another class.
    """
    if not isinstance(given, kind):
        raise ConfigError(f"{name} must be a {kind.__name__}, got {type(given).__name__}; {remedy}")
    return given


def as_texts(given: Any, name: str) -> list[str]:
    """The text or texts that `given` is: one text is one, not its letters.

    Raises:
        DataError: something among them is no text.
    """
    if isinstance(given, str):
        return [given]
    if not isinstance(given, Iterable) or isinstance(given, bytes | bytearray | Mapping | type):
        raise DataError(f"{name} must be a text or a list of texts, got {_came(given)}")
    many = list(given)
    for at, text in enumerate(many):
        if not isinstance(text, str):
            raise DataError(f"{name}[{at}] must be a text, got {type(text).__name__}")
    return many


def _plain(given: Any) -> Any:
    """The Python value of a NumPy or PyTorch scalar; anything else as it is."""
    return given.item() if getattr(given, "ndim", None) == 0 and hasattr(given, "item") else given


def _came(given: Any) -> str:
    """What came, for a message: a plain value as Python writes it, of anything else its type and shape."""
    given = _plain(given)
    if given is None or isinstance(given, str | bytes | Real | complex):
        return shown(given)
    shape = getattr(given, "shape", None)
    return f"{type(given).__name__} {tuple(shape)}" if isinstance(shape, tuple) else type(given).__name__
