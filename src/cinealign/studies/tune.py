"""Choose hyper-parameters by cross-validation inside the train pairs; a held-out pair is never looked at.

| file in the study's folder | what |
|---|---|
| study.db | Optuna's trials (SQLite): an interrupted study goes on from here |
| trials.csv | a row a trial: values, state, mean score of the folds it saw, seconds |
| chosen.yaml | the resolved recipe with the best values, named NAME-tuned |
| tune.json | the inner scores of the given and the chosen recipe, and what they mean |
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cinealign.data.catalogue import Catalogue
from cinealign.data.labels import train_labels
from cinealign.errors import ConfigError, damage_refused
from cinealign.evaluation.accuracy import top_k
from cinealign.evaluation.metrics import TASK_RATIO
from cinealign.experts.base import TrainingSet
from cinealign.model import Extracts, build_distance
from cinealign.out import locked
from cinealign.progress import say
from cinealign.recipe import Recipe
from cinealign.studies.inner_score import Unchanged, fold_sizes, inner_scores, training_digest
from cinealign.studies.space import Space
from cinealign.training.loop.train import DivergenceError
from cinealign.version import __version__
from cinealign.views.store import FeatureStore

if TYPE_CHECKING:
    import optuna

UNPRUNED_TRIALS = 5
"""So many complete trials come before the first is pruned."""


@dataclass(frozen=True)
class Tuned:
    """What a study found. Scores are means over folds of the sum of both directions' top-5 % accuracy, in [0, 2]."""

    folder: Path
    chosen: Recipe
    values: dict[str, Any]
    """Path -> chosen value; empty where no trial was better than the given recipe."""
    given_score: float
    chosen_score: float
    trials: int
    pruned: int
    pairs: int
    folds: int
    k: int
    """int(0.05 n) of a fold of the smallest size."""
    chance: float

    def to_json(self) -> dict[str, Any]:
        """As tune.json has it."""
        return {
            "recipe": self.chosen.name,
            "values": self.values,
            "inner_score": {"given": self.given_score, "chosen": self.chosen_score, "chance": self.chance},
            "trials": self.trials,
            "pruned": self.pruned,
            "split": "train pairs only, cross-validated",
            "pairs": self.pairs,
            "folds": self.folds,
            "k": self.k,
            "ratio": TASK_RATIO,
        }

    def lines(self) -> list[str]:
        """For people."""
        size = self.pairs // self.folds
        better = self.chosen_score - self.given_score
        return [
            f"inner score: both directions' top 5 % accuracy, summed; mean of {self.folds} folds of the {self.pairs} train "
            f"pairs, each pair searching its own fold (N = {size}, k = {self.k}); chance {self.chance:.4f}",
            f"given recipe   {self.given_score:.4f}",
            f"chosen recipe  {self.chosen_score:.4f} ({better:+.4f}), the best of {self.trials} trials "
            f"({self.pruned} pruned): a little too good, as the best of many always is",
            *(f"  {path}: {json.dumps(value)}" for path, value in self.values.items()),
            *([] if self.values else ["no trial was better than the given recipe; it is kept as it is"]),
            f"wrote {self.folder / 'chosen.yaml'}; no held-out pair was looked at",
        ]


def train_part(catalogue: Catalogue, recipe: Recipe, store: FeatureStore | None = None) -> TrainingSet:
    """The train pairs as the recipe's views see them; posters and intros of held-out movies are not even opened."""
    rows = catalogue.train_rows
    posters, intros = [catalogue.posters[row] for row in rows], [catalogue.intros[row] for row in rows]
    extracts = Extracts.of(recipe, posters, intros, store or FeatureStore())
    return extracts.training_set(np.arange(len(rows)), train_labels(catalogue))


def tune(
    recipe: Recipe, training: TrainingSet, out: Path, *, space: Space | None = None, trials: int = 30, seed: int = 0
) -> Tuned:
    """Try `trials` choices of values (TPE), score each by `inner_scores`, and write the recipe with the best.

    The given recipe is scored first, in full; a trial ends after any fold where its mean so far is below the median of
    complete trials at that fold. The same call goes on with an interrupted study, and finds what it would have found
    without the interruption; with more `trials` it goes on with a finished one.

    Args:
        recipe: where to start; its seed and `fusion.folds` make the folds.
        training: the train pairs (`train_part`).
        out: folder of the study, made here.
        space: what may vary; `Space.default(recipe)` where None.
        trials: complete and pruned ones together, those of earlier calls included.
        seed: of the search.
    Raises:
        ConfigError: `out` holds another study or is in use, too few train pairs, or values that do not go together.
    """
    space = space or Space.default(recipe)
    if trials < 1:
        raise ConfigError(f"trials must be >= 1, got {trials}")
    if build_distance(recipe).fitted:
        say(f"tune: distance {recipe.distance.distance!r} is learned after fusion and plays no part in the inner score")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--out {out} cannot be written: {error.strerror}; choose another --out") from None
    with locked(out), _sound(out / "study.db"):
        study = _open(out, recipe, space, training, seed)
        remember = Unchanged(recipe, space.touched())
        if "given" not in study.user_attrs:
            scores = list(inner_scores(recipe, training, remember))
            study.set_user_attr("given", scores)
            say(f"given recipe: {np.mean(scores):.4f}")
        while (done := len(_ended(study))) < trials:
            _try_one(study, recipe, space, training, remember, done, trials, seed)
        return _write(study, recipe, space, training.size, out)


def _try_one(
    study: optuna.Study,
    recipe: Recipe,
    space: Space,
    training: TrainingSet,
    remember: Unchanged,
    done: int,
    trials: int,
    seed: int,
) -> None:
    import optuna

    # A sampler for each trial, seeded by its place: a study that was interrupted draws what it would have drawn.
    study.sampler = optuna.samplers.TPESampler(seed=int(np.random.SeedSequence([seed, done]).generate_state(1)[0]))
    trial = study.ask()
    values = {path: axis.suggest(trial, path) for path, axis in space.axes.items()}
    said = ", ".join(f"{path}={json.dumps(value)}" for path, value in values.items())
    scores: list[float] = []
    try:
        for fold, score in enumerate(inner_scores(space.applied(recipe, values), training, remember)):
            scores.append(score)
            trial.report(float(np.mean(scores)), fold)
            if fold + 1 < recipe.fusion.folds and trial.should_prune():
                study.tell(trial, state=optuna.trial.TrialState.PRUNED)
                say(f"trial {done + 1}/{trials}: pruned after fold {fold + 1} at {np.mean(scores):.4f}; {said}")
                return
    except DivergenceError as error:
        study.tell(trial, 0.0)  # the worst score: a place to stay away from, no reason to end the study
        say(f"trial {done + 1}/{trials}: counts as 0, {error}; {said}")
        return
    except ConfigError as error:
        study.tell(trial, state=optuna.trial.TrialState.FAIL)
        raise ConfigError(f"{space.source}: these values do not go together ({said}): {error}") from None
    study.tell(trial, float(np.mean(scores)))
    say(f"trial {done + 1}/{trials}: {np.mean(scores):.4f} (best {study.best_value:.4f}); {said}")


@contextmanager
def _sound(database: Path) -> Iterator[None]:
    """Inside, trials are read and written; a database that is damaged, or no study, is one line."""
    from optuna.exceptions import OptunaError
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (SQLAlchemyError, OptunaError) as error:
        line = " ".join(str(error).partition("\n")[0].split())
        raise ConfigError(f"{database} cannot be used ({line}); choose another --out") from None


def _open(out: Path, recipe: Recipe, space: Space, training: TrainingSet, seed: int) -> optuna.Study:
    """The study in `out`, begun or gone on with; trials that were cut off are marked as failed."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    text = json.dumps([recipe.to_yaml(), space.to_json(), training_digest(training), seed, __version__])
    identity = hashlib.sha256(text.encode()).hexdigest()
    file = out / "study.db"
    with damage_refused(ConfigError, file, "choose another --out"), _sound(file):
        study = optuna.create_study(
            storage=f"sqlite:///{file.absolute()}",
            study_name="tune",
            direction="maximize",
            pruner=optuna.pruners.MedianPruner(n_startup_trials=UNPRUNED_TRIALS),
            load_if_exists=True,
        )
        float(np.mean(study.user_attrs.get("given", 0.0)))  # all that is read of it later is read once here
        for trial in _ended(study):
            float(trial.value or 0.0)
            _values(trial.params, space)
    if study.user_attrs.get("identity", identity) != identity:
        raise ConfigError(
            f"{out} holds trials of another recipe, space, seed or other train pairs; delete it or choose another --out"
        )
    study.set_user_attr("identity", identity)
    for trial in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
    if ended := len(_ended(study)):
        say(f"going on with the study in {out}: {ended} trials are done")
    return study


def _ended(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    import optuna

    states = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
    return study.get_trials(deepcopy=False, states=states)


def _write(study: optuna.Study, recipe: Recipe, space: Space, pairs: int, out: Path) -> Tuned:
    import optuna

    ended = _ended(study)
    complete = [trial for trial in ended if trial.state == optuna.trial.TrialState.COMPLETE]
    given = float(np.mean(study.user_attrs["given"]))
    best = max(complete, key=lambda trial: trial.value or 0.0, default=None)  # the first of equal ones
    values: dict[str, Any] = {}
    if best is not None and best.value is not None and best.value > given:
        values = _values(best.params, space)
    named = {"name": f"{recipe.name}-tuned"}
    chosen = space.applied(recipe, values).model_copy(update=named)
    sizes = fold_sizes(recipe, pairs)
    ks = [top_k(TASK_RATIO, int(size)) for size in sizes]
    tuned = Tuned(
        folder=out,
        chosen=chosen,
        values=values,
        given_score=given,
        chosen_score=best.value if values and best is not None and best.value is not None else given,
        trials=len(ended),
        pruned=len(ended) - len(complete),
        pairs=pairs,
        folds=recipe.fusion.folds,
        k=min(ks),
        chance=float(np.mean([2 * k / size for k, size in zip(ks, sizes, strict=True)])),
    )
    _write_trials(ended, space, out / "trials.csv")
    (out / "chosen.yaml").write_text(chosen.to_yaml(), encoding="utf-8")
    (out / "tune.json").write_text(json.dumps(tuned.to_json(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return tuned


def _write_trials(ended: list[optuna.trial.FrozenTrial], space: Space, file: Path) -> None:
    with file.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.writer(opened)
        writer.writerow(["trial", "state", "score", "folds", "seconds", *space.axes])
        for place, trial in enumerate(ended, start=1):
            seen = trial.intermediate_values
            pruned_at = seen[max(seen)] if seen else ""
            mean = pruned_at if trial.value is None else trial.value
            seconds = f"{trial.duration.total_seconds():.1f}" if trial.duration else ""
            values = _values(trial.params, space)
            row = [place, trial.state.name.lower(), mean, len(seen), seconds]
            writer.writerow([*row, *(values[path] for path in space.axes)])


def _values(params: Mapping[str, Any], space: Space) -> dict[str, Any]:
    """The values of a trial as the recipe takes them; choices are kept as JSON."""
    return {
        path: json.loads(params[path]) if axis.choices is not None else params[path]
        for path, axis in space.axes.items()
    }
