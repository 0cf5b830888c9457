"""Training of the two-tower network: members that each leave one inner fold out, and their average.

The closed forms know the pairs that they were fitted on; a network trained on top of them would learn to trust what they
only remember. So every train poster comes to the training as closed forms see it that were fitted without its fold, and a
batch is taken from one fold. A member leaves one fold out altogether and is judged on it after every epoch. All members
begin at one point and move little, so that the mean of their weights is a network as good as they are; the epoch is the
one at which the left-out pairs rank best, over all members.

Source of the average: Wortsman et al. 2022, model soups (arXiv 2203.05482).
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cinealign.device import on_device, placed, to_processor
from cinealign.epochs import epochs as shown_epochs
from cinealign.epochs import mean_entry, training_part
from cinealign.training.loop.batches import batches
from cinealign.training.loop.settings import EarlyStopping, TrainingSettings
from cinealign.training.loop.train import train
from cinealign.training.losses.base import Known
from cinealign.training.losses.objective import Objective
from cinealign.training.losses.options import LossOptions
from cinealign.training.networks.two_tower.plan import Intros, Started
from cinealign.training.networks.two_tower.two_towers import TwoTowers


@dataclass(frozen=True)
class Fold:
    """The pairs of one inner fold: their train rows, what closed forms fitted without them see, and their intros."""

    rows: NDArray[np.int64]
    posters: Started
    intros: Intros


@dataclass
class Epoch:
    """What is known of the members after an epoch: the sum of their weights, the left-out cores, the history entries."""

    weights: dict[str, Tensor]
    posters: Tensor
    intros: Tensor
    entries: list[dict[str, Any]]


def train_members(
    towers: TwoTowers,
    folds: Sequence[Fold],
    losses: list[LossOptions],
    known: Known,
    settings: TrainingSettings,
    seed: int,
) -> tuple[list[dict[str, Any]], Tensor, Tensor]:
    """Train a member a fold, put the average of their weights into `towers`, in place.

    Args:
        towers: at their start.
        folds: all train pairs.
        losses: as `Objective` takes them.
        known: of all train pairs.
        settings: of the loop.
        seed: of batches and dropout.
    Returns:
        The history, one entry an epoch from 0 (the start) with the means over the members; and the (T, core) cores of all
        train posters and intros by the members that left them out.
    """
    settings = settings.model_copy(update={"early_stopping": EarlyStopping(patience=settings.epochs)})
    seen, known = [placed(fold) for fold in folds], placed(known)
    epochs = {epoch: _begun(towers, known.size) for epoch in range(settings.epochs + 1)}
    with shown_epochs(settings.epochs, times=len(folds), mean=True):
        for left_out, fold in enumerate(seen):
            member = placed(copy.deepcopy(towers))
            others = [one for number, one in enumerate(seen) if number != left_out]
            with training_part(f"member {left_out + 1} of {len(folds)}"):
                _train_member(member, fold, others, placed(Objective(losses, known)), settings, seed + left_out, epochs)
    history: list[dict[str, Any]] = [{"epoch": number, **mean_entry(epoch.entries)} for number, epoch in epochs.items()]
    best = min(history, key=lambda entry: (entry["inner_log_rank"], entry["epoch"]))
    best["chosen"] = True
    chosen = epochs[best["epoch"]]
    with torch.no_grad():
        for name, weight in _learning(towers).items():
            weight.copy_(chosen.weights[name] / len(folds))
    return history, chosen.posters, chosen.intros


def _train_member(
    member: TwoTowers,
    left_out: Fold,
    others: Sequence[Fold],
    objective: Objective,
    settings: TrainingSettings,
    seed: int,
    epochs: dict[int, Epoch],
) -> None:
    of_row = {int(row): (fold, place) for fold in others for place, row in enumerate(fold.rows)}
    numbers = iter(range(settings.epochs + 1))

    def step_loss(rows: Tensor) -> Tensor:
        fold = of_row[int(rows[0])][0]
        places = torch.tensor([of_row[int(row)][1] for row in rows])
        with on_device():
            taken = fold.posters.take(placed(places)), fold.intros.take(placed(places))
            loss: Tensor = objective(objective.known.batch(*compared(member, *taken), placed(rows)))
        return loss

    def loss_of(fold: Fold) -> float:
        with on_device():
            cores = compared(member, fold.posters, fold.intros)
            return float(objective(objective.known.batch(*cores, placed(torch.from_numpy(fold.rows)))))

    def deal(generator: torch.Generator) -> Iterator[Tensor]:
        for fold in (others[at] for at in torch.randperm(len(others), generator=generator)):
            size = len(fold.rows) if settings.batch_size == "full" else settings.batch_size
            for places in batches(len(fold.rows), size, generator):
                yield torch.from_numpy(fold.rows)[places]

    def judge() -> dict[str, float]:
        epoch = epochs[next(numbers)]
        with torch.inference_mode(), on_device():
            poster = member.poster_tower.trained(left_out.posters, member.table)
            intro = member.intro_tower(left_out.intros, member.table)
            inner_loss = loss_of(left_out)
        poster, intro = to_processor(poster), to_processor(intro)
        epoch.posters[left_out.rows], epoch.intros[left_out.rows] = poster, intro
        for name, weight in _learning(member).items():
            epoch.weights[name] += to_processor(weight.detach())
        accuracy, log_rank = inner_score(poster @ intro.T)
        said = {"inner_loss": inner_loss, "inner_accuracy": accuracy, "inner_log_rank": log_rank}
        epoch.entries.append(said)
        return said

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        member.eval()
        objective.eval()
        judge()
        with torch.inference_mode():
            loss = float(np.mean([loss_of(one) for one in others]))
        epochs[0].entries[-1] |= {"loss": loss, **watched(member, objective)}
        with shown_epochs(settings.epochs) as shown:
            shown.entry({"epoch": 0, **epochs[0].entries[-1]})
        trained = train(
            nn.ModuleList([member, objective]),
            sum(len(one.rows) for one in others),
            step_loss,
            settings,
            torch.Generator().manual_seed(seed),
            deal=deal,
            watch=lambda: watched(member, objective),
            judge=judge,
        )
    for entry in trained:
        number = entry.pop("epoch")
        epochs[number].entries[-1] |= entry


def compared(towers: TwoTowers, posters: Started, intros: Intros) -> tuple[Tensor, Tensor]:
    """(B, core) cores of both sides as long as they are in the finished vectors."""
    poster = towers.poster_tower.trained(posters, towers.table) / towers.reach[0]
    return poster, towers.intro_tower(intros, towers.table) / towers.reach[1]


def watched(towers: TwoTowers, objective: Objective) -> dict[str, float]:
    """What the losses report, and the gates of a poster that has every part."""
    gates = {f"gate_{part}": value for part, value in towers.poster_tower.gates.values().items()}
    return {**objective.report(), **gates}


def inner_score(similarities: Tensor) -> tuple[float, float]:
    """Mean top-5 % accuracy of both directions in a square block, and the mean log rank; ties count against the model."""
    own = similarities.diagonal()
    ranks = torch.cat([(similarities >= own[:, None]).sum(dim=1), (similarities >= own).sum(dim=0)])
    k = max(1, int(0.05 * len(own)))
    return float((ranks <= k).float().mean()), float(ranks.double().log().mean())


def _learning(towers: TwoTowers) -> dict[str, nn.Parameter]:
    return {name: weight for name, weight in towers.named_parameters() if weight.requires_grad}


def _begun(towers: TwoTowers, pairs: int) -> Epoch:
    weights = {name: torch.zeros_like(weight) for name, weight in _learning(towers).items()}
    return Epoch(weights, torch.zeros(pairs, towers.plan.core), torch.zeros(pairs, towers.plan.core), [])
