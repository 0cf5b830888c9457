"""`cinealign audit`: try to catch a result that was not come by honestly."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cinealign.cli.folders import run_folder
from cinealign.cli.runs import WeightsOption


def audit(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[RUN]", callback=run_folder, help="A run directory; leave it out for a D.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Data folder; else where the run's data usually are.")] = None,
    distances: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A matrix D to judge; with RUN, one that is said to be that run's."),
    ] = None,
    train_ids: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="For a D without RUN: train.txt, whose numbers are rows of D (or ids, with --data)."
        ),
    ] = None,
    weights: WeightsOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Check a run against its data, or a distance matrix by itself; one line of PASS, FAIL or NOTE per check.

    Exits with 0 on PASS, 1 on FAIL, 3 where a NOTE leaves the question open.

    A run is recomputed from its data and compared. Of a matrix alone less can be shown: see docs/audit.md.
    """
    import json

    from cinealign.cli.scoring import open_run, split_of

    if weights is not None:
        from cinealign.views.weights import use_weights

        use_weights(weights)
    run = None if folder is None else open_run(folder)  # a missing run is said before anything heavy is loaded
    from cinealign.audit.audit import audit_distances, audit_run
    from cinealign.audit.findings import Finding, worst
    from cinealign.data.catalogue import Catalogue
    from cinealign.distance.files import load_distances
    from cinealign.run_data import RunData

    def show(finding: Finding) -> None:
        if not as_json:
            typer.echo(finding.line())

    if run is not None:
        if train_ids is not None:
            raise typer.BadParameter("a run has the split of its data; --train-ids is for a D without RUN")
        D = None if distances is None else load_distances(distances, ids=run.ids, allow_nan=True)
        findings = audit_run(run, RunData.find(run, data, same=False).catalogue, D=D, heard=show)
    else:
        if distances is None:
            raise typer.BadParameter("name a run directory, or pass --distances FILE")
        if data is None and train_ids is None:
            raise typer.BadParameter("a D needs its split: pass --train-ids train.txt or --data DIR")
        catalogue = None if data is None else Catalogue.load(data)
        D = load_distances(distances, ids=None if catalogue is None else catalogue.ids, allow_nan=True)
        rows = split_of(train_ids, catalogue, len(D))
        findings = audit_distances(D, rows, catalogue)
        for finding in findings:
            show(finding)
    verdict = worst(findings)
    if as_json:
        listing = [finding.to_json() for finding in findings]
        typer.echo(json.dumps({"verdict": verdict, "findings": listing}, indent=1, ensure_ascii=False))
    else:
        counts = {each: sum(finding.verdict == each for finding in findings) for each in ("PASS", "FAIL", "NOTE")}
        word = "NOTE, neither PASS nor FAIL" if verdict == "NOTE" else verdict
        typer.echo(f"{word}: " + ", ".join(f"{count} {each}" for each, count in counts.items()))
    if verdict != "PASS":
        raise typer.Exit(1 if verdict == "FAIL" else 3)
