from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from cinealign.errors import ConfigError
from cinealign.experts.base import TrainingSet
from cinealign.experts.cca import canonical_maps
from cinealign.experts.residual_ridge import residual_map
from cinealign.state import State
from cinealign.training.experts.network import NetworkExpert
from cinealign.training.experts.network_options import NetworkOptions
from tests.training.experts.two_towers import drawn, features, fitted, options

CHANGED = {"down", "up", "base", "given_others", "rows"}
"""Last names of the weights that training may change."""


@pytest.fixture(scope="module")
def training() -> TrainingSet:
    return drawn(75)


@pytest.fixture(scope="module")
def network(training: TrainingSet) -> NetworkExpert:
    return fitted(training)


def unit(rows: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 1e-9)


def test_vectors_have_length_one_and_the_width_of_the_plan(network: NetworkExpert) -> None:
    fresh = drawn(30, seed=1)
    poster, intro = network.encode_poster(features(fresh.poster)), network.encode_intro(features(fresh.intro))
    assert poster.shape == intro.shape == (30, 12 + 10 + 2 + 16 + 2) == (30, network.towers.plan.width)
    for rows in (poster, intro):
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("kernel_width", [0.0, 0.5])
def test_products_are_those_of_a_slow_forward_pass(training: TrainingSet, kernel_width: float) -> None:
    """Every part by hand in numpy, one poster and one intro at a time, from the saved arrays alone."""
    network = fitted(training, kernel_width=kernel_width)
    fresh, state = drawn(8, seed=2), network.state()
    w = {name.removeprefix("towers."): array.astype(np.float64) for name, array in state.arrays.items()}
    parts = network.towers.plan.parts
    counts = {ngram: row for row, ngram in enumerate(state.values["vocabulary"])}

    def bag(text: str) -> np.ndarray:
        weights = np.zeros(len(counts))
        for word in text.split():
            padded = f" {word} "
            for at in range(max(1, len(padded) - 3)):
                if padded[at : at + 4] in counts:
                    weights[counts[padded[at : at + 4]]] += 1
        weights = np.where(weights > 0, 1 + np.log(np.maximum(weights, 1)), 0) * w["idf"]
        return weights / max(np.linalg.norm(weights), 1e-12)

    def direction(row: np.ndarray, prefix: str) -> np.ndarray:
        centred = (row - w[f"{prefix}.mean"]) @ w[f"{prefix}.basis"] if row.any() else np.zeros(12)
        return centred / max(np.linalg.norm(centred), 1e-6)

    def likeness(row: np.ndarray, prefix: str) -> np.ndarray:
        kernel = [np.exp((row / max(np.linalg.norm(row), 1e-6) @ known - 1) / 0.5) for known in w[f"{prefix}.known"]]
        return unit(np.array([kernel]) @ w[f"{prefix}.says"])[0]

    posters, intros = [], []
    for i in range(8):
        said, letters = {}, bag(str(fresh.poster["words"][i]))
        for r, name in enumerate(("lettering", "title")):
            row = direction(np.asarray(fresh.poster[name])[i].astype(np.float64), f"poster_tower.start.directions.{r}")
            adapter = w[f"poster_tower.adapters.{r}.down"] @ w[f"poster_tower.adapters.{r}.up"]
            said[name] = unit((row @ (w[f"poster_tower.start.maps.{r}"] + adapter))[None])[0]
        look = (fresh.poster["look"][i] - w["pictures.mean.0"]) * state.values["pictures.scales"][0]
        looks = unit((look @ w["poster_tower.start.picture_looks"])[None])
        said["picture"] = unit(looks @ w["poster_tower.start.looks_say"])[0]
        said["meaning"] = unit((letters @ w["poster_tower.start.ngrams_say.rows"])[None])[0]
        if kernel_width:
            said["alike"] = likeness(look, "poster_tower.start.alike")
        there = np.array([said[part].any() if part != "letters" else letters.any() for part in parts], dtype=float)
        gates = there * np.exp(10 * (w["poster_tower.gates.base"] + (there - 1) @ w["poster_tower.gates.given_others"]))
        gate = dict(zip(parts, gates, strict=True))
        meaning = sum(gate[name] * said[name] for name in parts if name != "letters")
        posters.append(np.concatenate([meaning, gate["letters"] * letters @ w["table.rows"]]))
        intro = direction(np.asarray(fresh.intro["intro"])[i].astype(np.float64), "intro_tower.directions.0")
        if kernel_width:
            intro = intro + w["intro_tower.expectation"] * likeness(intro, "intro_tower.expects")
        intros.append(np.concatenate([intro, bag(str(fresh.intro["plot"][i])) @ w["table.rows"]]))
    x, y = np.array(posters), np.array(intros)
    biases = []
    for rows, bank in ((x, w["hubs.intros"]), (y, w["hubs.posters"])):
        nearest = np.sort(rows @ bank.T, axis=1)[:, -network.towers.hubs.k :]
        biases.append(w["hubs.strength"] * nearest.mean(axis=1))
    share = network.options.memory_share
    expected = (1 - share) * (x @ y.T - biases[0][:, None] - biases[1]) / np.prod(w["reach"])
    recalled = []
    for rows, known in ((x, w["memory.posters"]), (y, w["memory.intros"])):
        codes = np.exp((unit(rows) @ known.T - 1) / network.options.bandwidth) @ w["memory.codes"]
        recalled.append(codes / np.maximum(1, np.linalg.norm(codes, axis=1, keepdims=True)))
    expected += share * recalled[0] @ recalled[1].T
    D = network.encode_poster(features(fresh.poster)) @ network.encode_intro(features(fresh.intro)).T
    np.testing.assert_allclose(D, expected, atol=2e-5)


def test_it_starts_at_the_closed_forms(training: TrainingSet) -> None:
    """Adapters add nothing at epoch 0, readings go through the ridge map and the picture through both CCA maps."""
    towers = fitted(training, training={"epochs": 1, "batch_size": "full", "learning_rate": 1e-12}).towers
    start = towers.poster_tower.start
    directions = [module(torch.from_numpy(np.asarray(training.poster["title"]))) for module in start.directions][1]
    goal = towers.intro_tower.directions[0](torch.from_numpy(np.asarray(training.intro["intro"])))
    there = (directions != 0).any(dim=1)
    expected = residual_map(directions[there].numpy(), goal[there].numpy(), 8.0)
    np.testing.assert_allclose(start.maps[1].numpy(), expected, atol=1e-4)
    look = np.asarray(training.poster["look"])
    centred = look - look.mean(axis=0)
    first, second = canonical_maps(centred / np.sqrt((centred**2).sum(axis=1).mean()), goal.numpy(), 4, 30.0)
    np.testing.assert_allclose(
        (start.picture_looks @ start.looks_say).numpy(), first @ second.T, atol=1e-4 * np.abs(first @ second.T).max()
    )
    assert all(
        float((adapter.down @ adapter.up).detach().abs().max()) < 1e-6 for adapter in towers.poster_tower.adapters
    )


def test_kernels_start_at_ridge_regressions_and_a_fold_meets_those_without_it(training: TrainingSet) -> None:
    network = fitted(training, kernel_width=0.5, expectation=0.4)
    towers = network.towers
    intros = towers.intro_tower.directions[0](torch.from_numpy(np.asarray(training.intro["intro"]))).numpy()
    first = towers.poster_tower.start.directions[0](torch.from_numpy(np.asarray(training.poster["lettering"]))).numpy()
    look = np.asarray(training.poster["look"])
    looks = unit(look - look.mean(axis=0))
    for found, rows, targets in (
        (towers.intro_tower.expects, intros, first),
        (towers.poster_tower.start.alike, looks, intros),
    ):
        kernel = np.exp((rows @ rows.T - 1) / 0.5)
        says = np.linalg.solve(kernel + np.eye(75), targets - targets.mean(axis=0))
        np.testing.assert_allclose(found.says.numpy(), says, atol=2e-4)
        np.testing.assert_allclose(found.known.numpy(), rows, atol=1e-5)
    assert float(towers.intro_tower.expectation) == pytest.approx(0.4)
    sides = [{name: np.asarray(rows) for name, rows in side.items()} for side in (training.poster, training.intro)]
    fold = network._folds(network._posters(sides[0]), network._intros(sides[1]), torch.from_numpy(intros), 0)[1]
    others = np.setdiff1d(np.arange(75), fold.rows)
    kernel = np.exp((intros @ intros[others].T - 1) / 0.5)
    held = np.linalg.solve(kernel[others] + np.eye(len(others)), first[others] - first[others].mean(axis=0))
    assert fold.intros.expected is not None
    np.testing.assert_allclose(fold.intros.expected.numpy(), unit(kernel[fold.rows] @ held), atol=1e-3)


def test_training_changes_nothing_but_what_it_may(training: TrainingSet) -> None:
    still = fitted(training, training={"epochs": 1, "batch_size": "full", "learning_rate": 1e-12}).towers.state_dict()
    moved = fitted(training, loss={"loss": "info_nce", "temperature": 0.3}).towers
    learning = {name for name, weight in moved.named_parameters() if weight.requires_grad}
    assert {name.rpartition(".")[2] for name in learning} == CHANGED
    for name, value in moved.state_dict().items():
        if name.startswith("poster_tower.start") or name.startswith("intro_tower"):
            assert torch.equal(value, still[name]), name


def test_memory_finds_train_pairs_and_changes_no_order_of_new_queries(training: TrainingSet) -> None:
    with_memory, without = fitted(training), fitted(training, memory=0)
    new = drawn(40, seed=7)
    gallery = [features(training.intro), features(new.intro)]
    products = []
    for network in (with_memory, without):
        queries = network.encode_poster(features(new.poster))
        products.append(np.concatenate([queries @ network.encode_intro(side).T for side in gallery], axis=1))
    share = with_memory.options.memory_share
    np.testing.assert_allclose(
        products[0], (1 - share) * products[1], atol=5e-3
    )  # a new item may be a little like a train item
    known = with_memory.encode_poster(features(training.poster)) @ with_memory.encode_intro(features(training.intro)).T
    forgot = without.encode_poster(features(training.poster)) @ without.encode_intro(features(training.intro)).T
    assert (known.argmax(axis=1) == np.arange(75)).mean() > 0.95 > (forgot.argmax(axis=1) == np.arange(75)).mean()


def test_it_finds_new_pairs_above_chance_and_the_history_says_how(network: NetworkExpert) -> None:
    new = drawn(60, seed=3)
    D = network.encode_poster(features(new.poster)) @ network.encode_intro(features(new.intro)).T
    ranks = (D.diagonal()[:, None] <= D).sum(axis=1)
    assert (ranks <= 6).mean() > 0.4  # chance 0.1
    assert [entry["epoch"] for entry in network.history] == [0, 1, 2, 3, 4]
    fields = {
        "loss",
        "temperature",
        "inner_accuracy",
        "inner_log_rank",
        *(f"gate_{p}" for p in network.towers.plan.parts),
    }
    assert all(fields <= set(entry) for entry in network.history)
    assert all({"gradient_norm", "learning_rate"} <= set(entry) for entry in network.history[1:])
    chosen = [entry for entry in network.history if entry.get("chosen")]
    assert len(chosen) == 1 and {"hub_strength", "inner_accuracy_with_hubs"} <= set(chosen[0])
    assert chosen[0]["inner_log_rank"] == min(entry["inner_log_rank"] for entry in network.history)


def test_saved_and_read_back_it_is_the_same(network: NetworkExpert) -> None:
    again = NetworkExpert(options()).load_state(network.state())
    new = drawn(12, seed=4)
    for one, other in (
        (network.encode_poster(features(new.poster)), again.encode_poster(features(new.poster))),
        (network.encode_intro(features(new.intro)), again.encode_intro(features(new.intro))),
    ):
        assert np.array_equal(one, other)
    assert again.history == network.history


def test_a_file_keeps_every_shape(network: NetworkExpert, tmp_path: Path) -> None:
    """The audit compares what a file holds with what a refit gives, shapes included."""
    network.state().save(tmp_path / "expert.safetensors")
    saved = State.load(tmp_path / "expert.safetensors").arrays
    assert {name: array.shape for name, array in saved.items()} == {
        name: array.shape for name, array in network.state().arrays.items()
    }


def test_a_seed_gives_one_network_and_another_seed_another(network: NetworkExpert, training: TrainingSet) -> None:
    same, other = fitted(training).state().arrays, fitted(training, seed=1).state().arrays
    arrays = network.state().arrays
    assert all(np.array_equal(arrays[name], same[name]) for name in arrays)
    assert not np.array_equal(arrays["towers.memory.codes"], other["towers.memory.codes"])


def test_it_does_without_pictures_letters_and_memory(training: TrainingSet) -> None:
    given = {**options().model_dump(), "pictures": [], "letters": None, "memory": 0}
    del given["poster"], given["intro"]
    network = NetworkExpert(NetworkOptions.model_validate(given)).fit(training, seed=0)
    assert network.encode_poster(features(training.poster)).shape == (75, 12 + 2 + 2)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"poster": ["lettering"], "intro": ["intro"]}, "leave them out"),
        ({"languages": [{"intro": "intro", "poster": ["title", "title"]}]}, "named twice"),
        ({"training": {"early_stopping": {}}}, "its folds choose the epoch"),
        ({"loss": {"loss": "hinge"}}, "hinge"),
        ({"letters": {"poster": "words", "intro": "plot", "shortest": 5, "longest": 4}}, "longest must be >= shortest"),
    ],
)
def test_options_that_do_not_fit_are_refused(changed: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        options(**changed)


def test_too_few_pairs_and_two_models_are_refused(training: TrainingSet) -> None:
    with pytest.raises(ConfigError, match="needs 2 at least"):
        fitted(drawn(5))
    with pytest.raises(ConfigError, match="one language model"):
        fitted(training, languages=[{"intro": "intro", "poster": ["lettering", "look"], "dimensions": 12}], pictures=[])
    with pytest.raises(ConfigError, match="gives numbers"):
        fitted(training, letters={"poster": "look", "intro": "plot"})
