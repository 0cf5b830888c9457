"""Checks of a run against the data it came from, one function each; the train-only refit has a file of its own."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cinealign.audit.evidence import Evidence
from cinealign.audit.findings import Finding, failed, listed, noted, passed
from cinealign.audit.noise import noisy
from cinealign.distance.distances import distance_chunks
from cinealign.errors import CineAlignError
from cinealign.evaluation.accuracy import top_k
from cinealign.evaluation.metrics import DIRECTIONS, TASK_RATIO, TEST_STEP_RATIO, evaluate_vectors
from cinealign.evaluation.transductive import evaluate_transductive
from cinealign.views.base import take

TOLERANCE = 1e-5
"""Largest difference of a vector's coordinate, or of D, that the order of sums can make on one machine."""
ROUNDED = 4
"""Items whose rank may fall on the other side of k because another machine rounds otherwise."""
ELSEWHERE = 2e-2
"""The same between machines whose processors round features differently (bfloat16)."""


def check_split(evidence: Evidence) -> Finding:
    """Ids, their order, train rows and content are those that the data folder gives today."""
    name, saved, catalogue = "split", evidence.run.catalogue, evidence.catalogue
    ids, rows = evidence.run.ids, evidence.run.train_rows
    if len(ids) != len(catalogue):
        return failed(name, f"the run has {len(ids)} items, the data folder {len(catalogue)}; is it the same data?")
    if not np.array_equal(ids, catalogue.ids):
        row = int(np.flatnonzero(ids != catalogue.ids)[0])
        return failed(name, f"row {row} is item {ids[row]} in the run and item {catalogue.ids[row]} in the data folder")
    if not np.array_equal(rows, catalogue.train_rows):
        added = np.setdiff1d(rows, catalogue.train_rows)
        lost = np.setdiff1d(catalogue.train_rows, rows)
        return failed(
            name,
            f"train rows are not those of train.txt: {len(added)} more (items {listed(ids[added])}), {len(lost)} fewer",
            added=added.tolist(),
            lost=lost.tolist(),
        )
    if saved["digest"] != catalogue.digest:
        return failed(name, "ids and split agree, but an intro or poster is another one than when the run was made")
    read_as = saved["report"]["train_read_as"]
    return passed(
        name,
        f"{len(ids)} items, {len(rows)} of them train by train.txt (read as {read_as}), order and content as in the data",
    )


def check_recipe(evidence: Evidence) -> Finding:
    """The run and its model name one recipe."""
    if evidence.run.recipe != evidence.model.recipe:
        return failed("recipe", "recipe.yaml of the run is not the one that its model was saved with")
    if evidence.run.metrics.get("recipe") != evidence.run.recipe.name:
        return failed("recipe", "metrics.json names another recipe than recipe.yaml")
    return passed("recipe", f"{evidence.run.recipe.name}, the same for run, model and metrics")


def check_ratio(evidence: Evidence) -> Finding:
    """The headline is at 0.05 with k by floor, and 0.5 stands beside it."""
    metrics, n = evidence.run.metrics, len(evidence.catalogue)
    half = metrics.get("ratio_0.5", {})
    expected = [
        ("ratio", metrics.get("ratio"), TASK_RATIO),
        ("k", metrics.get("k"), top_k(TASK_RATIO, n)),
        ("n", metrics.get("n"), n),
        ("ratio_0.5.ratio", half.get("ratio"), TEST_STEP_RATIO),
        ("ratio_0.5.k", half.get("k"), top_k(TEST_STEP_RATIO, n)),
    ]
    wrong = [f"{name} is {found}, must be {right}" for name, found, right in expected if found != right]
    if wrong:
        return failed("ratio", "metrics.json: " + "; ".join(wrong))
    return passed("ratio", f"headline at {TASK_RATIO}, k = int({TASK_RATIO} * {n}) = {top_k(TASK_RATIO, n)}")


def check_vectors(evidence: Evidence) -> Finding:
    """Saved vectors are finite, one a movie and side, and tell movies apart."""
    name, sides = "vectors", dict(zip(("poster", "intro"), evidence.vectors, strict=True))
    for side, vectors in sides.items():
        if len(vectors) != len(evidence.catalogue):
            return failed(name, f"{len(vectors)} {side} vectors for {len(evidence.catalogue)} items")
        bad = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
        if len(bad):
            return failed(name, f"{side} vectors of {len(bad)} items are NaN or infinite (rows {listed(bad)})")
        if len(vectors) > 1 and not np.ptp(vectors, axis=0).any():
            return failed(name, f"all {side} vectors are equal: the model has collapsed")
    blank = {side: int(np.count_nonzero(~vectors.any(axis=1))) for side, vectors in sides.items()}
    if not evidence.run.has_vectors:
        return noted(name, "left out of this folder, as of a submission; the saved model made them again from the data")
    if any(blank.values()):
        return noted(
            name, f"finite; {blank['poster']} posters and {blank['intro']} intros have a zero vector, so rows of D tie"
        )
    return passed(name, f"finite, {sides['poster'].shape[1]} dimensions, no zero vector")


def check_ties(evidence: Evidence) -> Finding:
    """Movies that the model cannot tell apart: one and the same vector on a side.

    Equal posters or intros must have equal vectors, and a vector of zeros says that nothing was found: neither is a collapse.
    """
    movies = evidence.catalogue.movies
    contents = {"poster": [movie.poster.digest for movie in movies], "intro": [movie.intro for movie in movies]}
    equal, merged = {}, {}
    for side, vectors in zip(("poster", "intro"), evidence.vectors, strict=True):
        _, group, counts = np.unique(vectors, axis=0, return_inverse=True, return_counts=True)
        group = group.reshape(-1)
        equal[side] = int(counts[counts > 1].sum())
        seen = set(zip(group.tolist(), contents[side] if len(movies) == len(group) else range(len(group)), strict=True))
        several = np.bincount([number for number, _ in seen], minlength=len(counts)) > 1
        merged[side] = int(np.count_nonzero(several[group] & vectors.any(axis=1)))
    said = f"{equal['poster']} items share their poster vector with another, {equal['intro']} their intro vector"
    if max(merged.values()) > 0.05 * len(evidence.catalogue):
        return failed("ties", f"{said}; that many of different content are a collapsed model", **equal)
    return (noted if any(equal.values()) else passed)("ties", f"{said}; ties count against the model", **equal)


def check_metrics(evidence: Evidence) -> Finding:
    """metrics.json comes out again from the saved vectors and the data folder's split."""
    run = evidence.run
    poster, intro = evidence.vectors
    recipe = run.recipe
    try:
        again = evaluate_vectors(
            poster,
            intro,
            evidence.catalogue.ids,
            evidence.catalogue.train_rows,
            seed=recipe.seed,
            samples=recipe.evaluation.bootstrap,
        )
        if recipe.evaluation.transductive:
            again["transductive"] = evaluate_transductive(
                poster,
                intro,
                evidence.catalogue.ids,
                evidence.catalogue.train_rows,
                recipe.evaluation.transductive,
                seed=recipe.seed,
                samples=recipe.evaluation.bootstrap,
            )
    except CineAlignError as error:
        return failed("metrics", f"the saved vectors cannot be scored: {error}")
    said = {key: value for key, value in run.metrics.items() if key in again}
    differs = first_difference(said, {key: again[key] for key in said})
    missing = sorted(set(again) - set(said))
    whence = "the saved vectors" if run.has_vectors else "the vectors that the saved model makes"
    if differs and not missing and not run.has_vectors and evidence.elsewhere and _near(said, again):
        return noted(
            "metrics",
            f"vectors were made again on another machine than the run ({evidence.elsewhere}); accuracies agree to "
            f"{ROUNDED} items, not to the last one ({differs})",
        )
    if differs or missing:
        return failed(
            "metrics", f"metrics.json is not what the vectors give: {differs or 'it lacks ' + ', '.join(missing)}"
        )
    return passed("metrics", f"every number of metrics.json comes out again from {whence}")


def _near(said: dict[str, Any], again: dict[str, Any]) -> bool:
    """Whether accuracies differ by no more items than another machine's rounding moves across k."""
    return all(
        abs(said[direction]["all"] - again[direction]["all"]) <= ROUNDED / again["n"] + 1e-9 for direction in DIRECTIONS
    )


def check_rebuild(evidence: Evidence) -> Finding:
    """The saved model, given the data folder, makes the saved vectors and so the same D."""
    name = "rebuilt D"
    if not evidence.run.has_vectors:
        return noted(name, "cannot be checked: there are no saved vectors to compare; `metrics` stands for it")
    apart = []
    for side, saved, again in zip(("poster", "intro"), evidence.run.vectors, evidence.encoded, strict=True):
        if saved.shape != again.shape:
            return failed(name, f"the model gives {side} vectors of shape {again.shape}, saved are {saved.shape}")
        apart.append(np.abs(saved - again).max(axis=1))
    largest = max(float(rows.max()) for rows in apart)
    if largest == 0:
        return passed(name, "the saved model makes the saved vectors again, to the last bit")
    if largest <= TOLERANCE:
        return passed(name, f"the saved model makes the saved vectors again, to {largest:.0e}", largest=largest)
    wrong = np.flatnonzero(~(np.maximum(*apart) <= TOLERANCE))
    held_out = np.intersect1d(wrong, evidence.held_out)
    said = (
        f"{len(wrong)} items have other vectors than the model gives them "
        f"({len(held_out)} held out, by up to {largest:.1e})"
    )
    if evidence.elsewhere and largest <= ELSEWHERE:
        said += f"; the run was made elsewhere ({evidence.elsewhere}), where features may have been rounded differently"
        return noted(name, f"{said}. Audit there, or run the recipe here", largest=largest)
    return failed(name, f"{said}: D was not made by this model", largest=largest, rows=wrong.tolist())


def check_columns(evidence: Evidence) -> Finding:
    """An item's vector depends on the item alone.

    Permuting the held-out intros permutes their vectors, hence columns of D, and nothing else; so it is for posters and
    rows. And half of the held-out items keep their vectors when the other half is replaced by noise.
    """
    name = "special diagonal"
    random, rows = np.random.default_rng(0), evidence.held_out
    if len(rows) < 2:
        return noted(name, "fewer than two held-out items; there is nothing to permute")
    order = np.arange(len(evidence.catalogue))
    order[rows] = random.permutation(rows)
    gone = random.permutation(rows)[: len(rows) // 2]
    kept = np.setdiff1d(np.arange(len(order)), gone)
    noise = noisy(evidence.extracts, gone, seed=1)
    sides: list[tuple[str, Any, Any, Any, NDArray[Any]]] = [
        ("posters", evidence.model.encode_poster_extracts, evidence.extracts.poster, noise.poster, evidence.encoded[0]),
        ("intros", evidence.model.encode_intro_extracts, evidence.extracts.intro, noise.intro, evidence.encoded[1]),
    ]
    for side, encode, extracts, replaced, encoded in sides:
        with evidence.threads():
            permuted = encode({view: take(values, order) for view, values in extracts.items()})
            among_noise = encode(replaced)
        moved = float(np.abs(permuted - encoded[order]).max())
        if moved > TOLERANCE:
            return failed(
                name, f"permuting held-out {side} changes vectors by {moved:.1e}: they look at their place or partner"
            )
        changed = float(np.abs(among_noise[kept] - encoded[kept]).max())
        if changed > TOLERANCE:
            return failed(
                name, f"replacing other held-out {side} changes vectors by {changed:.1e}: the model is transductive"
            )
    return passed(
        name, f"permuting {len(rows)} held-out intros permutes D's columns and nothing else; posters likewise"
    )


def check_given_matrix(evidence: Evidence, D: NDArray[Any]) -> Finding:
    """A matrix that is said to be this run's: compared entry by entry with the rebuilt one."""
    name = "given D"
    blocks = distance_chunks(*evidence.encoded, evidence.run.recipe.distance, coordinates=True)
    rebuilt = np.concatenate([block for _, block in blocks])
    if D.shape != rebuilt.shape:
        return failed(name, f"it is {D.shape[0]} x {D.shape[1]}, the run has {len(rebuilt)} items")
    with np.errstate(invalid="ignore"):
        apart = np.abs(np.asarray(D, dtype=np.float64) - rebuilt)
    tolerance = ELSEWHERE if evidence.elsewhere else 10 * TOLERANCE
    wrong = ~(apart <= tolerance)
    if not wrong.any():
        return passed(name, f"it is the D of this run, to {float(apart.max()):.0e}")
    if np.allclose(D.T, rebuilt, rtol=0, atol=tolerance):
        return failed(name, "it is the transpose of this run's D; D[i, j] must be poster i and intro j")
    own = wrong.diagonal()
    off = int(wrong.sum()) - int(own.sum())
    where = f"{int(own.sum())} diagonal entries ({int(own[evidence.held_out].sum())} held out) and {off} others"
    return failed(name, f"{where} are not those of this run's D", diagonal=np.flatnonzero(own).tolist(), others=off)


def first_difference(saved: Any, again: Any, place: str = "") -> str:
    """Where two JSON values differ first, as text; empty where they are equal (numbers to 1e-9)."""
    if isinstance(saved, dict) and isinstance(again, dict):
        for key in again:
            if key not in saved:
                return f"{place}{key} is missing"
            if found := first_difference(saved[key], again[key], f"{place}{key}."):
                return found
        return ""
    if isinstance(saved, list) and isinstance(again, list) and len(saved) == len(again):
        for at, (one, other) in enumerate(zip(saved, again, strict=True)):
            if found := first_difference(one, other, f"{place}{at}."):
                return found
        return ""
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (saved, again))
    if saved == again or (numbers and math.isclose(saved, again, rel_tol=1e-9, abs_tol=1e-9)):
        return ""
    return f"{place.rstrip('.')} is {saved}, must be {again}"
