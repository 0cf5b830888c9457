"""Where the data is when the user does not say so."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from cinealign.errors import DataError

VARIABLE = "CINEALIGN_DATA"
USUAL_PLACES = ("data/movielens", "../shared/movielens")
"""Looked for in this order, relative to the working directory."""


def locate_data(given: Path | None, *, cwd: Path | None = None, environ: Mapping[str, str] = os.environ) -> Path | None:
    """The data folder: `given` (--data), else the variable CINEALIGN_DATA, else the first usual place that exists.

    Returns:
        The folder, or None where there is none; the caller then draws the sample and says so.
    Raises:
        DataError: `given` or the variable names a folder that does not exist; another is never taken in its stead.
    """
    here = Path.cwd() if cwd is None else cwd
    for name, asked in (("--data", given), (VARIABLE, environ.get(VARIABLE) or None)):
        if asked is not None:
            if not (folder := here / asked).is_dir():
                raise DataError(
                    f"{name} {asked}: no such folder; give the one that holds info.csv, poster/ and train.txt"
                )
            return folder
    return next((here / place for place in USUAL_PLACES if (here / place).is_dir()), None)
