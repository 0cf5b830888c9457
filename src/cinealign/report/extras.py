"""The libraries that only reports and notebooks need: imported when asked for, and named where they are missing."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from cinealign.errors import ConfigError

INSTALL = "pip install 'cinealign[report]'"


def extra(module: str, purpose: str) -> Any:
    """The module of that name.

    Args:
        module: its full name.
        purpose: what it is needed for, for the message.
    Raises:
        ConfigError: it is not installed; the message says what to install.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        top = module.partition(".")[0]
        if error.name is None or error.name.partition(".")[0] != top:
            raise  # it is there, and something that it needs is not: its own message says more
        raise ConfigError(f"{purpose} needs {top!r}, which is not installed; install it with: {INSTALL}") from None
