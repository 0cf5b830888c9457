from __future__ import annotations

import csv
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from cinealign.cli.app import main
from cinealign.data.catalogue import Catalogue
from cinealign.errors import ConfigError
from cinealign.experts.base import TrainingSet
from cinealign.experts.fusion import OutOfFold
from cinealign.model import Extracts
from cinealign.recipe import Recipe
from cinealign.studies import inner_score
from cinealign.studies import tune as module
from cinealign.studies.inner_score import Unchanged, fold_score, inner_scores
from cinealign.studies.space import Space
from cinealign.studies.tune import Tuned, train_part, tune
from cinealign.views.store import FeatureStore
from tests.test_pipeline import shuffle_held_out_intros

QUICK: dict[str, Any] = {
    "name": "quick",
    "seed": 3,
    "views": {"appearance": {"view": "appearance", "width": 96, "height": 128}, "words": {"view": "tfidf"}},
    "align": [
        {"expert": "cca", "poster": "appearance", "intro": "words", "dimensions": 4, "ridge": 0.01},
        {"expert": "cca", "poster": "appearance", "intro": "words", "dimensions": 24, "ridge": 3},
        {"expert": "memory", "poster": "appearance", "intro": "words"},
    ],
    "fusion": {"folds": 3, "steps": 10},
    "evaluation": {"bootstrap": 100},
}
SPACE = {
    "align.0.ridge": {"float": [0.1, 100], "log": True},
    "align.0.dimensions": {"int": [4, 48]},
}


@pytest.fixture(scope="module")
def quick() -> Recipe:
    return Recipe.parse(QUICK)


@pytest.fixture(scope="module")
def space(quick: Recipe) -> Space:
    return Space.parse(SPACE, quick)


@pytest.fixture(scope="module")
def training(quick: Recipe, sample: Catalogue, store: FeatureStore) -> TrainingSet:
    return train_part(sample, quick, store)


@pytest.fixture(scope="module")
def tuned(quick: Recipe, training: TrainingSet, space: Space, tmp_path_factory: pytest.TempPathFactory) -> Tuned:
    return tune(quick, training, tmp_path_factory.mktemp("tune") / "study", space=space, trials=8)


def trials_without_seconds(folder: Path) -> list[dict[str, str]]:
    with (folder / "trials.csv").open(newline="", encoding="utf-8") as file:
        return [{key: value for key, value in row.items() if key != "seconds"} for row in csv.DictReader(file)]


def test_a_bad_recipe_gets_better(tuned: Tuned, quick: Recipe, training: TrainingSet) -> None:
    assert tuned.chosen_score > tuned.given_score and set(tuned.values) == set(SPACE)
    assert np.mean(list(inner_scores(quick, training))) == pytest.approx(tuned.given_score, abs=0)
    assert np.mean(list(inner_scores(tuned.chosen, training))) == pytest.approx(tuned.chosen_score, abs=0)
    assert (tuned.trials, tuned.pairs, tuned.folds, tuned.k, tuned.chance) == (8, 144, 3, 2, pytest.approx(4 / 48))


def test_what_is_written(tuned: Tuned) -> None:
    chosen = Recipe.load(tuned.folder / "chosen.yaml")
    assert chosen == tuned.chosen and chosen.name == "quick-tuned"
    assert chosen.align[0].ridge == tuned.values["align.0.ridge"]
    assert json.loads((tuned.folder / "tune.json").read_text()) == tuned.to_json()
    rows = trials_without_seconds(tuned.folder)
    assert len(rows) == 8
    complete = [row for row in rows if row["state"] == "complete"]
    assert max(float(row["score"]) for row in complete) == tuned.chosen_score
    assert all(row["folds"] == "3" for row in complete)
    assert all(row["folds"] in ("1", "2") for row in rows if row["state"] == "pruned")
    assert "no held-out pair" in tuned.lines()[-1]


def test_a_killed_study_goes_on_and_finds_the_same(
    tuned: Tuned, quick: Recipe, training: TrainingSet, space: Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed in the middle of a trial, by an exception that nothing catches; the trial stays open in the database."""
    asked = 0

    def dying(*arguments: Any) -> Iterator[float]:
        nonlocal asked
        asked += 1
        for fold, score in enumerate(inner_scores(*arguments)):
            if asked == 5 and fold == 1:
                raise KeyboardInterrupt
            yield score

    monkeypatch.setattr(module, "inner_scores", dying)
    with pytest.raises(KeyboardInterrupt):
        tune(quick, training, tmp_path / "study", space=space, trials=8)
    monkeypatch.undo()
    again = tune(quick, training, tmp_path / "study", space=space, trials=8)
    assert again.to_json() == tuned.to_json()
    assert trials_without_seconds(again.folder) == trials_without_seconds(tuned.folder)


def test_a_finished_study_fits_nothing_again(
    tuned: Tuned, quick: Recipe, training: TrainingSet, space: Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(tuned.folder, tmp_path / "study")
    monkeypatch.setattr(module, "inner_scores", None)
    assert tune(quick, training, tmp_path / "study", space=space, trials=8).to_json() == tuned.to_json()
    other = Space.parse({"align.0.ridge": {"float": [1, 2]}}, quick)
    with pytest.raises(ConfigError, match="holds trials of another recipe, space, seed or other train pairs"):
        tune(quick, training, tmp_path / "study", space=other, trials=8)


def test_noise_in_held_out_movies_changes_nothing(
    tuned: Tuned,
    quick: Recipe,
    space: Space,
    sample_folder: Path,
    sample: Catalogue,
    store: FeatureStore,
    tmp_path: Path,
) -> None:
    """Held-out intros exchanged and held-out posters replaced by one train poster: the same study to the last digit."""
    shuffle_held_out_intros(sample_folder, tmp_path / "data", sample)
    train_poster = sample.movies[int(sample.train_rows[0])]
    for row in sample.held_out_rows.tolist():
        poster = tmp_path / "data" / "poster" / f"{sample.movies[row].movie_id}.jpg"
        assert poster.is_file()
        shutil.copyfile(sample_folder / "poster" / f"{train_poster.movie_id}.jpg", poster)
    noisy = Catalogue.load(tmp_path / "data")
    assert noisy.digest != sample.digest and noisy.train_rows.tolist() == sample.train_rows.tolist()
    found = tune(quick, train_part(noisy, quick, store), tmp_path / "study", space=space, trials=8)
    assert found.to_json() == tuned.to_json()


def test_only_train_movies_are_looked_at(
    quick: Recipe, sample: Catalogue, store: FeatureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, list[Any]] = {}
    of = Extracts.of

    def spy(recipe: Recipe, posters: Any, intros: Any, where: FeatureStore) -> Extracts:
        seen["posters"], seen["intros"] = list(posters), list(intros)
        return of(recipe, posters, intros, where)

    monkeypatch.setattr(Extracts, "of", spy)
    training = train_part(sample, quick, store)
    assert training.size == len(sample.train_rows)
    assert seen["posters"] == [sample.posters[row] for row in sample.train_rows]
    assert seen["intros"] == [sample.intros[row] for row in sample.train_rows]


def test_train_part_is_what_a_run_learns_from(quick: Recipe, sample: Catalogue, store: FeatureStore) -> None:
    whole = Extracts.of(quick, sample.posters, sample.intros, store).training_set(sample.train_rows)
    part = train_part(sample, quick, store)
    np.testing.assert_array_equal(np.asarray(whole.poster["appearance"]), np.asarray(part.poster["appearance"]))
    assert list(whole.intro["words"]) == list(part.intro["words"])


def test_no_better_trial_keeps_the_recipe(quick: Recipe, training: TrainingSet, tmp_path: Path) -> None:
    worse = Space.parse({"align.1.dimensions": {"int": [1, 2]}}, quick)
    found = tune(quick, training, tmp_path / "study", space=worse, trials=2)
    assert found.values == {} and found.chosen_score == found.given_score
    assert found.chosen == quick.model_copy(update={"name": "quick-tuned"})
    assert "no trial was better" in "\n".join(found.lines())


def test_fold_score_by_hand(quick: Recipe) -> None:
    """40 pairs, k = 2, one expert that knows all pairs, or has each pair's neighbours in between."""
    one = Recipe.parse({**QUICK, "align": [QUICK["align"][0]]})
    unit = np.eye(40, dtype=np.float32)
    assert fold_score(OutOfFold([unit], [unit]), one) == 2.0
    assert fold_score(OutOfFold([unit], [np.roll(unit, 1, axis=0)]), one) == 0.0
    half = unit.copy()
    half[:20] = np.roll(unit[:20], 1, axis=0)  # a cycle among the first 20: never their own partner
    assert fold_score(OutOfFold([unit], [half]), one) == 1.0


def test_weights_are_not_judged_on_their_own_pairs(quick: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    learned_on: list[np.ndarray] = []
    judged: list[np.ndarray] = []
    weigh, rank = inner_score.fusion_weights, inner_score.retrieval_ranks

    def spy_weights(parts: Any, *rest: Any, **options: Any) -> Any:
        learned_on.append(parts[0].poster[0].argmax(axis=1))
        return weigh(parts, *rest, **options)

    def spy_ranks(query: Any, gallery: Any, query_ids: Any, gallery_ids: Any) -> Any:
        judged.append(query_ids)
        return rank(query, gallery, query_ids, gallery_ids)

    monkeypatch.setattr(inner_score, "fusion_weights", spy_weights)
    monkeypatch.setattr(inner_score, "retrieval_ranks", spy_ranks)
    unit = np.eye(41, dtype=np.float32)
    fold_score(OutOfFold([unit] * 3, [unit] * 3), quick)
    assert [len(rows) for rows in learned_on] == [21, 20]
    for which, rows in enumerate(judged):  # both directions of each half
        assert not set(rows.tolist()) & set(learned_on[which // 2].tolist())


def test_a_trial_that_diverges_counts_as_nothing(training: TrainingSet, tmp_path: Path) -> None:
    expert = {"expert": "contrastive", "poster": "appearance", "intro": "words", "dimensions": 8}
    trained = {**expert, "training": {"epochs": 3, "optimizer": "sgd", "learning_rate": 0.1}}
    recipe = Recipe.parse({**QUICK, "align": [trained]})
    space = Space.parse({"align.0.training.learning_rate": {"categorical": [0.1, 1e20]}}, recipe)
    found = tune(recipe, training, tmp_path / "study", space=space, trials=4)
    rows = trials_without_seconds(tmp_path / "study")
    by_rate = {row["align.0.training.learning_rate"]: float(row["score"]) for row in rows}
    assert by_rate["1e+20"] == 0 and by_rate["0.1"] == found.given_score > 0
    assert found.values == {}  # nothing was better than the given recipe


def test_unchanged_experts_are_fitted_once(quick: Recipe, training: TrainingSet, space: Space) -> None:
    fitted: list[str] = []
    remember = Unchanged(quick, space.touched())

    def counting(name: str, compute: Any) -> Any:
        def counted() -> Any:
            fitted.append(name)
            return compute()

        return remember(name, counted)

    first = list(inner_scores(quick, training, counting))
    assert list(inner_scores(quick, training, counting)) == first == list(inner_scores(quick, training))
    assert sorted(fitted) == sorted(
        [f"fold-{fold}-expert-{i}" for fold in range(3) for i in range(3)]
        + [f"fold-{fold}-expert-0" for fold in range(3)]
    )


def test_pupils_of_a_changed_teacher_change() -> None:
    pupil = {
        "expert": "contrastive",
        "poster": "appearance",
        "intro": "words",
        "loss": {"loss": "info_nce"},
        "also": [{"loss": "distillation", "teacher": 0}],
    }
    recipe = Recipe.parse({**QUICK, "align": [QUICK["align"][0], QUICK["align"][1], pupil]})
    assert Unchanged(recipe, {0})._kept == {1}
    assert Unchanged(recipe, {1})._kept == {0, 2}


def test_too_few_pairs_are_said(quick: Recipe, training: TrainingSet, space: Space, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="leave 13 a fold, and the nearest 5 % of that is nobody"):
        tune(quick, training.take(np.arange(40)), tmp_path / "study", space=space, trials=1)


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ([1], "must map paths to ranges"),
        ({}, "must map paths to ranges"),
        ({"seed": {"int": [0, 9]}}, "seed cannot be tuned"),
        ({"views.words.min_df": {"int": [1, 9]}}, r"views.words.min_df cannot be tuned; choose paths of experts"),
        ({"fusion.folds": {"int": [2, 9]}}, "fusion.folds cannot be tuned"),
        ({"align.0.ridge": 3}, "align.0.ridge must be a range"),
        ({"align.0.ridge": {"flaot": [1, 2]}}, "unknown key 'flaot'"),
        ({"align.0.ridge": {}}, r"give one of float: \[low, high\]"),
        ({"align.0.ridge": {"float": [1, 2], "int": [1, 2]}}, "give one of float"),
        ({"align.0.ridge": {"float": [2, 1]}}, "the range must rise"),
        ({"align.0.ridge": {"float": [0, 1], "log": True}}, "log needs a range above 0"),
        ({"align.0.ridge": {"categorical": [1], "log": True}}, "log is for float and int"),
        ({"align.0.ridge": {"float": [-1, 1]}}, r"align.0.ridge = -1.0: align\[0\].ridge must be > 0, got -1"),
        (
            {"align.0.rigde": {"float": [1, 2]}},
            r"unknown key 'rigde' in align\[0\]; did you mean 'ridge'\? choose one of: dimensions",
        ),
        ({"align.7.ridge": {"float": [1, 2]}}, "align has 3 entries, no '7'"),
        ({"align.0.dimensions": {"float": [1, 8]}}, "align.0.dimensions = 3"),
        ({"align.0.expert": {"categorical": ["cca", "ccc"]}}, "unknown expert 'ccc'"),
    ],
)
def test_bad_space(given: Any, line: str, quick: Recipe) -> None:
    with pytest.raises(ConfigError, match=line) as raised:
        Space.parse(given, quick)
    assert str(raised.value).startswith("space")


def test_default_space_names_what_each_expert_has(cheap: Recipe) -> None:
    paths = set(Space.default(cheap).axes)
    assert {"align.0.ridge", "align.0.dimensions", "align.1.training.learning_rate"} <= paths
    assert not any(path.startswith("align.2") for path in paths)
    only_memory = Recipe.parse({**QUICK, "align": [QUICK["align"][2]]})
    with pytest.raises(ConfigError, match=r"no default space for its experts \(memory\); pass --space FILE"):
        Space.default(only_memory)


def test_choices_may_be_lists() -> None:
    both = Recipe.parse(
        {
            **QUICK,
            "views": {**QUICK["views"], "more": {"view": "tfidf", "min_df": 1}},
            "align": [{"expert": "cca", "poster": "appearance", "intro": ["words", "more"]}, *QUICK["align"]],
        }
    )
    space = Space.parse({"align.1.intro": {"categorical": ["more", ["words", "more"]]}}, both)
    assert space.applied(both, {"align.1.intro": ["words", "more"]}).align[1].intro == ["words", "more"]


PROGRAM = [sys.executable, "-c", "from cinealign.cli.app import main; main()"]


def call(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    shown = capsys.readouterr()
    return int(ended.value.code or 0), shown.out, shown.err


def test_command_is_killed_and_goes_on(
    quick: Recipe,
    sample_folder: Path,
    store: FeatureStore,
    tuned: Tuned,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CINEALIGN_CACHE", str(store.folder))
    Path("quick.yaml").write_text(quick.to_yaml(), encoding="utf-8")
    Path("space.yaml").write_text(yaml.safe_dump(SPACE, sort_keys=False), encoding="utf-8")
    arguments = ["tune", "quick.yaml", "--space", "space.yaml", "--data", str(sample_folder), "--out", "study"]
    arguments += ["--trials", "8", "--json"]
    with subprocess.Popen([*PROGRAM, *arguments], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("trial 2/8"):
                process.send_signal(signal.SIGKILL)
                break
    code, out, err = call(capsys, arguments)
    assert code == 0 and "going on with the study in study: " in err
    assert json.loads(out) == tuned.to_json()
    Path("space.yaml").write_text("align.0.ridge: {float: [5, 1]}", encoding="utf-8")
    code, out, err = call(capsys, arguments)
    assert (code, out) == (2, "") and err.count("\n") == 1
    assert err.startswith("ConfigError: space.yaml: align.0.ridge: the range must rise")
