from __future__ import annotations

import numpy as np
import torch

from cinealign.training.networks.two_tower.gates import Gates
from cinealign.training.networks.two_tower.hubs import nearest_mean
from cinealign.training.networks.two_tower.likeness import Likeness
from cinealign.training.networks.two_tower.memory import Memory
from cinealign.training.networks.two_tower.ngrams import NgramTable, NgramWeights
from cinealign.training.networks.two_tower.reading import Adapter, Directions

INTROS = ["a shark eats a town", "the sharks come back", "love in the town", ""]


def test_bags_have_length_one_and_taken_bags_are_the_same() -> None:
    weights = NgramWeights.fit(INTROS, (4, 4), 2)
    bags = weights.bags(["shark town", "zzz", "the shark"])
    dense = np.zeros((3, len(weights.vocabulary)))
    for i in range(3):
        of_text = slice(int(bags.offsets[i]), int(bags.offsets[i + 1]))
        dense[i, bags.ngrams[of_text].numpy()] = bags.weights[of_text].numpy()
    np.testing.assert_allclose((dense**2).sum(axis=1), [1, 0, 1], atol=1e-6)
    assert bags.there().tolist() == [1, 0, 1]
    table = NgramTable(len(weights.vocabulary), 5).eval()
    with torch.no_grad():
        table.rows.normal_(generator=torch.Generator().manual_seed(0))
        order = torch.tensor([2, 0, 0, 1])
        torch.testing.assert_close(table(bags.take(order)), table(bags)[order])
        torch.testing.assert_close(table(bags), torch.from_numpy(dense).float() @ table.rows)


def test_no_ngram_is_frequent_enough() -> None:
    weights = NgramWeights.fit(["ab", ""], (4, 4), 2)
    bags = weights.bags(["shark", ""])
    assert weights.vocabulary == [] and bags.offsets.tolist() == [0, 0, 0]
    assert NgramTable(0, 3)(bags).tolist() == [[0, 0, 0], [0, 0, 0]]


def test_gates_start_at_their_weights_and_close_for_what_is_missing() -> None:
    gates = Gates(["lettering", "picture"])
    gates.start([0.25, 0.5])
    there = torch.tensor([[1.0, 1.0], [0.0, 1.0]])
    torch.testing.assert_close(gates(there), torch.tensor([[0.25, 0.5], [0.0, 0.5]]))
    with torch.no_grad():
        gates.given_others[0, 1] = -0.1  # without lettering the picture counts e times as much
    torch.testing.assert_close(gates(there), torch.tensor([[0.25, 0.5], [0.0, 0.5 * np.e]], dtype=torch.float32))


def test_an_adapter_adds_nothing_at_first_and_an_absent_text_stays_absent() -> None:
    assert not Adapter(6, 2, 0.5)(torch.randn(4, 6)).any()
    directions = Directions(3, 2)
    directions.mean.fill_(1.0)
    directions.basis.copy_(torch.eye(3)[:, :2])
    given = torch.tensor([[4.0, 5.0, 9.0], [0.0, 0.0, 0.0]])
    torch.testing.assert_close(directions(given), torch.tensor([[0.6, 0.8], [0.0, 0.0]]))


def test_nearest_mean_by_hand() -> None:
    items, bank = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.2, 9.0], [0.8, 1.0], [0.6, 0.0], [-1.0, 0.0]])
    torch.testing.assert_close(nearest_mean(items, bank, 2), torch.tensor([0.7]))
    assert nearest_mean(items, bank[:0], 2).tolist() == [0.0]


def test_memory_recalls_its_own_and_nothing_for_the_new() -> None:
    memory, dice = Memory(6, 8, 5, 0.02), torch.Generator().manual_seed(0)
    posters, intros = torch.randn(6, 8, generator=dice), torch.randn(6, 8, generator=dice)
    memory.remember(posters, intros, dice)
    torch.testing.assert_close(memory.of_posters(3 * posters), memory.codes, atol=1e-3, rtol=0)
    torch.testing.assert_close(memory.of_intros(intros), memory.codes, atol=1e-3, rtol=0)
    assert float(memory.of_posters(-posters).norm(dim=1).max()) < 1e-3
    assert float(memory.of_posters(torch.zeros(2, 8)).abs().max()) < 1e-9


def test_likeness_says_nearly_what_it_learned_and_nothing_of_what_is_not_there() -> None:
    rows, targets = torch.eye(4)[:3], torch.tensor([[3.0], [0.0], [-3.0]])
    likeness = Likeness(5, 4, 1, 0.1)
    likeness.fit(rows, targets, 1e-3)
    torch.testing.assert_close(likeness(rows), targets, atol=0.01, rtol=0)
    assert likeness(torch.zeros(2, 4)).tolist() == [[0.0], [0.0]]
    assert float(likeness(torch.eye(4)[3:]).abs()) < 0.01
