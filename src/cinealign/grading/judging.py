"""One submission judged: unpacked, recognised, scored and audited. Runs in a process of its own; see `desk`."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cinealign.audit.audit import audit_distances, audit_run
from cinealign.audit.findings import Finding, worst
from cinealign.data.catalogue import Catalogue
from cinealign.distance.distances import distance_matrix
from cinealign.distance.files import READERS, load_distances
from cinealign.errors import CineAlignError
from cinealign.evaluation.metrics import DIRECTIONS, evaluate_distances
from cinealign.grading.agreement import check_agreement
from cinealign.grading.evidence import Evidence
from cinealign.grading.notebooks import Passages, passages
from cinealign.grading.order import mended
from cinealign.grading.pictures import Diagonal, Partners
from cinealign.grading.recognition import Found, recognise
from cinealign.grading.resemblance import Fingerprint
from cinealign.grading.unpacking import Limits, unpack
from cinealign.grading.vectors import distances_of, holds_vectors
from cinealign.run import Run
from cinealign.run_data import RunData

CLAIM_AGREES = 0.005
"""Difference of a claimed accuracy from the measured one that rounding and ties explain."""
RANKED = ("ties", "held-out ranks", "pile-ups", "train and held-out")
"""Checks whose findings a picture of ranks shows."""


@dataclass
class Judged:
    """One row of the teacher's table.

    Attributes:
        name: of the zip, folder or file, without suffix.
        kind: run, matrix, vectors, or "-" where there is nothing to score.
        verdict: PASS, FAIL or NOTE of the audit; "-" where it could not be made.
        metrics: what `evaluate_distances` measured; empty where there is nothing to score.
        claims: accuracies that notebooks print, or metrics.json holds.
        findings: what of the audit a teacher should read, with its strength.
        remarks: what is missing, odd or was mended.
        recipe: what made it, for a run.
        fingerprint: what of D is compared with others; None without D.
        diagonal: what a picture of the diagonal shows; None where the audit has no question about it.
        partners: what a picture of their ranks shows; None where the audit has no question about them.
        notebooks: their passages, to be compared with those of others.
    """

    name: str
    kind: str = "-"
    verdict: str = "-"
    metrics: dict[str, Any] = field(default_factory=dict)
    claims: list[float] = field(default_factory=list)
    findings: list[Evidence] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    recipe: str = ""
    fingerprint: Fingerprint | None = None
    diagonal: Diagonal | None = None
    partners: Partners | None = None
    notebooks: list[Passages] = field(default_factory=list)


def judge(path: Path, scratch: Path, catalogue: Catalogue, limits: Limits) -> Judged:
    """Everything about one submission; what cannot be read becomes a remark.

    Args:
        path: a zip, a folder, a notebook, or a file of D.
        scratch: an empty folder to unpack into.
        catalogue: the data of the course.
        limits: what a zip may hold.
    """
    judged = Judged(path.stem if path.is_file() else path.name)
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            _judge(judged, path, scratch, catalogue, limits)
    except CineAlignError as error:
        judged.remarks.append(str(error))
    judged.remarks += [line for line in said.getvalue().splitlines() if line.startswith(f"{path.name}:")]
    return judged


def _judge(judged: Judged, path: Path, scratch: Path, catalogue: Catalogue, limits: Limits) -> None:
    if path.is_dir() or path.suffix.lower() == ".ipynb":
        found = recognise(path)
    elif path.suffix.lower() == ".zip":
        judged.remarks += [f"left out: {line}" for line in unpack(path, scratch, limits)[:5]]
        found = recognise(scratch)
    elif path.suffix.lower() in READERS:
        found = Found(vectors=(path,)) if holds_vectors(path) else Found(matrix=path)
    else:
        judged.remarks.append(f"{path.suffix or 'a file without suffix'} is not read; ask for a zip")
        return
    judged.kind = found.kind
    judged.remarks += found.remarks
    judged.claims = list(found.claims)
    judged.notebooks = [book for path in found.notebooks if (book := passages(path)) is not None]
    if found.run is not None:
        D, findings = _run(judged, found.run, catalogue)
    elif found.vectors:
        D, zeros = distances_of(found.vectors, catalogue.ids)
        D, told = mended(D, catalogue)
        judged.remarks += [*zeros, *([told] if told else [])]
        findings = audit_distances(D, catalogue.train_rows, catalogue)
        judged.remarks.append("no D, but vectors of both sides; they are scored by cosine distance")
    elif found.matrix is not None:
        D, findings = _matrix(judged, found.matrix, catalogue)
        if D is not None and found.beside:
            findings += _agreement(judged, D, found.beside, catalogue)
    else:
        return
    judged.verdict = worst(findings)
    judged.findings = [
        Evidence.of(one)
        for one in findings
        if one.verdict == "FAIL" or one.open or (one.check == "D and vectors" and one.verdict == "NOTE")
    ]
    if D is not None:
        judged.metrics = evaluate_distances(D, None, catalogue.train_rows, samples=1000)
        judged.fingerprint = Fingerprint.of(D)
        if any(one.check == "special diagonal" for one in judged.findings):
            judged.diagonal = Diagonal.of(D, catalogue.train_rows)
        if any(one.check in RANKED for one in judged.findings):
            judged.partners = Partners.of(D, catalogue.train_rows)
        _doubt_order(judged)
        _compare_claims(judged)


def _run(judged: Judged, folder: Path, catalogue: Catalogue) -> tuple[NDArray[Any] | None, list[Finding]]:
    run = Run(folder)
    judged.recipe = f"{run.recipe.name}, seed {run.recipe.seed}"
    judged.claims = [float(run.metrics[direction]["all"]) for direction in DIRECTIONS]
    findings = audit_run(run, catalogue)
    if len(run.ids) != len(catalogue) or not np.array_equal(run.ids, catalogue.ids):
        return None, findings
    return distance_matrix(*RunData(run, catalogue).vectors), findings


def _matrix(judged: Judged, file: Path, catalogue: Catalogue) -> tuple[NDArray[Any] | None, list[Finding]]:
    D = load_distances(file, ids=catalogue.ids, allow_nan=True)
    if np.isfinite(D).all():
        D, told = mended(D, catalogue)
        judged.remarks += [told] if told else []
    findings = audit_distances(D, catalogue.train_rows, catalogue)
    failing = {finding.check for finding in findings if finding.verdict == "FAIL"}
    if "finite" in failing:
        return None, findings
    if failing == {"orientation"}:
        judged.remarks.append("D was transposed (intros down, posters across); it is turned here before it is scored")
        D = np.asarray(D).T
        findings = audit_distances(D, catalogue.train_rows, catalogue)
    elif failing == {"sign"}:
        judged.remarks.append("D holds similarities; its sign is turned here before it is scored")
        D = -np.asarray(D, dtype=np.float64)
        findings = audit_distances(D, catalogue.train_rows, catalogue)
    return D, findings


def _agreement(judged: Judged, D: NDArray[Any], files: tuple[Path, ...], catalogue: Catalogue) -> list[Finding]:
    """Whether D follows from the vectors beside it; vectors that cannot be read cost nothing but a remark."""
    try:
        of_vectors, _ = mended(distances_of(files, catalogue.ids)[0], catalogue)
    except CineAlignError as error:
        judged.remarks.append(f"the vectors beside D are not compared with it: {error}")
        return []
    return [check_agreement(D, of_vectors, catalogue.held_out_rows)]


def _doubt_order(judged: Judged) -> None:
    """Say where train pairs are not found at all: an order that nobody knows looks so, and so does a model that failed."""
    chance = judged.metrics["chance"]
    if all((judged.metrics[direction]["train"] or 1.0) < 2 * chance for direction in DIRECTIONS):
        judged.remarks.append(
            "train pairs stand about where chance puts them and no known order explains it; ask for D with the ids of rows "
            "and columns"
        )


def _compare_claims(judged: Judged) -> None:
    """Say which claimed accuracies D gives at another ratio or not at all."""
    measured = [judged.metrics[direction]["all"] for direction in DIRECTIONS]
    half = [judged.metrics["ratio_0.5"][direction]["all"] for direction in DIRECTIONS]
    if not judged.claims or all(_near(claim, measured) for claim in judged.claims[-2:]):
        return
    shown = ", ".join(f"{claim:.4f}" for claim in judged.claims[-2:])
    if all(_near(claim, half) for claim in judged.claims[-2:]):
        judged.remarks.append(f"claims {shown}, which D gives at ratio 0.5, not at 0.05")
    else:
        judged.remarks.append(f"claims {shown}; D gives {measured[0]:.4f} and {measured[1]:.4f}")


def _near(claim: float, measured: list[float]) -> bool:
    return any(abs(claim - one) <= CLAIM_AGREES for one in measured)
