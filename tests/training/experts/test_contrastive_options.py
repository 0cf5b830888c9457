"""The contrastive expert's losses, tricks and members, on small drawn pairs."""

import numpy as np
import pytest

from cinealign.errors import ConfigError
from cinealign.experts.base import TeacherVectors, TrainingSet
from cinealign.fitting import fit_model
from cinealign.model import AlignmentModel, Extracts
from cinealign.recipe import Recipe
from cinealign.training.experts.contrastive import ContrastiveExpert
from cinealign.training.experts.contrastive_options import ContrastiveOptions

N = 60


def drawn():
    generator = np.random.default_rng(0)
    z = generator.normal(size=(N, 4))
    sides = [(z @ generator.normal(size=(4, 9)) + 0.3 * generator.normal(size=(N, 9))).astype("f4") for _ in range(2)]
    labels = (z[:, :3] > 0).astype("f4")
    teacher = TeacherVectors(z.astype("f4"), z.astype("f4"), np.arange(N) % 3)
    return TrainingSet({"a": sides[0]}, {"i": sides[1]}, N, labels={"genre": labels}, teachers={0: teacher})


def fitted(seed=0, **options):
    training = {"epochs": 6, "batch_size": 20, "learning_rate": 0.01, **options.pop("training", {})}
    given = {"poster": "a", "intro": "i", "dimensions": 8, "training": training, **options}
    return ContrastiveExpert(ContrastiveOptions.model_validate(given)).fit(drawn(), seed=seed)


@pytest.mark.parametrize(
    "options",
    [
        {"loss": "sigmoid"},
        {"loss": "triplet", "mixup": 1.0},
        {"loss": {"loss": "info_nce", "bank": 16, "soft_targets": 0.2}, "mixup": 0.5},
        {"loss": "decoupled", "also": [{"loss": "genre", "weight": 0.5}]},
        {"also": [{"loss": "distillation", "teacher": 0}]},
        {"training": {"bfloat16": True, "ema": 0.9, "clip": 1.0, "unique_intros": True, "batch_size": "full"}},
    ],
    ids=str,
)
def test_every_option_learns_and_the_same_seed_gives_the_same_numbers(options):
    expert = fitted(**options)
    first, last = expert.history[0], expert.history[-1]
    assert last["loss"] < first["loss"] or options.get("mixup")
    assert {"epoch", "loss", "learning_rate", "gradient_norm", "effective_rank"} <= set(last)
    features = drawn()
    again = fitted(**options).encode_poster(features.poster)
    np.testing.assert_array_equal(again, expert.encode_poster(features.poster))


def test_members_are_averaged_and_read_back():
    expert, features = fitted(seeds=2), drawn()
    poster, intro = expert.encode_poster(features.poster), expert.encode_intro(features.intro)
    first = fitted()
    assert poster.shape == (N, 16)
    np.testing.assert_allclose(np.linalg.norm(poster, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(poster[:, :8] * np.sqrt(2), first.encode_poster(features.poster), atol=1e-6)
    cosines = [poster[:, part] @ intro[:, part].T * 2 for part in (slice(0, 8), slice(8, 16))]
    np.testing.assert_allclose(poster @ intro.T, (cosines[0] + cosines[1]) / 2, atol=1e-5)
    again = ContrastiveExpert(expert.options).load_state(expert.state())
    np.testing.assert_array_equal(again.encode_poster(features.poster), poster)
    assert {entry["member"] for entry in again.history} == {0, 1}


def test_early_stopping_searches_inside_and_then_fits_on_all():
    expert = fitted(training={"epochs": 12, "early_stopping": {"folds": 3, "patience": 3}})
    search = [entry for entry in expert.history if entry.get("phase") == "search"]
    final = [entry for entry in expert.history if "phase" not in entry]
    best = max(search, key=lambda entry: (entry["inner_accuracy"], -entry["epoch"]))
    assert len(final) == best["epoch"]
    with pytest.raises(ConfigError, match=r"early_stopping\.folds is 40 and there are 60 train pairs"):
        fitted(training={"early_stopping": {"folds": 40}})


def test_a_collapse_is_said(capsys):
    expert = fitted(training={"optimizer": "sgd", "learning_rate": 1e-9, "epochs": 1}, loss="triplet")
    assert "collapsed" not in expert.history[-1]
    training = drawn()
    training.poster["a"][:] = training.poster["a"][:, :1]  # one direction is all that a linear head can give
    options = ContrastiveOptions.model_validate({"poster": "a", "intro": "i", "dropout": 0, "training": {"epochs": 1}})
    history = ContrastiveExpert(options).fit(training, seed=0).history
    assert history[-1]["effective_rank"] < 2 and history[-1]["collapsed"]
    assert "have collapsed to" in capsys.readouterr().err


def recipe(*align, **more):
    views = {"a": {"view": "appearance"}, "i": {"view": "language_model"}}
    return Recipe.parse(
        {"name": "x", "views": views, "align": [{"poster": "a", "intro": "i", **x} for x in align], **more}
    )


def test_a_teacher_must_be_listed_earlier_and_knows_no_mixtures():
    taught = {"expert": "contrastive", "also": [{"loss": "distillation", "teacher": 1}]}
    with pytest.raises(ConfigError, match=r"align\[1\]: teacher 1 is no expert listed earlier; choose one of: 0"):
        recipe({"expert": "cca"}, taught)
    with pytest.raises(ConfigError, match="mixup and a distillation loss exclude each other"):
        recipe({"expert": "cca"}, {**taught, "mixup": 1.0})
    with pytest.raises(ConfigError, match=r"align\[0\]\.loss: unknown key 'margin'"):
        recipe({"expert": "contrastive", "loss": {"loss": "info_nce", "margin": 1}})
    assert recipe({"expert": "contrastive", "loss": "sigmoid"}).align[0].loss.bias == -10.0


def test_a_recipe_with_a_teacher_and_a_fitted_distance_runs_saves_and_loads(tmp_path):
    features = drawn()
    small = {"epochs": 2, "batch_size": 16}
    student = {
        "expert": "contrastive",
        "training": small,
        "also": [{"loss": "distillation", "teacher": 0}, {"loss": "genre"}],
    }
    chosen = recipe(
        {"expert": "cca", "dimensions": 4},
        student,
        distance={"distance": "neighbour_bias", "k": 3},
        fusion={"folds": 3},
    )
    extracts = Extracts(features.poster, features.intro, N)
    rows = np.arange(0, N, 2)
    training = extracts.training_set(rows, {"genre": features.labels["genre"][rows]})
    model = fit_model(chosen, training)
    model.save(tmp_path / "model")
    poster = model.encode_poster_extracts(extracts.poster)
    assert poster.shape[1] == 4 + 128 + 2
    np.testing.assert_array_equal(
        AlignmentModel.load(tmp_path / "model").encode_poster_extracts(extracts.poster), poster
    )


def test_every_part_of_a_sum_is_in_the_history():
    also = [{"loss": "genre", "weight": 0.5}, {"loss": "info_nce", "weight": 2.0, "temperature": 0.2}]
    for entry in fitted(also=also).history:
        parts = [entry[f"loss_{name}"] for name in ("info_nce", "genre", "info_nce_2")]
        assert entry["loss"] == pytest.approx(parts[0] + 0.5 * parts[1] + 2 * parts[2], rel=1e-5)
        assert len(set(parts)) == 3
    assert not any(key.startswith("loss_") for entry in fitted().history for key in entry)


def test_a_bank_needs_batches():
    with pytest.raises(ValueError, match=r"a bank holds pairs of earlier batches and batch_size: full leaves none"):
        fitted(loss={"loss": "info_nce", "bank": 8}, training={"batch_size": "full"})
