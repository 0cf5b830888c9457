"""`cinealign tune`, `compare` and `plot`: choose settings, compare recipes fairly, draw what a run has learned."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from cinealign.cli.data import MissingIntroChoice, TrainIdsChoice
from cinealign.cli.folders import RunFolder
from cinealign.cli.report import Lang, LanguageChoice
from cinealign.cli.runs import AsJson
from cinealign.cli.show.values import print_json

Data = Annotated[
    Path | None, typer.Option(help="Data folder; else CINEALIGN_DATA, the usual places, or the drawn sample.")
]
TrainIds = Annotated[TrainIdsChoice, typer.Option(help="What train.txt holds.")]
MissingIntro = Annotated[
    MissingIntroChoice, typer.Option(help="What to do with an item that has a poster and no intro.")
]
Weights = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Folder of model folders by name; else CINEALIGN_WEIGHTS.")
]


def tune(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE", help="A recipe by name, or a YAML file.")],
    space: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Search space as YAML; else the usual options of each expert."),
    ] = None,
    trials: Annotated[int, typer.Option(min=1, help="Trials, including those of earlier calls.")] = 30,
    data: Data = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the study; runs/tune/RECIPE where absent.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the search; folds use the recipe's seed.")] = 0,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY.PATH=VALUE", help="Change a setting of the recipe.")
    ] = None,
    train_ids: TrainIds = TrainIdsChoice.auto,
    missing_intro: MissingIntro = MissingIntroChoice.error,
    weights: Weights = None,
    as_json: AsJson = False,
) -> None:
    """Choose hyper-parameters by cross-validation inside the train pairs, and write the chosen recipe.

    Held-out pairs are never looked at. The same command resumes an interrupted study.
    """
    from cinealign.recipe import Recipe

    _use(weights)
    start = Recipe.load(recipe, overrides or [])
    from cinealign.studies.space import Space
    from cinealign.studies.tune import train_part
    from cinealign.studies.tune import tune as search

    axes = Space.default(start) if space is None else Space.load(space, start)
    catalogue = _catalogue(data, train_ids, missing_intro)
    found = search(
        start,
        train_part(catalogue, start),
        out or Path("runs") / "tune" / start.name,
        space=axes,
        trials=trials,
        seed=seed,
    )
    if as_json:
        print_json(found.to_json())
    else:
        typer.echo("\n".join(found.lines()))


def compare(
    recipes: Annotated[list[str], typer.Argument(metavar="RECIPE...", help="Recipes by name, or YAML files.")],
    seeds: Annotated[int, typer.Option(min=1, help="Runs of each recipe, starting at its own seed.")] = 5,
    data: Data = None,
    out: Annotated[Path, typer.Option(help="Folder of the comparison.")] = Path("runs/compare"),
    force: Annotated[
        bool, typer.Option("--force", help="Replace runs there that are of other recipes or data.")
    ] = False,
    train_ids: TrainIds = TrainIdsChoice.auto,
    missing_intro: MissingIntro = MissingIntroChoice.error,
    weights: Weights = None,
    as_json: AsJson = False,
) -> None:
    """Run recipes with several seeds, and say how good each is, what it costs and which differences are real.

    Runs that are finished are used again, so the same command resumes an interrupted comparison.
    """
    from cinealign.recipe import Recipe

    _use(weights)
    loaded = [Recipe.load(recipe) for recipe in recipes]
    from cinealign.cli.show.comparison import print_comparison
    from cinealign.studies.compare import compare as run_all
    from cinealign.studies.compare_table import save_comparison

    comparison = run_all(_catalogue(data, train_ids, missing_intro), loaded, out, seeds=seeds, force=force)
    files = save_comparison(comparison, out)
    if as_json:
        print_json(comparison)
    else:
        print_comparison(comparison)
        typer.echo("wrote " + ", ".join(map(str, files)))


def plot(
    folder: RunFolder,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A .pdf or .png; both are written. RUN-curves beside it if absent."),
    ] = None,
    lang: Lang = LanguageChoice.en,
) -> None:
    """Draw the learning curves of a run's trained experts, and its top-p accuracy beside chance."""
    from cinealign.run import Run

    run = Run(folder)  # a missing run is said before anything heavy is loaded
    from cinealign.studies.curves import plot_run, trained_experts

    target = out or folder.resolve().with_name(f"{folder.resolve().name}-curves.pdf")
    files = plot_run(run, target, lang.value)
    if not trained_experts(run.history):
        typer.echo(f"{folder} has no expert that trains in epochs: only the top-p curve is drawn")
    typer.echo("wrote " + ", ".join(map(str, files)))


def _catalogue(data: Path | None, train_ids: TrainIdsChoice, missing_intro: MissingIntroChoice) -> Any:
    from cinealign.cli.runs import given_catalogue

    catalogue = given_catalogue(data, train_ids.value, missing_intro.value)
    kind = "drawn sample" if catalogue.source == "sample" else "data"
    for line in (f"{kind}: {catalogue.folder}", *catalogue.report.lines()):
        typer.echo(line, err=True)
    return catalogue


def _use(weights: Path | None) -> None:
    if weights is not None:
        from cinealign.views.weights import use_weights

        use_weights(weights)
