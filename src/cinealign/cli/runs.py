"""`cinealign run`, `show`, `evaluate` and `distances`: make a run, read it back, score it again, save its D."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cinealign.cli.data import MissingIntroChoice, TrainIdsChoice
from cinealign.cli.folders import RUNS, RunFolder, run_folder
from cinealign.cli.show.values import print_json

if TYPE_CHECKING:
    from cinealign.data.catalogue import Catalogue
    from cinealign.run import Run


class LogChoice(StrEnum):
    """Logs of training."""

    tensorboard = "tensorboard"


class DeviceChoice(StrEnum):
    """What networks compute on."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"
    mps = "mps"


class IdentityChoice(StrEnum):
    """What makes a partner."""

    item = "item"
    intro = "intro"


DeviceOption = Annotated[
    DeviceChoice,
    typer.Option("--device", help="What networks compute on; auto takes a graphics card where there is one."),
]
WeightsOption = Annotated[
    Path | None,
    typer.Option("--weights", metavar="DIR", help="Folder of model folders by name; else CINEALIGN_WEIGHTS."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the numbers as JSON.")]


def run(
    recipe: Annotated[str, typer.Option(help="A recipe by name (`cinealign recipes`) or a YAML file.")] = "default",
    data: Annotated[
        Path | None, typer.Option(help="Data folder; else CINEALIGN_DATA, the usual places, or the drawn sample.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Run directory to make; runs/RECIPE where absent.")] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY.PATH=VALUE", help="Change a setting of the recipe.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a finished run.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Make everything that would be dropped an error.")] = False,
    train_ids: Annotated[TrainIdsChoice, typer.Option(help="What train.txt holds.")] = TrainIdsChoice.auto,
    missing_intro: Annotated[
        MissingIntroChoice, typer.Option(help="What to do with an item that has a poster and no intro.")
    ] = MissingIntroChoice.error,
    weights: WeightsOption = None,
    log: Annotated[
        LogChoice | None,
        typer.Option(help="Also write every epoch to RUN/tensorboard while it trains (extra tensorboard)."),
    ] = None,
    device: DeviceOption = DeviceChoice.auto,
    as_json: AsJson = False,
) -> None:
    """Train on the train pairs, score all pairs, and write a run directory.

    The same command resumes an interrupted run.
    """
    from cinealign.data.locate import locate_data
    from cinealign.device import described, use_device
    from cinealign.recipe import Recipe
    from cinealign.run_draft import refuse_finished

    if weights is not None:
        from cinealign.views.weights import use_weights

        use_weights(weights)
    use_device(device.value)
    chosen = Recipe.load(recipe, overrides or [])  # before the data is read: a typing error should not cost a minute
    out = out or RUNS / chosen.name
    locate_data(data)  # a mistyped --data is said before an --out that is taken
    refuse_finished(out, force)
    catalogue = given_catalogue(data, train_ids.value, missing_intro.value, strict)
    lines = catalogue.report.lines()
    if catalogue.source == "sample":
        why = "no data folder found: using the drawn" if locate_data(data) is None else "data: a drawn"
        lines = [f"{why} sample catalogue ({catalogue.folder})", *lines]
    else:
        lines = [f"data: {os.path.normpath(catalogue.folder)}", *lines]
    if described() != "cpu":
        lines.append(f"device: {described()}")
    for line in lines:
        typer.echo(line, err=as_json)

    from cinealign.pipeline import align

    finished = align(catalogue, chosen, out, force=force, log=log.value if log else None)
    if as_json:
        print_json(finished.metrics)
    else:
        _print_run(finished)


def show(folder: RunFolder, as_json: AsJson = False) -> None:
    """Print the numbers of a finished run."""
    from cinealign.errors import DataError, as_argument, damage_refused
    from cinealign.evaluation.plausible import check_metrics
    from cinealign.run import Run

    run = Run(folder)
    metrics = run.metrics
    with damage_refused(DataError, folder / "metrics.json", f"measure again: cinealign evaluate {as_argument(folder)}"):
        check_metrics(metrics)
    if as_json:
        print_json(metrics)
    else:
        _print_run(run)
    from cinealign.evaluation.plausible import contradictions

    for line in contradictions(metrics):
        typer.echo(f"warning: {line}", err=True)


def evaluate(
    target: Annotated[
        Path,
        typer.Argument(
            metavar="RUN|D", exists=True, callback=run_folder, help="A run directory, or D as .npy, .npz or .csv."
        ),
    ],
    train_ids: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="For a D: train.txt, whose numbers are rows of D (or ids, with --data)."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="For a D: data folder with the order and the split of D. For a run: where to read intros."),
    ] = None,
    identity: Annotated[
        IdentityChoice, typer.Option(help="What makes a partner: the item, or every item with the same intro.")
    ] = IdentityChoice.item,
    permutation: Annotated[
        bool, typer.Option("--permutation-test", help="Test whether posters and intros are related at all.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Score again: a run from its saved vectors, or any distance matrix D[i, j] of poster i and intro j."""
    from cinealign.cli.scoring import open_run, score_distances, score_run
    from cinealign.evaluation.plausible import doubts

    if target.is_dir():
        if train_ids is not None:
            raise typer.BadParameter("a run knows its own split; --train-ids is for a saved D")
        if data is not None and identity is IdentityChoice.item and open_run(target).has_vectors:
            raise typer.BadParameter(
                "a run knows its own split; --data is for a saved D, for --identity intro, or for a run without vectors"
            )
        metrics, course = score_run(target, data, identity.value, permutation)
    else:
        metrics, course = score_distances(target, train_ids, data, identity.value, permutation)
    if as_json:
        print_json(metrics)
    else:
        from cinealign.cli.show.measures import permutation_lines
        from cinealign.cli.show.metrics import print_metrics

        title = str(target) if identity is IdentityChoice.item else f"{target}, partners by intro (easier, no headline)"
        print_metrics(metrics, title, course=course)
        if permutation:
            typer.echo("\n".join(permutation_lines(metrics["permutation_test"])))
    for line in doubts(metrics):
        typer.echo(f"warning: {line}", err=True)


def distances(
    folder: RunFolder,
    out: Annotated[Path, typer.Option(help="File to write: .npy, .npz or .csv.")],
    data: Annotated[
        Path | None, typer.Option(help="Data folder of a run without vectors, such as an unpacked submission.")
    ] = None,
) -> None:
    """Write the N x N distance matrix of a run: D[i, j] is the distance of poster i and intro j."""
    from cinealign.cli.scoring import open_run, run_vectors
    from cinealign.distance.files import save_distances

    finished = open_run(folder)
    poster, intro = run_vectors(finished, data)
    save_distances(out, poster, intro, finished.recipe.distance, coordinates=True)
    typer.echo(
        f"wrote {out}: {len(poster)} x {len(intro)}, rows are posters, columns are intros, both in the run's order"
    )


def given_catalogue(
    given: Path | None, train_ids: Any = "auto", missing_intro: Any = "error", strict: bool = False
) -> Catalogue:
    """The catalogue in the folder that --data names, in the usual places, or the drawn sample."""
    import platformdirs

    from cinealign.data.catalogue import Catalogue
    from cinealign.data.drawn.movies import sample_catalogue
    from cinealign.data.locate import locate_data

    folder = locate_data(given)
    if folder is None:
        return sample_catalogue(Path(platformdirs.user_cache_dir("cinealign")))
    return Catalogue.load(folder, train_ids=train_ids, missing_intro=missing_intro, strict=strict)


def _print_run(run: Run) -> None:
    from cinealign.cli.show.metrics import print_metrics

    metrics = run.metrics
    source = "the drawn sample catalogue" if metrics["data"]["source"] == "sample" else "a data folder"
    print_metrics(metrics, f"recipe {metrics['recipe']} on {source}", course=run.assignment)
    typer.echo(f"run directory: {run.folder}")
