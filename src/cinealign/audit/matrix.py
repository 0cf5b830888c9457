"""The audit of a matrix D of which nothing else is known: what its numbers alone give away.

Without vectors and model nobody can say whether a matrix was computed honestly. These checks find what honest ways of
computing D cannot give; what they can and cannot show stands in docs/audit.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtrc

from cinealign.audit.diagonal import Bound, Prediction, bind_diagonal
from cinealign.audit.findings import Finding, failed, left_open, listed, noted, passed
from cinealign.audit.pile_ups import check_pile_ups, check_ties
from cinealign.evaluation.accuracy import top_k
from cinealign.evaluation.metrics import DIRECTIONS, TASK_RATIO, TEST_STEP_RATIO
from cinealign.evaluation.plausible import as_surely
from cinealign.evaluation.ranks import Ranks, ranks_from_distances

CHANCE = 1e-6
"""Probability under which a count of diagonal entries is no accident."""
OUTSIDE = 0.002
"""Share of honest diagonal entries that may lie outside the limit, which one entry in a thousand exceeds by definition; twice
that allows for the prediction's own error."""
WILD_LIMITS = 10
"""Limits beyond which a deviation is none of rounding, whatever its sign."""
GAP_FIRST = 20
"""Partners at rank 1 below which nothing is said about gaps."""
GAP_RATIO = 0.05
"""Partners at ranks 2 to k beyond those that chance puts there, as a part of those at rank 1, below which there is a gap."""
PERFECT = 0.98
"""Share of held-out partners at rank 1 above which a matrix that is no product of vectors is not believed."""
MISSED_FEWEST = 20
"""Held-out pairs that are not found, below which they are not looked at."""
MISSED_LOWER = 0.9
"""Share of such pairs whose diagonal may lie below its prediction; a half does where they have nothing that draws them
together, up to 0.85 was seen where a dense model draws every pair a little."""
MISSED_CHANCE = 1e-4
"""Probability under which a higher share than `MISSED_LOWER` is no accident."""
Rows = NDArray[np.int64]


def audit_matrix(D: NDArray[Any], train_rows: Rows, bound: Bound | None = None) -> list[Finding]:
    """Everything that numbers alone can show.

    Args:
        D: (N, N); NaN and infinity are found here and need not be refused before.
        train_rows: rows of the train movies; all others are held out.
        bound: what the entries beside the diagonal say, where that is known already: it takes most of the time.
    """
    found = [check_numbers(D)]
    if found[0].verdict == "FAIL":
        return found
    held_out = np.setdiff1d(np.arange(len(D)), train_rows)
    ranks = {direction: ranks_from_distances(D, dim) for direction, dim in zip(DIRECTIONS, (1, 0), strict=True)}
    found += [check_constant(D), check_ties(D), check_symmetry(D), check_direction(D, ranks)]
    if not len(held_out):
        return [*found, noted("special diagonal", "every item is a train item; there is nothing to judge by")]
    bound = bound or bind_diagonal(np.asarray(D))
    prediction = None if bound is None else bound.observe(np.asarray(D).diagonal())
    return [
        *found,
        check_diagonal(prediction, held_out, ranks),
        check_gap(ranks, held_out, prediction),
        check_pile_ups(ranks, {"held-out": held_out, "train": np.asarray(train_rows, dtype=np.int64)}),
        compare_splits(ranks, np.asarray(train_rows), held_out),
    ]


def check_numbers(D: NDArray[Any]) -> Finding:
    """Every entry is a finite number."""
    with np.errstate(invalid="ignore"):
        wrong = ~np.isfinite(np.asarray(D))
    if wrong.any():
        rows, columns = np.flatnonzero(wrong.any(axis=1)), np.flatnonzero(wrong.any(axis=0))
        kind = "NaN" if np.isnan(np.asarray(D)).any() else "infinite"
        if kind == "NaN" and wrong.sum() == wrong.all(axis=1).sum() * wrong.shape[1]:
            return failed(
                "finite",
                f"{len(rows)} whole rows ({listed(rows)}) are NaN and all other entries are numbers: a row of one value that "
                "is scaled to 0 and 1, or standardised, becomes 0 / 0. It is no sign of cheating, but NaN cannot be ranked; "
                "ask for D before scaling",
                rows=rows.tolist(),
                columns=columns.tolist(),
            )
        return failed(
            "finite",
            f"{int(wrong.sum())} entries are {kind} or worse, in {len(rows)} rows ({listed(rows)}); NaN compares false "
            "and would count as near",
            rows=rows.tolist(),
            columns=columns.tolist(),
        )
    return passed("finite", f"all {D.size} entries are finite numbers ({D.dtype})")


def check_constant(D: NDArray[Any]) -> Finding:
    """Rows or columns of one value: there a sort decides by position.

    An honest model has some, such as posters on which it read nothing; ties count against it, so nothing is gained.
    """
    rows, columns = np.flatnonzero(np.ptp(D, axis=1) == 0), np.flatnonzero(np.ptp(D, axis=0) == 0)
    if len(rows) or len(columns):
        said = f"{len(rows)} rows ({listed(rows)}) and {len(columns)} columns ({listed(columns)}) hold one value only"
        verdict = failed if 2 * max(len(rows), len(columns)) > len(D) else noted
        return verdict(
            "constant rows", f"{said}; ties count against the model", rows=rows.tolist(), columns=columns.tolist()
        )
    return passed("constant rows", "every row and column tells items apart")


def check_symmetry(D: NDArray[Any]) -> Finding:
    """Posters and intros are different things: D is not its own transpose, and no entry is 0 for being itself."""
    own = np.asarray(D).diagonal()
    off = ~np.eye(len(D), dtype=bool)
    if len(D) > 2 and np.ptp(own) == 0 and np.ptp(D[off]) > 0:
        return failed("two sides", f"every partner has the same distance, {own[0]:g}; the diagonal was put there")
    if len(D) > 2 and np.allclose(D, D.T, rtol=0, atol=1e-6 * float(np.ptp(D))):
        return failed("two sides", "D equals its transpose: both sides come from the same vectors")
    return passed("two sides", "D is not symmetric and partners differ in distance")


def check_direction(D: NDArray[Any], ranks: dict[str, Ranks]) -> Finding:
    """Lower is nearer: partners are not the farthest."""
    middle = float(np.mean([np.mean(found) for found in ranks.values()])) / len(D)
    if middle > 0.6:
        return failed(
            "sign", f"partners stand at {100 * middle:.0f} % of the gallery on average: D holds similarities?"
        )
    return passed("sign", f"partners stand at {100 * middle:.0f} % of the gallery on average, 50 % by chance")


def check_diagonal(prediction: Prediction | None, held_out: Rows, ranks: dict[str, Ranks]) -> Finding:
    """Held-out diagonal entries follow from the others as well as entries beside the diagonal do.

    Where D is no product of few dimensions, only pairs that neither direction finds are judged: such a pair has nothing
    that draws it together, so its entry lies above its prediction as often as below. If nearly all of them lie below,
    the whole diagonal was lowered, and not by enough for these.
    """
    name = "special diagonal"
    if prediction is None:
        return noted(name, "too few items to predict the diagonal from the other entries")
    deviations = prediction.deviations[held_out]
    outside = int(np.count_nonzero(np.abs(deviations) > prediction.limit))
    lower = float(np.mean(deviations < 0))
    middle_of_all = float(np.median(deviations))
    details: dict[str, Any] = {
        "form": prediction.form,
        "rank": prediction.rank,
        "exactness": prediction.exactness,
        "outside": outside,
        "lower": lower,
        "median": middle_of_all,
    }
    k = top_k(TASK_RATIO, len(prediction.deviations))
    missed = np.all([found[held_out] > k for found in ranks.values()], axis=0)
    missed_lower = int(np.count_nonzero(deviations[missed] < 0))
    hidden, bound = int(np.count_nonzero(prediction.hidden[held_out])), prediction.binds(held_out)
    details |= {
        "missed": int(missed.sum()),
        "missed_lower": missed_lower,
        "hidden": hidden,
        "nearer": prediction.nearer,
    }
    middle = f"{abs(middle_of_all):,.1f} spreads {'below' if middle_of_all < 0 else 'above'} its prediction"
    # Where the form is skewed, more than half of all entries lie below their prediction: as many times likelier is allowed.
    likelier = max(1.0, prediction.nearer / max(1 - prediction.nearer, 1e-9)) * MISSED_LOWER / (1 - MISSED_LOWER)
    chance = float(bdtrc(missed_lower - 1, int(missed.sum()), likelier / (1 + likelier)))
    if not bound and missed.sum() >= MISSED_FEWEST and chance < MISSED_CHANCE:
        return failed(
            name,
            f"of {int(missed.sum())} held-out pairs that neither direction finds, {missed_lower} still lie below what the "
            f"other entries predict ({middle} in the median of all): the diagonal was lowered as a whole",
            **details,
        )
    if not bound and prediction.exact:
        return left_open(
            name,
            f"{hidden} of {len(held_out)} held-out entries are stored so coarsely for {prediction.form} (at 0, say) that the "
            "other entries do not bind them: ask for vectors and model",
            **details,
        )
    if not bound:
        unbound = (
            f"D is no product of vectors with few dimensions (other entries are predicted to {prediction.exactness:.1e} of "
            f"their spread), so the diagonal is not bound by them; it lies {middle} in the median, {100 * lower:.0f} % "
            "of it below"
        )
        return left_open(
            name,
            f"{unbound}. Of {int(missed.sum())} held-out pairs that neither direction finds {missed_lower} lie below. A good "
            "model looks so, and so does a diagonal of which a part was lowered: ask for vectors and model",
            **details,
        )
    # Residuals of near entries can be larger than those of most others. Then as many partners lie above their prediction as
    # below, all within a few limits; a diagonal that was changed lies below, or farther away.
    nearer, farther = (int(np.count_nonzero(sign * deviations > prediction.limit)) for sign in (-1, 1))
    wild = int(np.count_nonzero(np.abs(deviations) > WILD_LIMITS * prediction.limit))
    usual = max(OUTSIDE, (farther + 1) / len(held_out))
    if _too_many(nearer, len(held_out), usual) or _too_many(wild, len(held_out), OUTSIDE):
        return failed(
            name,
            f"entries of {prediction.form} follow from each other to {prediction.exactness:.0e} of their spread, as those of "
            f"{prediction.rank} dimensional vectors do, but {outside} of {len(held_out)} held-out diagonal entries do not "
            f"({middle} in the median): they were changed after D was computed",
            **details,
        )
    return passed(
        name,
        f"held-out entries follow from the others as any entry does ({prediction.form} has about {prediction.rank} "
        f"dimensions, predicted to {prediction.exactness:.0e} of its spread)",
        **details,
    )


def _too_many(count: int, of: int, usual: float) -> bool:
    """Whether `count` of `of` entries is more than a share `usual` of them explains."""
    return count > 2 and float(bdtrc(count - 1, of, usual)) < CHANCE


def check_gap(ranks: dict[str, Ranks], held_out: Rows, prediction: Prediction | None) -> Finding:
    """Ranks of held-out partners thin out gradually; a partner that is first or nowhere was put first.

    A perfect matrix is believed where its diagonal follows from the other entries.
    """
    k = max(2, top_k(TASK_RATIO, len(ranks[DIRECTIONS[0]])))
    counts = {}
    for direction, found in ranks.items():
        asked = found[held_out]
        first, near = int(np.count_nonzero(asked == 1)), int(np.count_nonzero((asked > 1) & (asked <= k)))
        counts[direction] = {"first": first, "near": near, "far": len(asked) - first - near}
    said = "; ".join(
        f"{direction.replace('_', ' ')}: {c['first']} at rank 1, {c['near']} at 2 to {k}, {c['far']} beyond"
        for direction, c in counts.items()
    )
    bound = prediction is not None and prediction.binds(held_out)
    by_chance = k / len(ranks[DIRECTIONS[0]])
    gaps = [
        c
        for c in counts.values()
        if c["first"] >= GAP_FIRST and c["near"] - by_chance * (c["near"] + c["far"]) < GAP_RATIO * c["first"]
    ]
    if any(c["far"] > 0.02 * len(held_out) for c in gaps) and not bound:
        return failed("held-out ranks", f"partners are first or nowhere ({said}): some were put first", **counts)
    if any(c["first"] > PERFECT * len(held_out) for c in gaps) and not bound:
        return failed(
            "held-out ranks", f"almost every new pair is found at once ({said}): trained on, or put there", **counts
        )
    if gaps:
        return noted(
            "held-out ranks", f"partners are first or nowhere ({said}); the diagonal itself is sound", **counts
        )
    return passed("held-out ranks", said, **counts)


def compare_splits(ranks: dict[str, Ranks], train_rows: Rows, held_out: Rows) -> Finding:
    """Train and held-out accuracy side by side; equal and high ones can mean that held-out pairs were trained on."""
    n = len(ranks[DIRECTIONS[0]])
    k = top_k(TASK_RATIO, n)
    shares: dict[str, list[float]] = {
        split: [float(np.mean(found[rows] <= k)) if len(rows) else float("nan") for found in ranks.values()]
        for split, rows in (("train", train_rows), ("held_out", held_out))
    }
    train, new = (float(np.mean(shares[split])) for split in ("train", "held_out"))
    half = np.mean([np.mean(found <= top_k(TEST_STEP_RATIO, n)) for found in ranks.values()])
    said = (
        f"top 5 % (k = {k} of {n}, chance {k / n:.3f}): train {train:.3f}, held-out {new:.3f}, mean of both directions; "
        f"at ratio 0.5 all {half:.3f}, which the task does not ask for"
    )
    if as_surely(train, len(train_rows), new, len(held_out)) and new > 2 * k / n:
        said += (
            ". New pairs are found as surely as train pairs: nothing was fitted, as with a frozen model, or it is that "
            "easy here, or held-out pairs were trained on; numbers alone cannot tell. Ask for the run"
        )
        return left_open("train and held-out", said, **shares)
    return noted("train and held-out", said, **shares)
