"""Optimisers, schedules, batches, averaged weights and the loop, each against its formula."""

import math

import pytest
import torch
from torch import nn

from cinealign.errors import ConfigError
from cinealign.experts.collapse import effective_rank
from cinealign.training.loop.averaging import WeightAverage
from cinealign.training.loop.batches import batches
from cinealign.training.loop.optimisers import Lion
from cinealign.training.loop.schedules import Plateau, one_cycle, warm_up_constant, warm_up_cosine
from cinealign.training.loop.settings import EarlyStopping, TrainingSettings
from cinealign.training.loop.train import best_epoch, train


def test_lion_equals_its_formula():
    weight = nn.Parameter(torch.tensor([1.0, -2.0, 0.5]))
    optimiser = Lion([weight], lr=0.1, betas=(0.9, 0.99), weight_decay=0.5)
    by_hand, momentum = [1.0, -2.0, 0.5], [0.0, 0.0, 0.0]
    for gradient in ([0.3, -1.0, 0.0], [-5.0, 0.2, 0.1], [0.01, 0.01, -9.0]):
        weight.grad = torch.tensor(gradient)
        optimiser.step()
        for i, g in enumerate(gradient):
            mixed = 0.9 * momentum[i] + 0.1 * g
            sign = (mixed > 0) - (mixed < 0)
            by_hand[i] -= 0.1 * (sign + 0.5 * by_hand[i])
            momentum[i] = 0.99 * momentum[i] + 0.01 * g
    assert weight.tolist() == pytest.approx(by_hand)


def test_schedules_known_by_hand():
    assert [warm_up_cosine(s, 10, 0.0) for s in (0, 5, 10)] == pytest.approx([1.0, 0.5, 0.0], abs=1e-9)
    assert [warm_up_constant(s, 8, 0.5) for s in (0, 3, 4, 7)] == pytest.approx([0.2, 0.8, 1.0, 1.0])
    cycle = [one_cycle(s, 11, 0.2) for s in (0, 1, 2, 6, 10)]
    assert cycle == pytest.approx([0.04, 0.52, 1.0, 0.5, 0.0], abs=1e-5)
    plateau = Plateau()
    for loss in [3.0, 2.0, *[2.0] * 5]:
        plateau.epoch(loss)
    assert plateau.share == 0.5


@pytest.mark.parametrize("size", [4, 5, 7, 32])
def test_batches_hold_every_row_once_and_keep_a_group_apart(size):
    groups = torch.tensor([0, 0, 1, 2, 2, 3, 4, 5, 6, 7, 8])
    for seed in range(20):
        parts = list(batches(11, size, torch.Generator().manual_seed(seed), groups))
        assert sorted(torch.cat(parts).tolist()) == list(range(11))
        assert all(len(part) > 1 for part in parts)
        if len(parts) > 1:
            assert all(len(set(groups[part].tolist())) == len(part) for part in parts)


def test_average_of_weights_equals_its_formula_and_can_be_taken_out_again():
    layer = nn.Linear(1, 1, bias=False)
    nn.init.constant_(layer.weight, 1.0)
    average, expected = WeightAverage(layer, 0.9), 1.0
    for step, weight in enumerate((2.0, 4.0, -1.0), start=1):
        nn.init.constant_(layer.weight, weight)
        average.update()
        decay = min(0.9, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * weight
    with average.installed():
        assert layer.weight.item() == pytest.approx(expected)
    assert layer.weight.item() == -1.0


def regression(settings, **options):
    torch.manual_seed(0)
    x = torch.randn(60, 3)
    y = x @ torch.tensor([[1.0], [-2.0], [0.5]])
    layer = nn.Linear(3, 1)
    history = train(
        layer,
        60,
        lambda rows: (layer(x[rows]) - y[rows]).square().mean(),
        settings,
        torch.Generator().manual_seed(0),
        **options,
    )
    return layer, history


@pytest.mark.parametrize("schedule", ["cosine", "constant", "one_cycle", "plateau"])
@pytest.mark.parametrize(("optimizer", "rate"), [("adamw", 0.1), ("sgd", 0.05), ("lion", 0.03), ("adafactor", 0.1)])
def test_every_optimiser_and_schedule_learns(optimizer, rate, schedule):
    settings = TrainingSettings(epochs=30, batch_size=16, optimizer=optimizer, learning_rate=rate, schedule=schedule)
    _, history = regression(settings)
    assert history[-1]["loss"] < 0.3 * history[0]["loss"]
    assert set(history[0]) == {"epoch", "loss", "learning_rate", "gradient_norm"}


def test_clipping_limits_the_step_and_full_batches_are_whole():
    settings = TrainingSettings(
        epochs=1,
        batch_size="full",
        optimizer="sgd",
        momentum=0,
        learning_rate=1.0,
        clip=0.01,
        warm_up=0,
        weight_decay=0,
    )
    torch.manual_seed(0)
    torch.randn(60, 3)
    before = torch.cat([p.detach().ravel() for p in nn.Linear(3, 1).parameters()])
    layer, history = regression(settings)
    after = torch.cat([p.detach().ravel() for p in layer.parameters()])
    assert float((after - before).norm()) == pytest.approx(0.01, rel=1e-3)
    assert history[0]["gradient_norm"] > 0.01


def test_the_loop_stops_when_patience_ends_and_names_the_best_epoch():
    accuracies = iter([0.1, 0.4, 0.4, 0.3, 0.9])
    settings = TrainingSettings(epochs=20, early_stopping=EarlyStopping(patience=2))
    _, history = regression(settings, judge=lambda: {"inner_accuracy": next(accuracies)})
    assert len(history) == 4 and best_epoch(history) == 2
    _, again = regression(settings, last_epoch=2)
    assert [entry["loss"] for entry in again] == [entry["loss"] for entry in history[:2]]


def test_effective_rank_of_vectors_known_by_hand():
    assert effective_rank(torch.full((5, 3), 0.5)) == 0.0
    assert effective_rank(torch.tensor([[1.0, 0], [-1, 0], [0, 1], [0, -1]])) == pytest.approx(2.0)
    assert math.isclose(effective_rank(torch.tensor([[1.0, 0], [-1, 0]])), 1.0)


def test_a_rate_that_is_too_high_ends_in_one_line():
    layer = nn.Linear(1, 1)
    settings = TrainingSettings(epochs=50, learning_rate=1e20, optimizer="sgd", schedule="constant", warm_up=0)
    with pytest.raises(ConfigError, match=r"the loss is (nan|inf) in epoch \d+; lower learning_rate, got 1e\+20"):
        train(layer, 8, lambda rows: layer(rows[:, None].float()).square().mean(), settings, torch.Generator())
