"""What makes a partner: the movie itself, or every movie with the same intro."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cinealign.errors import ConfigError, DataError

IDENTITIES = ("item", "intro")


def identity_ids(ids: ArrayLike, intros: Sequence[str] | None = None, by: str = "item") -> NDArray[np.int64]:
    """Ids for `retrieval_ranks` and `evaluate_*`: equal where an item counts as a partner.

    Two movies of a series can have one and the same intro; no model can tell them apart by it. `by="intro"` takes them
    as each other's partners, which makes the task easier and is never the headline. Intros are compared after Unicode
    normalisation, in lower case and with runs of white space as one. An empty intro is nobody's equal.

    Args:
        ids: (N,) movie ids, integers or strings.
        intros: (N,) cleaned intros; needed for "intro".
        by: "item" or "intro".
    Returns:
        (N,) int64 in [0, N). Movies with one movie id always share theirs.
    Raises:
        ConfigError: another `by`.
        DataError: `intros` is missing or has another length.
    """
    if by not in IDENTITIES:
        raise ConfigError(f"identity must be one of {', '.join(IDENTITIES)}, got {by!r}")
    movies = np.unique(np.asarray(ids), return_inverse=True)[1].astype(np.int64)
    if by == "item":
        return movies
    if intros is None or len(intros) != len(movies):
        raise DataError(
            f"identity by intro needs one intro an item, {len(movies)}; got {'none' if intros is None else len(intros)}"
        )
    leader = {int(movie): int(movie) for movie in movies}  # movies joined by an intro, as a forest
    met: dict[str, int] = {}
    for movie, intro in zip(movies.tolist(), intros, strict=True):
        text = " ".join(unicodedata.normalize("NFKC", intro).casefold().split())
        if text:
            leader[_root(leader, movie)] = _root(leader, met.setdefault(text, movie))
    return np.array([_root(leader, movie) for movie in movies.tolist()], dtype=np.int64)


def _root(leader: dict[int, int], movie: int) -> int:
    while leader[movie] != movie:
        leader[movie] = leader[leader[movie]]
        movie = leader[movie]
    return movie
