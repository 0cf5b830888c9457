"""How often a score means the right answer: learned from out-of-fold train pairs, tried on held-out ones.

Two steps. First, the partner of a query is somewhere among the N items of the other side, and the more an item's score
stands out the likelier it is the one: p = exp(a s) / sum exp(a s), where the sharpness a depends on how much the query says
(letters on a poster, words of a text) and is chosen so that the train partners are likeliest. Second, a logistic regression
mends what that leaves: of log odds, the margin to the best other item and what the hit itself says. Both are fitted on train
pairs as copies of the model see them that were fitted without them, each query among all train items. Nothing held out is
used; `reliability` then says how true it comes out there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cinealign.errors import DataError

Floats = NDArray[np.float64]
HITS = 10
"""Nearest items of a query that the second step learns from."""
LOWEST, HIGHEST = 0.001, 0.999
MOST_WRONGED = 0.1
"""Of the answers called "no good match" at most this share may have the partner first."""
LIMITS = np.arange(0.02, 0.31, 0.01)
BINS = 10
FEWEST = 40
"""Train pairs that a calibration needs."""


@dataclass(frozen=True)
class Evidence:
    """Queries of one direction with the scores of everything that they could find.

    Attributes:
        scores: (Q, G).
        own: (Q,) column of the partner.
        query_amount: (Q,) how much each query says: letters on the poster, words of the text.
        hit_amount: (G,) how much each item says.
    """

    scores: NDArray[np.float32]
    own: NDArray[np.int64]
    query_amount: Floats
    hit_amount: Floats


@dataclass(frozen=True)
class Calibration:
    """What turns the scores of one direction into chances.

    Attributes:
        sharpness: ln a = sharpness[0] + sharpness[1] * how much the query says, in units of `query_scale`.
        weights: of the logistic regression: constant, log odds, margin, what the query says, what the hit says.
        query_scale, hit_scale: mean and spread of ln(1 + amount).
        limit: an answer whose best chance is below it is called no good match.
        pairs: out-of-fold queries that it was learned from.
    """

    sharpness: tuple[float, float]
    weights: tuple[float, ...]
    query_scale: tuple[float, float]
    hit_scale: tuple[float, float]
    limit: float
    pairs: int

    @classmethod
    def fit(cls, folds: Sequence[Evidence]) -> Calibration:
        """From out-of-fold pairs.

        Raises:
            DataError: fewer than `FEWEST` pairs.
        """
        pairs = sum(len(fold.own) for fold in folds)
        refuse_few(pairs)
        query_scale = _scale(np.concatenate([fold.query_amount for fold in folds]))
        hit_scale = _scale(folds[0].hit_amount)
        sharpness = _sharpest(folds, query_scale)
        bare = cls(sharpness, (0.0, 1.0, 0.0, 0.0, 0.0), query_scale, hit_scale, 0.0, pairs)
        features, right, first = [], [], []
        for fold in folds:
            near, odds, margins = bare._near(fold)
            for column in range(near.shape[1]):
                rows = bare._features(
                    odds[:, column], margins[:, column], fold.query_amount, fold.hit_amount[near[:, column]]
                )
                features.append(rows)
                right.append(near[:, column] == fold.own)
                first.append(np.full(len(rows), column == 0))
        every, found = np.concatenate(features), np.concatenate(right)
        fitted = cls(sharpness, _logistic(every, found), query_scale, hit_scale, 0.0, pairs)
        tops = np.concatenate(first)
        limit = _limit(fitted._probability(every[tops]), found[tops])
        return cls(sharpness, fitted.weights, query_scale, hit_scale, limit, pairs)

    def odds(self, score: Floats, others: Floats, query_amount: float | None) -> Floats:
        """ln(p / (1 - p)) of hits, before the second step.

        Args:
            score: (K,) of the hits.
            others: (K,) ln of the sum of exp(a s) over all other items, from `mass`.
            query_amount: what the query says; None where that is not known.
        """
        return self.slope(query_amount) * score - others

    def slope(self, query_amount: float | None) -> float:
        """a."""
        return float(np.exp(self.sharpness[0] + self.sharpness[1] * _scaled(query_amount, self.query_scale)))

    def chances(
        self, odds: Floats, margins: Floats, query_amount: float | None, hit_amounts: Sequence[float | None]
    ) -> Floats:
        """(K,) the probability that each hit is the partner, between 0.001 and 0.999.

        Args:
            odds: (K,) from `odds`.
            margins: (K,) a times the distance of each hit's score to the best other one.
            query_amount, hit_amounts: what the query and the hits say; None where that is not known.
        """
        hits = np.array([_scaled(amount, self.hit_scale) for amount in hit_amounts])
        query = np.full(len(hits), _scaled(query_amount, self.query_scale))
        return self._probability(np.stack([np.ones(len(hits)), odds, margins, query, hits], axis=1))

    def top_chances(self, evidence: Evidence) -> tuple[Floats, NDArray[np.bool_]]:
        """(Q,) the chance of every query's best hit, and whether it is the partner."""
        near, odds, margins = self._near(evidence, 1)
        rows = self._features(odds[:, 0], margins[:, 0], evidence.query_amount, evidence.hit_amount[near[:, 0]])
        return self._probability(rows), near[:, 0] == evidence.own

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> Calibration:
        """The counterpart of `to_json`."""
        values: dict[str, Any] = {n: tuple(value) if isinstance(value, list) else value for n, value in given.items()}
        return cls(**values)

    def _near(self, evidence: Evidence, hits: int = HITS) -> tuple[NDArray[np.int64], Floats, Floats]:
        """(Q, hits) nearest items, their log odds and their margins."""
        slopes = np.exp(self.sharpness[0] + self.sharpness[1] * _all_scaled(evidence.query_amount, self.query_scale))
        logits = slopes[:, None] * evidence.scores.astype(np.float64)
        count = min(max(hits, 2), logits.shape[1])
        near = np.argpartition(-logits, count - 1, axis=1)[:, :count]
        near = np.take_along_axis(near, np.argsort(-np.take_along_axis(logits, near, 1), axis=1, kind="stable"), 1)
        top = np.take_along_axis(logits, near, 1)
        highest = top[:, :1]
        total = np.exp(logits - highest).sum(axis=1, keepdims=True)
        rest = np.maximum(total - np.exp(top - highest), 1e-12)
        odds = top - highest - np.log(rest)
        margins = np.where(np.arange(count) == 0, top[:, :1] - top[:, 1:2], top - top[:, :1])
        return near[:, :hits], odds[:, :hits], margins[:, :hits]

    def _features(self, odds: Floats, margins: Floats, query: Floats, hit: Floats) -> Floats:
        query, hit = _all_scaled(query, self.query_scale), _all_scaled(hit, self.hit_scale)
        return np.stack([np.ones(len(odds)), odds, margins, query, hit], axis=1)

    def _probability(self, features: Floats) -> Floats:
        found: Floats = np.clip(1 / (1 + np.exp(-(features @ np.array(self.weights)))), LOWEST, HIGHEST)
        return found


def refuse_few(pairs: int) -> None:
    """Raises DataError where a calibration has too few train pairs."""
    if pairs < FEWEST:
        raise DataError(
            f"a calibration needs {FEWEST} train pairs, got {pairs}; pass --no-chances for an index without"
        )


def mass(slope: float, near: Floats, background: Floats, items: int) -> Floats:
    """(K,) ln of the sum of exp(slope * score) over all items but each of the K nearest.

    Args:
        slope: a.
        near: (K,) scores of the nearest, falling.
        background: (B,) scores of items drawn at random, or of all.
        items: how many there are in all.
    """
    tail = background[background < near[-1]] if len(near) < items else background[:0]
    highest = slope * near[0]
    of_near = np.exp(slope * near - highest)
    per_item = (items - len(near)) / max(1, len(tail))
    rest = per_item * float(np.exp(slope * tail - highest).sum())
    others: Floats = highest + np.log(np.maximum(of_near.sum() - of_near + rest, 1e-12))
    return others


def expected_rank(slope: float, near: Floats, background: Floats, items: int) -> float:
    """The mean rank of the partner when item j is it with p_j as in `mass`."""
    tail = np.sort(background[background < near[-1]])[::-1] if len(near) < items else background[:0]
    per_item = (items - len(near)) / max(1, len(tail))
    weights = np.concatenate([np.exp(slope * (near - near[0])), per_item * np.exp(slope * (tail - near[0]))])
    ranks = np.concatenate([np.arange(1, len(near) + 1), len(near) + per_item * (np.arange(len(tail)) + 0.5) + 0.5])
    return float((weights * ranks).sum() / weights.sum())


def reliability(chances: Floats, right: NDArray[np.bool_], limit: float, *, samples: int = 1000) -> dict[str, Any]:
    """How true the chances of the best hits come out.

    Returns:
        `n`; `ece`, the expected calibration error over ten bins of equal width, and its 95 % bootstrap interval; `bins`, each
        with its bounds, count, mean chance, share that is right and the 95 % Wilson interval of that; `no_good_match`: how
        many answers fall below `limit`, and the share of them whose best hit is the partner.
    """
    from cinealign.evaluation.statistics import wilson_interval

    dice = np.random.default_rng(0)
    drawn = [dice.integers(0, len(right), len(right)) for _ in range(samples)]
    errors = [_ece(chances[rows], right[rows]) for rows in drawn]
    bins = []
    for lower in range(BINS):
        here = np.minimum((chances * BINS).astype(int), BINS - 1) == lower
        if here.any():
            share = float(right[here].mean())
            bins.append(
                {
                    **{"from": lower / BINS, "to": (lower + 1) / BINS, "n": int(here.sum())},
                    **{"chance": float(chances[here].mean()), "right": share},
                    "interval": list(wilson_interval(int(right[here].sum()), int(here.sum()))),
                }
            )
    refused = chances < limit
    return {
        "n": len(right),
        "ece": _ece(chances, right),
        "interval": [float(edge) for edge in np.quantile(errors, [0.025, 0.975])],
        "bins": bins,
        "no_good_match": {
            "limit": limit,
            "n": int(refused.sum()),
            "right": float(right[refused].mean()) if refused.any() else 0.0,
        },
    }


def _ece(chances: Floats, right: NDArray[np.bool_]) -> float:
    at = np.minimum((chances * BINS).astype(int), BINS - 1)
    gaps = np.bincount(at, weights=chances - right, minlength=BINS)
    return float(np.abs(gaps).sum() / len(right))


def _sharpest(folds: Sequence[Evidence], scale: tuple[float, float]) -> tuple[float, float]:
    """The two numbers of ln a under which the partners are likeliest."""
    from scipy.optimize import minimize

    spread = float(np.mean([fold.scores.std() for fold in folds])) or 1.0
    amounts = [_all_scaled(fold.query_amount, scale) for fold in folds]
    scores = [fold.scores.astype(np.float64) for fold in folds]

    def loss(x: Floats) -> float:
        total = 0.0
        for fold, amount, each in zip(folds, amounts, scores, strict=True):
            logits = np.exp(np.clip(x[0] + x[1] * amount, -20, 20))[:, None] * each
            highest = logits.max(axis=1)
            total += float((np.log(np.exp(logits - highest[:, None]).sum(axis=1)) + highest).sum())
            total -= float(logits[np.arange(len(fold.own)), fold.own].sum())
        return total

    best = minimize(
        loss, np.array([-np.log(spread), 0.0]), method="Nelder-Mead", options={"maxiter": 80, "xatol": 1e-3}
    )
    return float(best.x[0]), float(best.x[1])


def _logistic(features: Floats, right: NDArray[np.bool_]) -> tuple[float, ...]:
    """Weights of a logistic regression with a little ridge; never a falling one for the log odds."""
    from sklearn.linear_model import LogisticRegression

    if right.all() or not right.any():
        return (0.0, 1.0, 0.0, 0.0, 0.0)
    fitted = LogisticRegression(C=10.0, max_iter=1000).fit(features[:, 1:], right)
    return (float(fitted.intercept_[0]), *(float(weight) for weight in fitted.coef_[0]))


def _limit(chances: Floats, right: NDArray[np.bool_]) -> float:
    """The highest limit below which the upper end of the 95 % interval of the share that is right stays small enough."""
    from cinealign.evaluation.statistics import wilson_interval

    good = [
        float(limit)
        for limit in LIMITS
        if (below := chances < limit).any()
        and wilson_interval(int(right[below].sum()), int(below.sum()))[1] <= MOST_WRONGED
    ]
    return round(max(good, default=float(LIMITS[0])), 2)


def _scale(amounts: Floats) -> tuple[float, float]:
    logs = np.log1p(amounts)
    return float(logs.mean()), float(logs.std()) or 1.0


def _scaled(amount: float | None, scale: tuple[float, float]) -> float:
    return 0.0 if amount is None else float((np.log1p(amount) - scale[0]) / scale[1])


def _all_scaled(amounts: Floats, scale: tuple[float, float]) -> Floats:
    found: Floats = (np.log1p(amounts) - scale[0]) / scale[1]
    return found
