"""Does the diagonal of a matrix D follow from its other entries, as it must where D comes from vectors?

Where D[i, j] is an inner product of d-dimensional vectors (or a simple function of one), its entries are bound to each
other: D[i, i] follows from entries off the diagonal alone. Take three sets of movies without a common member, R, C, T. Then
D[T, T] = D[T, C] pinv(D[R, C]) D[R, T] whenever d is below the sizes of R and C, and none of the three blocks on the right
holds a diagonal entry. Entries of D[T, T] beside the diagonal are predicted by the same product, so they say how well
prediction works, and a diagonal that was changed afterwards stands out against them, by however little it was changed.
Source of the identity: Goreinov, Tyrtyshnikov and Zamarashkin 1997 (pseudoskeleton approximations).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

PARTS = 5
"""The movies are cut into so many sets; each is T once, the others are R and C."""
EXACT = 1e-3
"""Residuals off the diagonal below this part of D's spread: D is one of vectors."""
ROUNDING = 2.5
"""Nor do residuals off the diagonal count that are below so many times the rounding of the stored numbers."""
TRIED_ON = 800
"""Movies on which the form is chosen."""
WILD = 30.0
"""Deviation beyond which residuals off the diagonal are too wild to judge the diagonal by."""
FEWEST = 24
"""Movies below which there is too little to predict from."""
RANKS = 24
"""How many ranks of the prediction are tried, evenly in their logarithm."""

Form = Callable[[NDArray[np.float64]], NDArray[np.float64]]

ONE_WAY: dict[str, tuple[float, float]] = {"D squared": (0, np.inf), "cos D": (0, np.pi), "1 / D": (0, np.inf)}
"""Entries between which a form only grows or only falls; beyond it an entry that is too low could look too high."""
RANGE = {**ONE_WAY, "log D": (0, np.inf), "log (1 - D)": (-np.inf, 1), "logit D": (0, 1)}
"""Entries for which a form has a meaning. A diagonal entry beyond it is nearer or farther than any of that form."""
SLACK = 1e-3
"""Part of the range of D by which rounding may carry an entry beyond what a form has a meaning for."""
HIDDEN = 0.02
"""Share of entries that rounding may hide where the others are taken to be bound."""
SATURATED = 0.3
"""Share of entries that may be stored at the end of a form's range (1 - p where p is below the rounding): they are taken to
lie half a step inside. Rather a bent form of the right kind than another kind, whose residuals lean to one side."""
STEEP = 100.0
"""Times the rounding of an entry has to be larger than that of most, for the entry not to be judged."""
FARTHEST = 1e9
"""Deviation of such an entry."""
FALLING = ("cos D", "log (1 - D)", "1 / D")
"""Forms that grow where D falls."""
FORMS: dict[str, Form] = {
    "D": lambda D: D,
    "D squared": np.square,
    "cos D": np.cos,
    "log D": np.log,
    "log (1 - D)": lambda D: np.log1p(-D),
    "1 / D": np.reciprocal,
    "logit D": lambda D: np.log(D) - np.log1p(-D),
}
"""Functions of D that are inner products for common distances: cosine or bilinear (with CSLS too), Euclidean, angle, softmax
or Sinkhorn as distance and as similarity, 1 / (1 + similarity), sigmoid."""


@dataclass(frozen=True)
class Prediction:
    """What the entries off the diagonal say of the diagonal.

    Attributes:
        form: the function of D that is predicted best.
        rank: of the prediction, the median over the parts.
        exactness: spread of the residuals off the diagonal over the spread of the entries, both as the middle half has
            it; 0 is perfect.
        rounding: what the rounding of the stored numbers alone (float16, three decimals ...) would make of it.
        deviations: (N,) observed minus predicted diagonal, in units of the residuals' spread off the diagonal; below 0
            where the partner is nearer than predicted, whatever the form.
        predicted: (N,) the diagonal in the form's unit, as the other entries have it.
        limit: deviation that one entry in a thousand off the diagonal exceeds, in the same units.
        nearer: share of entries off the diagonal that are nearer than predicted; far from a half where the form is skewed.
        hidden: (N,) entries that rounding hides, which are not judged.
    """

    form: str
    rank: int
    exactness: float
    rounding: float
    deviations: NDArray[np.float64]
    predicted: NDArray[np.float64]
    limit: float
    nearer: float
    hidden: NDArray[np.bool_]

    @property
    def exact(self) -> bool:
        """Whether D is one of vectors to rounding, so that every diagonal entry is bound by the others."""
        return self.exactness <= max(EXACT, ROUNDING * self.rounding) and self.limit <= WILD

    def binds(self, rows: NDArray[np.int64]) -> bool:
        """Whether the diagonal entries of `rows` are bound: D is one of vectors, and rounding hides few of them."""
        return self.exact and float(np.mean(self.hidden[rows])) <= HIDDEN


@dataclass(frozen=True)
class Bound:
    """What the entries beside the diagonal say, before the diagonal itself is looked at.

    Attributes:
        form, rank, exactness, rounding, predicted, limit, nearer: as of `Prediction`.
        unit: (N,) spread of the residuals beside the diagonal, in the form's unit.
        step: distance of neighbouring stored numbers.
        typical_step: what one step makes of the form, the median of all entries.
        slack: by how much an entry may leave the range of the form through rounding.
    """

    form: str
    rank: int
    exactness: float
    rounding: float
    predicted: NDArray[np.float64]
    limit: float
    nearer: float
    unit: NDArray[np.float64]
    step: float
    typical_step: float
    slack: float

    def observe(self, diagonal: NDArray[Any]) -> Prediction:
        """Compare (N,) diagonal entries with their prediction.

        Where the form is so steep that rounding hides far more than it does of the other entries, as log D near 0, an entry
        is not judged: its deviation is 0.
        """
        own = np.asarray(diagonal, dtype=np.float64)
        low, high = RANGE.get(self.form, (-np.inf, np.inf))
        form = FORMS[self.form]
        with np.errstate(all="ignore"):
            values, farther, nearer = (
                form(np.clip(entries, low + self.step / 2, high - self.step / 2))
                for entries in (own, own + self.step, own - self.step)
            )
            deviations = (values - self.predicted) / self.unit
            coarse = np.maximum(np.abs(farther - values), np.abs(nearer - values))
            hidden = coarse > np.maximum(STEEP * self.typical_step, self.limit * self.unit)
        deviations = np.where(hidden | np.isnan(deviations), 0.0, deviations)
        if self.form in FALLING:
            deviations = -deviations
        deviations[own < low - self.slack] = -FARTHEST
        deviations[own > high + self.slack] = FARTHEST
        return Prediction(
            form=self.form,
            rank=self.rank,
            exactness=self.exactness,
            rounding=self.rounding,
            deviations=np.clip(deviations, -FARTHEST, FARTHEST),
            predicted=self.predicted,
            limit=self.limit,
            nearer=self.nearer,
            hidden=hidden,
        )


def predict_diagonal(D: NDArray[Any], *, seed: int = 0) -> Prediction | None:
    """The diagonal of D from its other entries; None for fewer than `FEWEST` movies.

    Args:
        D: (N, N) finite.
        seed: of the cut into parts.
    """
    bound = bind_diagonal(D, seed=seed)
    return None if bound is None else bound.observe(np.asarray(D).diagonal())


def bind_diagonal(D: NDArray[Any], *, seed: int = 0) -> Bound | None:
    """What the entries beside the diagonal say of it; the diagonal plays no part. None for fewer than `FEWEST` movies.

    Time is that of `PARTS` singular value decompositions of a matrix of 0.44 N x 0.44 N.

    Args:
        D: (N, N) finite.
        seed: of the cut into parts.
    """
    n = len(D)
    if n < FEWEST:
        return None
    random = np.random.default_rng(seed)
    matrix = np.array(D, dtype=np.float64)
    places = np.arange(n)
    matrix[places, places] = matrix[places, (places + 1) % n]  # so that nothing on it decides the form or the spread
    step = _step(matrix)
    name = _best_form(matrix[np.ix_(*2 * [random.permutation(n)[:TRIED_ON]])], step, random)
    values = _formed(matrix, name, step)
    if values is None:  # it has a meaning for the entries that were tried and not for all
        name, values = "D", matrix
    part = random.permutation(np.arange(n) % PARTS)
    found = [_part(values, part, number) for number in range(PARTS)]
    predicted, unit = np.zeros(n), np.zeros(n)
    for piece in found:
        predicted[piece.rows], unit[piece.rows] = piece.predicted, piece.unit
    with np.errstate(all="ignore"):
        typical = float(np.nanmedian(np.abs(values - FORMS[name](matrix + step))))
    below = float(np.median([piece.below for piece in found]))
    return Bound(
        form=name,
        rank=int(np.median([piece.rank for piece in found])),
        exactness=float(np.median([piece.exactness for piece in found])),
        rounding=typical / np.sqrt(12) / max(_scale(values), np.finfo(np.float64).tiny),
        predicted=predicted,
        limit=float(np.median([piece.limit for piece in found])),
        nearer=1 - below if name in FALLING else below,
        unit=unit,
        step=step,
        typical_step=typical,
        slack=max(step, SLACK * float(np.ptp(matrix))),
    )


@dataclass(frozen=True)
class _Piece:
    """The prediction of one part's movies."""

    rows: NDArray[np.int64]
    rank: int
    exactness: float
    unit: float
    predicted: NDArray[np.float64]
    limit: float
    below: float


def _formed(matrix: NDArray[np.float64], name: str, step: float) -> NDArray[np.float64] | None:
    """The form of D, None where it has no meaning for these numbers."""
    low, high = RANGE.get(name, (-np.inf, np.inf))
    off = ~np.eye(len(matrix), dtype=bool)
    with np.errstate(all="ignore"):
        values = FORMS[name](matrix)
        if np.isfinite(values).all():
            return values
        inside = np.clip(matrix, low + step / 2, high - step / 2)
        beyond = np.abs(inside - matrix) > step
        if beyond.any() or float(np.mean(inside[off] != matrix[off])) > SATURATED:
            return None
        values = FORMS[name](inside)
    return values if np.isfinite(values).all() else None


def _best_form(matrix: NDArray[np.float64], step: float, random: np.random.Generator) -> str:
    """The form whose entries follow from each other best."""
    part = random.permutation(np.arange(len(matrix)) % PARTS)
    exactness = {
        name: _part(values, part, 0).exactness
        for name in FORMS
        if _one_way(matrix, name) and (values := _formed(matrix, name, step)) is not None
    }
    return min(exactness, key=exactness.__getitem__)


def _one_way(matrix: NDArray[np.float64], name: str) -> bool:
    """Whether the form only grows or only falls over the entries beside the diagonal (rounding below 0 allowed)."""
    low, high = ONE_WAY.get(name, (-np.inf, np.inf))
    off = matrix[~np.eye(len(matrix), dtype=bool)]
    slack = SLACK * float(np.ptp(off))
    return bool(off.min() >= low - slack and off.max() <= high + slack)


def _step(matrix: NDArray[np.float64]) -> float:
    """The distance of neighbouring numbers of the coarsest grid, of decimals or half precision, that holds all entries
    beside the diagonal: one that was changed afterwards need not lie on it.
    """
    off = matrix[~np.eye(len(matrix), dtype=bool)]
    few = off[:: max(1, off.size // 10_000)]
    for decimals in range(1, 7):
        if np.allclose(few, np.round(few, decimals), rtol=0, atol=10.0 ** -(decimals + 3)):
            return 10.0**-decimals
    largest = float(np.abs(matrix).max())
    with np.errstate(over="ignore"):
        if np.array_equal(few, few.astype(np.float16).astype(np.float64)):
            return largest * 2.0**-11
    return largest * 2.0**-24


def _part(values: NDArray[np.float64], part: NDArray[np.int64], number: int) -> _Piece:
    """Predict the block of part `number` at the rank that fits its entries off the diagonal best."""
    rows, others = np.flatnonzero(part == number), np.flatnonzero(part != number)
    left, across = others[::2], others[1::2]
    block = values[np.ix_(rows, rows)]
    u, sizes, vt = np.linalg.svd(values[np.ix_(left, across)], full_matrices=False)
    kept = max(1, int(np.count_nonzero(sizes > sizes[0] * 1e-13)))
    from_rows = values[np.ix_(rows, across)] @ vt[:kept].T / sizes[:kept]  # (T, kept)
    from_columns = u[:, :kept].T @ values[np.ix_(left, rows)]  # (kept, T)
    off = ~np.eye(len(rows), dtype=bool)
    spread = _scale(block[off])
    best: tuple[float, int, NDArray[np.float64]] | None = None
    for rank in np.unique(np.geomspace(1, kept, RANKS).round().astype(int)):
        residual = block - from_rows[:, :rank] @ from_columns[:rank]
        size = _spread(residual[off])
        if best is None or size < best[0]:
            best = size, int(rank), residual
    assert best is not None
    size, rank, residual = best
    unit = max(size, np.finfo(np.float64).tiny)
    return _Piece(
        rows=rows,
        rank=rank,
        exactness=size / spread if spread > 0 else 0.0,
        unit=unit,
        predicted=block.diagonal() - residual.diagonal(),
        limit=float(np.quantile(np.abs(residual[off]), 0.999)) / unit,
        below=float(np.mean(residual[off] < 0)),
    )


def _scale(values: NDArray[np.float64]) -> float:
    """What residuals are measured by. The same statistic as theirs, as the standard deviation of a peaked D, such as one of
    Sinkhorn with a low temperature, is that of its peaks, beside which any residual of the others looks small.
    """
    return _spread(values) or float(values.std())


def _spread(values: NDArray[np.float64]) -> float:
    """Standard deviation as the middle half of the values has it: a few wild ones do not count."""
    low, high = np.quantile(values, [0.25, 0.75])
    return float(high - low) / 1.349
