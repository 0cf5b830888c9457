"""The audit on one page: which checks are made of a run, and which of a matrix of which nothing else is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cinealign.audit.checks import (
    check_columns,
    check_given_matrix,
    check_metrics,
    check_ratio,
    check_rebuild,
    check_recipe,
    check_split,
    check_ties,
    check_vectors,
)
from cinealign.audit.evidence import Evidence
from cinealign.audit.findings import Finding, failed, left_open
from cinealign.audit.matrix import audit_matrix
from cinealign.audit.near_duplicates import near_duplicates
from cinealign.audit.orientation import check_orientation
from cinealign.audit.refit import check_refit
from cinealign.data.catalogue import Catalogue
from cinealign.errors import CineAlignError, DataError
from cinealign.run import Run
from cinealign.views.poster.lettering import lettering_texts
from cinealign.views.store import FeatureStore
from cinealign.views.weights import MissingWeightsError

Heard = Callable[[Finding], None]
"""Told every finding when it is made, so that a long audit shows its lines one by one."""


def audit_run(
    run: Run,
    catalogue: Catalogue,
    *,
    store: FeatureStore | None = None,
    D: NDArray[Any] | None = None,
    heard: Heard = lambda _: None,
) -> list[Finding]:
    """Every check of a run against the data it is said to come from.

    Args:
        run: the finished run.
        catalogue: the data folder, read anew.
        store: of features; the user's own where None.
        D: a matrix that is said to be this run's, compared with the rebuilt one.
        heard: called with each finding.
    Returns:
        The findings in the order in which they were made. Where the split is not that of the data, rows do not
        correspond, and only the checks that need no correspondence are made.
    """
    evidence = Evidence(run, catalogue, store or FeatureStore())
    findings: list[Finding] = []

    def make(name: str, check: Callable[[Evidence], Finding]) -> Finding:
        try:
            found = check(evidence)
        except MissingWeightsError as error:  # says something of this machine and nothing of the run
            found = left_open(name, f"the check cannot be made: {error}")
        except CineAlignError as error:
            found = failed(name, f"the check cannot be made: {error}")
        findings.append(found)
        heard(found)
        return found

    split = make("split", check_split)
    make("recipe", check_recipe)
    make("ratio", check_ratio)
    vectors = make("vectors", check_vectors)
    if len(run.ids) != len(catalogue) or not np.array_equal(run.ids, catalogue.ids):
        return findings
    if vectors.verdict != "FAIL":
        make("ties", check_ties)
    make("metrics", check_metrics)
    make("rebuilt D", check_rebuild)
    if D is not None:
        make("given D", lambda seen: check_given_matrix(seen, D))
    make("special diagonal", check_columns)
    make("train-only refit", check_refit)
    if split.verdict != "FAIL":
        lettering = lettering_texts(evidence.model.views.values(), catalogue.posters, evidence.store)
        for found in near_duplicates(catalogue, lettering):
            findings.append(found)
            heard(found)
    return findings


def audit_distances(
    D: NDArray[Any], train_rows: Sequence[int] | NDArray[np.int64], catalogue: Catalogue | None = None
) -> list[Finding]:
    """Every check of a matrix of which nothing else is known.

    Args:
        D: (N, N), `D[i, j]` is the distance of poster i and intro j.
        train_rows: rows of the train movies.
        catalogue: the data, for telling rows from columns.
    Raises:
        DataError: D has another size than the data.
    """
    if catalogue is not None and len(catalogue) != len(D):
        raise DataError(f"D has {len(D)} rows but the data have {len(catalogue)} items; are they of one data set?")
    findings = audit_matrix(D, np.asarray(train_rows, dtype=np.int64))
    if catalogue is not None and findings[0].verdict != "FAIL":
        findings.append(check_orientation(D, catalogue.held_out_rows, catalogue.posters, catalogue.intros))
    return findings
