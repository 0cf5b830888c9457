from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cinealign import fitting as module
from cinealign.data.catalogue import Catalogue
from cinealign.data.posters import Poster
from cinealign.errors import ConfigError, ModelError
from cinealign.experts.base import TrainingSet
from cinealign.experts.fusion import fold_numbers
from cinealign.fitting import cross_fit, fit_model
from cinealign.model import AlignmentModel, Extracts
from cinealign.recipe import Recipe
from cinealign.run import Run
from cinealign.state import State
from cinealign.views.store import FeatureStore
from tests.views.drawn import draw_pattern


def states(model: AlignmentModel) -> dict[str, State]:
    """All that a model has learned."""
    return {
        "weights": State({"weights": model.weights}),
        **{f"view {name}": view.state() for name, view in model.views.items()},
        **{f"expert {i}": expert.state() for i, expert in enumerate(model.experts)},
    }


def assert_equal_bits(one: dict[str, State], two: dict[str, State]) -> None:
    assert one.keys() == two.keys()
    for name, state in one.items():
        assert state.values == two[name].values, name
        assert state.arrays.keys() == two[name].arrays.keys(), name
        for part, array in state.arrays.items():
            assert array.tobytes() == two[name].arrays[part].tobytes(), f"{name} {part}"


def test_nothing_that_learns_sees_a_held_out_pair(
    finished: Run, sample: Catalogue, cheap: Recipe, store: FeatureStore, tmp_path: Path
) -> None:
    """Every held-out poster and intro is replaced by another thing; what is learned stays the same, bit for bit."""
    posters, intros = list(sample.posters), list(sample.intros)
    dice = np.random.default_rng(0)
    words = " ".join(intros).split()
    for row in sample.held_out_rows.tolist():
        posters[row] = draw_pattern(tmp_path / f"{row}.png", seed=row)
        intros[row] = " ".join([*dice.choice(words, size=30), f"unheardof{row}"] * 2)
    training = Extracts.of(cheap, posters, intros, store).training_set(sample.train_rows)
    assert_equal_bits(states(fit_model(cheap, training, curves=True)), states(finished.model))


def test_what_is_learned_hangs_on_the_train_pairs(
    finished: Run, sample: Catalogue, cheap: Recipe, store: FeatureStore
) -> None:
    """The counterpart: the comparison above can fail."""
    intros = list(sample.intros)
    row = int(sample.train_rows[0])
    intros[row] = intros[int(sample.train_rows[1])]
    training = Extracts.of(cheap, sample.posters, intros, store).training_set(sample.train_rows)
    with pytest.raises(AssertionError):
        assert_equal_bits(states(fit_model(cheap, training)), states(finished.model))


def test_saved_model_encodes_as_the_run_did(finished: Run, sample: Catalogue, store: FeatureStore) -> None:
    poster, intro = finished.vectors
    model = AlignmentModel.load(finished.folder / "model")
    assert np.array_equal(model.encode_posters(sample.posters, store), poster)
    assert np.array_equal(model.encode_intros(sample.intros, store), intro)
    few = [7, 3, 3]
    np.testing.assert_allclose(model.encode_posters([sample.posters[i] for i in few], store), poster[few], atol=1e-5)
    np.testing.assert_allclose(model.encode_intros([sample.intros[i] for i in few], store), intro[few], atol=1e-5)


def test_save_and_load_again(finished: Run, tmp_path: Path) -> None:
    finished.model.save(tmp_path / "model")
    assert_equal_bits(states(AlignmentModel.load(tmp_path / "model")), states(finished.model))


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("recipe.yaml", None),
        ("recipe.yaml", "views: ["),
        ("fusion.json", None),
        ("fusion.json", "{}"),
        ("fusion.json", "[1]"),
        ("expert-0.safetensors", None),
        ("view-words.safetensors", "cut"),
    ],
)
def test_damaged_model(finished: Run, tmp_path: Path, file: str, content: str | None) -> None:
    finished.model.save(tmp_path)
    if content is None:
        (tmp_path / file).unlink()
    else:
        (tmp_path / file).write_text(content)
    with pytest.raises(ModelError, match="run the recipe again"):
        AlignmentModel.load(tmp_path)


class Spy:
    """Stands in for `fit_parts`: notes which movies were fitted on and which were encoded."""

    side = "poster"

    def __init__(self, fitted_on: set[int], log: list[tuple[set[int], set[int]]]) -> None:
        self.fitted_on, self.log = fitted_on, log

    def transform(self, extracted: Any) -> Any:
        return np.asarray(extracted)

    def encode_poster(self, features: dict[str, Any]) -> Any:
        self.log.append((self.fitted_on, set(features["p"].tolist())))
        return features["p"][:, None]

    def encode_intro(self, features: dict[str, Any]) -> Any:
        self.log.append((self.fitted_on, set(features["i"].tolist())))
        return features["i"][:, None]


def test_cross_fit_never_encodes_what_it_was_fitted_on(cheap: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    log: list[tuple[set[int], set[int]]] = []

    def fit_parts(recipe: Recipe, training: TrainingSet, *_: Any) -> Any:
        spy = Spy(set(np.asarray(training.poster["p"]).tolist()), log)
        return {"p": spy, "i": spy}, [spy]

    monkeypatch.setattr(module, "fit_parts", fit_parts)
    movies = np.arange(100, 120)
    out_of_fold = cross_fit(cheap, TrainingSet({"p": movies}, {"i": movies}, 20))
    assert len(out_of_fold) == cheap.fusion.folds and len(log) == 2 * cheap.fusion.folds
    for fitted_on, encoded in log:
        assert fitted_on.isdisjoint(encoded) and fitted_on | encoded == set(movies.tolist())
    assert sorted(int(x) for fold in out_of_fold for x in fold.poster[0][:, 0]) == movies.tolist()
    fold_of = fold_numbers(20, cheap.fusion.folds, cheap.seed)
    assert out_of_fold[0].poster[0][:, 0].tolist() == movies[fold_of == 0].tolist()


def test_too_few_pairs_for_the_folds(cheap: Recipe) -> None:
    movies = np.arange(5)
    with pytest.raises(ConfigError, match=r"fusion.folds = 3 needs at least 6 train pairs, got 5; lower it"):
        cross_fit(cheap, TrainingSet({"p": movies}, {"i": movies}, 5))


def test_no_folds_where_there_is_nothing_to_weigh(
    sample: Catalogue, store: FeatureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = Recipe.parse(
        {
            "name": "one",
            "views": {"appearance": {"view": "appearance", "width": 96, "height": 128}, "words": {"view": "tfidf"}},
            "align": [
                {"expert": "cca", "poster": "appearance", "intro": "words"},
                {"expert": "memory", "poster": "appearance", "intro": "words", "weight": 0.25},
            ],
        }
    )
    monkeypatch.setattr(module, "cross_fit", None)
    extracts = Extracts.of(recipe, sample.posters, sample.intros, store)
    assert fit_model(recipe, extracts.training_set(sample.train_rows)).weights.tolist() == [0.8, 0.2]


def test_a_poster_of_ones_own(finished: Run, tmp_path: Path, store: FeatureStore) -> None:
    mine: list[Poster] = [draw_pattern(tmp_path / "mine.png", seed=1)]
    vectors = finished.model.encode_posters(mine, store)
    assert vectors.shape == (1, finished.vectors[0].shape[1]) and np.isfinite(vectors).all()
    other: list[Poster] = [draw_pattern(tmp_path / "other.png", seed=2)]
    assert not np.allclose(finished.model.encode_posters(other, store), vectors)
    empty, text = finished.model.encode_intros([""], store), finished.model.encode_intros(["a shark"], store)
    assert empty.shape == text.shape == vectors.shape and np.isfinite(empty).all()
