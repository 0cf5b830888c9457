"""Is D lying on its side? Rows should resemble each other as posters do, and columns as intros do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cinealign.audit.findings import Finding, failed, noted, passed
from cinealign.data.fingerprints import colour_layout, text_similarities
from cinealign.data.posters import Poster

MOVIES = 800
"""Held-out movies looked at, at most."""
MARGIN = 4.0
"""Standard errors by which one orientation has to win on one side at least, the other side agreeing."""


def check_orientation(
    D: NDArray[Any], rows: NDArray[np.int64], posters: Sequence[Poster], intros: Sequence[str]
) -> Finding:
    """Compares how rows and columns of D resemble each other with how posters and intros do.

    Two intros with many words in common should have similar columns; two posters with similar colours, similar rows. FAIL
    where both sides say the opposite, one of them by `MARGIN` standard errors (of a sum over movies).

    Args:
        D: (N, N) finite.
        rows: movies to look at, held-out ones: of train pairs a model may have remembered both sides.
        posters, intros: of all N movies.
    """
    name = "orientation"
    chosen = rows if len(rows) <= MOVIES else np.sort(np.random.default_rng(0).choice(rows, MOVIES, replace=False))
    if len(chosen) < 20:
        return noted(name, f"{len(chosen)} items are too few to tell rows from columns")
    matrix = np.asarray(D, dtype=np.float64)
    alike_rows, alike_columns = _alike(matrix[chosen]), _alike(matrix[:, chosen].T)
    text = text_similarities([intros[row] for row in chosen])
    colour = _alike(colour_layout([posters[row] for row in chosen]))
    intro = _advantage(text, alike_columns, alike_rows)
    poster = _advantage(colour, alike_rows, alike_columns)
    said = (
        f"columns fit the intros better than rows do by {intro:.1f} standard errors, rows the posters by {poster:.1f}"
    )
    details = {"intro": intro, "poster": poster}
    if intro < 0 and poster < 0 and min(intro, poster) < -MARGIN:
        return failed(name, f"{said}: D is transposed; D[i, j] must be poster i and intro j", **details)
    if intro > 0 and poster > 0 and max(intro, poster) > MARGIN:
        return passed(name, said, **details)
    return noted(name, f"{said}: that does not tell rows from columns", **details)


def _alike(lines: NDArray[np.float64]) -> NDArray[np.float64]:
    """(M, M) correlations of the lines, the common line taken away first."""
    centred = lines - lines.mean(axis=0)
    centred = centred - centred.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    unit = centred / np.maximum(lengths, 1e-12)
    alike: NDArray[np.float64] = unit @ unit.T
    return alike


def _advantage(model: NDArray[np.float64], mine: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """How much better `mine` follows `model` than `other` does: a difference of correlations in standard errors."""
    apart = _standardised(mine) - _standardised(other)
    products = _standardised(model) * apart  # (M, M), zero diagonal
    by_movie = products.sum(axis=1)  # each pair counts with both its movies
    error = 2 * float(by_movie.std()) * np.sqrt(len(by_movie))
    return float(by_movie.sum()) / error if error > 0 else 0.0


def fit(model: NDArray[np.float64], lines: NDArray[np.float64]) -> float:
    """How well the lines of D resemble each other as their items do: a correlation in standard errors.

    Args:
        model: (M, M) likenesses of items.
        lines: (M, N) their rows or columns of D.
    """
    products = _standardised(model) * _standardised(_alike(lines))
    by_movie = products.sum(axis=1)
    error = 2 * float(by_movie.std()) * np.sqrt(len(by_movie))
    return float(by_movie.sum()) / error if error > 0 else 0.0


def _standardised(values: NDArray[np.float64]) -> NDArray[np.float64]:
    off = ~np.eye(len(values), dtype=bool)
    scaled = (values - values[off].mean()) / max(float(values[off].std()), 1e-12)
    return np.where(off, scaled, 0.0)
