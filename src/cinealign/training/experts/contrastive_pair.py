"""The two sides of a contrastive expert as one thing: built, trained, saved and read back together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Self

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from cinealign.device import autocast, on_device, placed, to_processor
from cinealign.errors import ConfigError
from cinealign.experts.base import TrainingSet
from cinealign.experts.collapse import effective_rank
from cinealign.progress import say
from cinealign.state import State
from cinealign.training.experts.contrastive_sides import HeadSide, Side
from cinealign.training.loop.settings import TrainingSettings
from cinealign.training.loop.train import Judge, train
from cinealign.training.losses.base import Known, Teacher
from cinealign.training.losses.mixup import Mixture
from cinealign.training.losses.objective import Objective
from cinealign.training.losses.options import LossOptions
from cinealign.training.networks.heads import drift

RANK_ROWS = 128
"""Vectors of an epoch's last batch from which its effective rank is taken."""
COLLAPSED = 2.0
"""Effective rank below which a space of at least 8 dimensions is said to have collapsed."""


class Pair:
    """A poster side and an intro side with the losses that train them."""

    def __init__(
        self, poster: Side, intro: Side, losses: list[LossOptions], mixup: float, drift_penalty: float
    ) -> None:
        """Args:
        poster, intro: sides that have not learned yet.
        losses: the main one, then auxiliary ones.
        mixup: alpha of the mixtures, 0 for none.
        drift_penalty: of residual heads.
        """
        self.poster, self.intro = poster, intro
        self._losses, self._mixup, self._drift_penalty = losses, mixup, drift_penalty

    def run(
        self,
        training: TrainingSet,
        settings: TrainingSettings,
        seed: int,
        *,
        judged_on: TrainingSet | None = None,
        last_epoch: int | None = None,
    ) -> list[dict[str, Any]]:
        """Train both sides; returns the history. Pairs of which a side saw nothing are left out.

        Args:
            training: the pairs to learn from.
            settings: of the loop.
            seed: of initial weights, batches, dropout and mixtures.
            judged_on: pairs that are not learned from, for the inner accuracy and loss.
            last_epoch: as in `train`.
        Raises:
            ConfigError: the sides do not fit each other, or a loss lacks something that it needs.
        """
        poster = self.poster.learn(training.poster, training)
        intro = self.intro.learn(training.intro, training)
        if self.poster.width != self.intro.width:
            raise ConfigError(
                f"contrastive: both sides need one width, got {self.poster.width} numbers a poster and {self.intro.width} "
                "an intro; a residual head and a tower without projection keep their own (use head: linear or mlp, "
                "projection: linear)"
            )
        generator, mixing = torch.Generator().manual_seed(seed), np.random.default_rng(seed)
        with torch.random.fork_rng(devices=[]):  # the global generator feeds initial weights, dropout, augmentation
            torch.manual_seed(seed)
            self.poster.build()
            self.intro.build()
            both = self.poster.seen(poster) & self.intro.seen(intro)
            if not both.all():  # a poster without lettering, say: nothing to learn from, and no fair negative
                kept = torch.nonzero(both)[:, 0]
                poster, intro, training = poster[kept], intro[kept], training.take(kept.numpy())
                if training.size < 2:
                    raise ConfigError(
                        f"contrastive: {training.size} train pairs have something on both sides; it needs 2"
                    )
            objective = placed(Objective(self._losses, placed(self._known(training, intro))))
            groups = _groups(intro) if settings.unique_intros else None
            poster, intro = placed(poster), placed(intro)
            networks = placed(nn.ModuleList([self.poster.network, self.intro.network]))
            last: list[Tensor] = []

            def step_loss(rows: Tensor) -> Tensor:
                mixture = Mixture.draw(len(rows), self._mixup, mixing) if self._mixup else None
                rows = placed(rows)
                with on_device():
                    with autocast(settings.bfloat16):
                        first = _vectors(self.poster, poster[rows], mixture)
                        second = _vectors(self.intro, intro[rows], mixture)
                    last[:] = [first.detach(), second.detach()]
                    loss: Tensor = objective(objective.known.batch(first.float(), second.float(), rows, mixture))
                    return loss + self._drift_penalty * drift(self.poster.network, self.intro.network)

            def watch() -> dict[str, Any]:
                rank = min(effective_rank(side[:RANK_ROWS].float()) for side in last)
                return {**objective.report(), "effective_rank": rank}

            history = train(
                nn.ModuleList([*networks, objective]),
                training.size,
                step_loss,
                settings,
                generator,
                groups=groups,
                watch=watch,
                judge=None if judged_on is None else self._judge(judged_on, objective, training.size, settings),
                last_epoch=last_epoch,
            )
            to_processor(networks)
        if min(*last[0].shape, training.size) >= 8 and history[-1]["effective_rank"] < COLLAPSED:
            history[-1]["collapsed"] = True
            say(
                f"contrastive: the vectors have collapsed to {history[-1]['effective_rank']:.1f} effective dimensions of "
                f"{last[0].shape[1]}; try a lower learning_rate, a larger batch or another loss"
            )
        return history

    def state(self, prefix: str) -> State:
        """What both sides have learned, under names that begin with `prefix`."""
        poster, intro = self.poster.state(f"{prefix}poster"), self.intro.state(f"{prefix}intro")
        return State({**poster.arrays, **intro.arrays}, {**poster.values, **intro.values})

    def load(self, state: State, prefix: str) -> Self:
        """The counterpart of `state`."""
        self.poster.load(state, f"{prefix}poster")
        self.intro.load(state, f"{prefix}intro")
        return self

    def _judge(self, pairs: TrainingSet, objective: Objective, learned: int, settings: TrainingSettings) -> Judge:
        """Accuracy and loss among `pairs`, which are none of the `learned` pairs that the objective knows.

        The loss is over batches as large as training's, or as large as there are pairs: with fewer negatives it is lower.
        """
        rows = [side.rows(_features(seen)) for side, seen in ((self.poster, pairs.poster), (self.intro, pairs.intro))]
        both = torch.nonzero(self.poster.seen(rows[0]) & self.intro.seen(rows[1]))[:, 0]
        poster, intro = (side[both] for side in rows)
        known = placed(self._known(pairs.take(both.numpy()), intro))
        poster, intro = placed(poster), placed(intro)
        size = len(both) if settings.batch_size == "full" else min(settings.batch_size, len(both))
        whole = [torch.arange(first, first + size) for first in range(0, len(both) - size + 1, size)] if size else []

        def loss_of(batch: Tensor) -> float:
            batch = placed(batch)
            vectors = self.poster.vectors(poster[batch]).float(), self.intro.vectors(intro[batch]).float()
            told = known.batch(*vectors, batch)
            return float(objective(replace(told, rows=told.rows + learned)))  # a bank holds learned pairs by number

        def judge() -> dict[str, float]:
            with torch.inference_mode(), on_device():
                losses = [loss_of(batch) for batch in whole]
            return {
                "inner_accuracy": self._accuracy(*rows),
                **({"inner_loss": float(np.mean(losses))} if losses else {}),
            }

        return judge

    def _accuracy(self, poster: Tensor, intro: Tensor) -> float:
        """Mean top-5 % accuracy of both directions among these pairs only; ties count against the model."""
        similarities = self.poster.encode(poster) @ self.intro.encode(intro).T
        own, k = similarities.diagonal(), max(1, int(0.05 * len(similarities)))
        found = [(similarities >= own[:, None]).sum(axis=1) <= k, (similarities >= own).sum(axis=0) <= k]
        return float(np.mean(found))

    def _known(self, training: TrainingSet, intro: Tensor) -> Known:
        return Known(
            training.size,
            self.poster.width,
            F.normalize(intro, dim=1) if isinstance(self.intro, HeadSide) else None,
            {name: torch.from_numpy(values) for name, values in training.labels.items()},
            {
                position: Teacher(*(torch.from_numpy(part) for part in (taught.poster, taught.intro, taught.fold)))
                for position, taught in training.teachers.items()
            },
        )


def _vectors(side: Side, rows: Tensor, mixture: Mixture | None) -> Tensor:
    """(B, width) unit rows; frozen features are mixed before the head, a tower's output after it."""
    if mixture is None:
        return side.vectors(rows)
    if isinstance(side, HeadSide):
        return side.vectors(mixture(rows))
    return F.normalize(mixture(side.network(rows)), dim=1)


def _groups(intro: Tensor) -> Tensor:
    """(N,) int64: equal numbers for intros whose features are equal to the last bit."""
    _, groups = np.unique(intro.flatten(1).numpy(), axis=0, return_inverse=True)
    found: NDArray[np.int64] = groups.reshape(-1).astype(np.int64)
    return torch.from_numpy(found)


def _features(side: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    return {name: np.asarray(rows) for name, rows in side.items()}
