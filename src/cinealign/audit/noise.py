"""Noise in the place of held-out posters and intros, for showing that nothing was learned from them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cinealign.data.catalogue import Catalogue
from cinealign.model import Extracts
from cinealign.views.base import Extracted


def noisy(extracts: Extracts, rows: NDArray[np.int64], *, seed: int) -> Extracts:
    """`extracts` with everything that was seen of the movies `rows` replaced by random values of the same shape and type.

    Words become words of random letters, numbers random ones of about the same size.
    """
    random = np.random.default_rng(seed)
    poster = {name: _with_noise(values, rows, random) for name, values in extracts.poster.items()}
    intro = {name: _with_noise(values, rows, random) for name, values in extracts.intro.items()}
    return Extracts(poster, intro, extracts.size)


def noisy_catalogue(catalogue: Catalogue, rows: NDArray[np.int64], *, seed: int) -> Catalogue:
    """`catalogue` with the intros, titles, genres and people of the movies `rows` replaced by words of random letters."""
    random = np.random.default_rng(seed)
    movies = list(catalogue.movies)
    for row in rows:
        movie = movies[row]
        movies[row] = replace(
            movie,
            title=scrambled(movie.title, random),
            genres=scrambled(movie.genres, random),
            intro=scrambled(movie.intro, random),
            directors=scrambled(movie.directors, random),
            writers=scrambled(movie.writers, random),
            cast=scrambled(movie.cast, random),
        )
    return replace(catalogue, movies=tuple(movies))


def scrambled(value: Any, random: np.random.Generator) -> Any:
    """Random content of the same kind and size: text, number, array, or a list, tuple or record of such."""
    if isinstance(value, str):
        letters = random.choice(list("bcdfghjklmnpqrstvwxyz"), size=len(value))
        return "".join(" " if c.isspace() else str(letter) for c, letter in zip(value, letters, strict=True))
    if isinstance(value, np.ndarray):
        return _scrambled_array(value, random)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(scrambled(part, random) for part in value))
    if isinstance(value, list | tuple):
        return type(value)(scrambled(part, random) for part in value)
    if isinstance(value, dict):
        return {key: scrambled(part, random) for key, part in value.items()}
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return int(random.integers(0, abs(value) + 2))
    assert isinstance(value, float), f"no noise is known for {type(value).__name__}"
    return float(random.normal(value, abs(value) + 1))


def _scrambled_array(value: NDArray[Any], random: np.random.Generator) -> NDArray[Any]:
    if value.dtype.kind == "f":
        size = float(np.abs(value).mean()) + 1e-3
        return random.normal(0, 3 * size, value.shape).astype(value.dtype)
    if value.dtype.kind in "iu":
        return random.integers(0, int(value.max(initial=1)) + 1, value.shape).astype(value.dtype)
    assert value.dtype == object, f"no noise is known for arrays of {value.dtype}"
    found = np.empty_like(value)
    found.ravel()[:] = [scrambled(item, random) for item in value.ravel()]
    return found


def _with_noise(values: Extracted, rows: NDArray[np.int64], random: np.random.Generator) -> Extracted:
    if isinstance(values, np.ndarray):
        replaced = values.copy()
        if len(rows):
            replaced[rows] = scrambled(values[rows], random)
        return replaced
    entries = list(values)
    for row in rows:
        entries[row] = scrambled(entries[row], random)
    return entries
