"""The main story on one page: a catalogue and a recipe become a run.

catalogue -> views -> experts -> fusion -> vectors -> evaluation -> run directory
"""

from __future__ import annotations

from pathlib import Path

from cinealign.arguments import an_instance, as_flag, as_path
from cinealign.data.catalogue import Catalogue
from cinealign.data.labels import train_labels
from cinealign.evaluation.metrics import evaluate_vectors
from cinealign.evaluation.transductive import evaluate_transductive
from cinealign.fitting import fit_model
from cinealign.model import Extracts, build_views
from cinealign.progress import say
from cinealign.recipe import Recipe
from cinealign.run import Run
from cinealign.run_draft import RunDraft, refuse_finished
from cinealign.training_log import training_log
from cinealign.views.plan import planned_steps
from cinealign.views.poster.worth_reading import without_reading
from cinealign.views.store import FeatureStore, a_store


def align(
    catalogue: Catalogue,
    recipe: Recipe,
    out: Path | str,
    *,
    store: FeatureStore | None = None,
    force: bool = False,
    log: str | None = None,
) -> Run:
    """Learn from the train rows which poster belongs to which intro, score all rows, write the run.

    An interrupted call goes on where it stopped when it is made again; views that any run has computed are not computed
    twice. Nothing that learns sees a held-out pair: `fit` gets a TrainingSet, made here from the train rows. Lettering is not
    read where a sample of the train posters has no word; the run's recipe says so.

    Args:
        catalogue: movies with both sides, and the split.
        recipe: what to do.
        out: the run directory to make.
        store: of features; the user's own store where None.
        force: replace a finished run at `out`.
        log: a kind of log of `training_log.LOGS` that is written into the run while it trains; None for none.
    Raises:
        ConfigError: `out` is a finished run and `force` is not given, the recipe does not fit the data, the log needs a
            library that is not installed, or an argument is of another kind.
        DataError, ModelError: a poster, the store or weights cannot be used.
    Examples:
        >>> from cinealign import Catalogue, Recipe, align
        >>> run = align(Catalogue.load("data/sample"), Recipe.load("my.yaml"), "runs/mine")
        >>> sorted(run.metrics["poster_to_intro"])
        ['all', 'held_out', 'train']
    """
    an_instance(catalogue, "catalogue", Catalogue, "Catalogue.load(FOLDER) makes one")
    an_instance(recipe, "recipe", Recipe, "Recipe.load(NAME) makes one")
    out, store, force = as_path(out, "out"), a_store(store), as_flag(force, "force")
    refuse_finished(out, force)
    views, told = without_reading(recipe.views, [catalogue.posters[row] for row in catalogue.train_rows], store)
    recipe = recipe.model_copy(update={"views": views})
    with RunDraft.open(out, recipe, catalogue, force=force) as draft, training_log(log, draft.place.folder):
        for line in told:
            say(line)
        for step in planned_steps(build_views(recipe), {"poster": catalogue.posters, "intro": catalogue.intros}, store):
            say(step.line())
        extracts = Extracts.of(recipe, catalogue.posters, catalogue.intros, store)
        training = extracts.training_set(catalogue.train_rows, train_labels(catalogue))
        model = fit_model(recipe, training, draft.checkpoint, curves=True)
        poster = model.encode_poster_extracts(extracts.poster)
        intro = model.encode_intro_extracts(extracts.intro)
        metrics = evaluate_vectors(
            poster, intro, catalogue.ids, catalogue.train_rows, seed=recipe.seed, samples=recipe.evaluation.bootstrap
        )
        if recipe.evaluation.transductive:
            metrics["transductive"] = evaluate_transductive(
                poster,
                intro,
                catalogue.ids,
                catalogue.train_rows,
                recipe.evaluation.transductive,
                seed=recipe.seed,
                samples=recipe.evaluation.bootstrap,
            )
        return draft.finish(model, poster, intro, metrics)
