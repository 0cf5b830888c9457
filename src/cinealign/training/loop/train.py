"""The training loop of experts that learn by gradient."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from cinealign.epochs import epochs
from cinealign.errors import ConfigError
from cinealign.training.loop.averaging import WeightAverage
from cinealign.training.loop.batches import batches
from cinealign.training.loop.optimisers import PullToStart, build_optimiser
from cinealign.training.loop.schedules import SCHEDULES, Plateau
from cinealign.training.loop.settings import EarlyStopping, TrainingSettings


class DivergenceError(ConfigError):
    """Training has left all finite numbers: a learning rate that is too high, mostly."""


StepLoss = Callable[[Tensor], Tensor]
"""Row numbers (B,) int64 -> scalar loss."""
Deal = Callable[[torch.Generator], Iterable[Tensor]]
"""The batches of one epoch, as row numbers."""
Judge = Callable[[], Mapping[str, float]]
"""What pairs that are not trained on say of the network as it is: `inner_accuracy` at least."""


def train(
    modules: nn.Module,
    count: int,
    step_loss: StepLoss,
    settings: TrainingSettings,
    generator: torch.Generator,
    *,
    groups: Tensor | None = None,
    deal: Deal | None = None,
    watch: Callable[[], dict[str, Any]] | None = None,
    judge: Judge | None = None,
    last_epoch: int | None = None,
) -> list[dict[str, Any]]:
    """Minimise `step_loss` over batches of row numbers; returns the history, one entry an epoch.

    An entry holds `epoch` (from 1), `loss` (mean over pairs), `learning_rate` (after the epoch), `gradient_norm` (mean over
    steps, before clipping), what `watch` adds, and what `judge` says where it was asked. `epochs` is told of every entry.

    Args:
        modules: everything that learns, in one module; left in eval mode, with averaged weights where settings.ema is on.
        count: train pairs.
        step_loss: the loss of a batch.
        settings: optimiser, schedule and so on.
        generator: of the batch order.
        groups: (count,) rows that must not meet in a batch have the same number; see `batches`.
        deal: gives the batches where not any rows may meet in one; else they are drawn by settings.batch_size.
        watch: asked after every epoch for further values.
        judge: asked in eval mode at the looks of settings.early_stopping; training ends when its patience does, which goes
            by `inner_accuracy`.
        last_epoch: end after this epoch of a schedule that is laid out for settings.epochs.
    Raises:
        DivergenceError: the loss is not finite any more.
    """
    size = count if settings.batch_size == "full" else settings.batch_size
    deal = deal or (lambda generator: batches(count, size, generator, groups))
    to_start = settings.decay_to == "start"
    optimiser = build_optimiser(
        settings.optimizer,
        modules,
        settings.learning_rate,
        0.0 if to_start else settings.weight_decay,
        settings.momentum,
    )
    pull = PullToStart(optimiser, settings.weight_decay) if to_start else None
    learning = [p for group in optimiser.param_groups for p in group["params"]]
    steps = settings.epochs * len(list(deal(torch.Generator())))
    plateau, share = Plateau(), SCHEDULES[settings.schedule]
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: share(step, steps, settings.warm_up) * plateau.share
    )
    average = WeightAverage(modules, settings.ema) if settings.ema else None
    looks = Looks(settings.early_stopping or EarlyStopping())
    history: list[dict[str, Any]] = []
    modules.train()
    last = last_epoch or settings.epochs
    with epochs(last) as shown:
        for epoch in range(1, last + 1):
            losses, norms = [], []
            for rows in deal(generator):
                loss = step_loss(rows)
                optimiser.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]
                norms.append(nn.utils.clip_grad_norm_(learning, settings.clip or math.inf))
                optimiser.step()
                if pull is not None:
                    pull.step()
                schedule.step()
                if average is not None:
                    average.update()
                losses.append(loss.detach() * len(rows))
            mean = float(torch.stack(losses).sum()) / count
            if not math.isfinite(mean):
                raise DivergenceError(
                    f"training: the loss is {mean} in epoch {epoch}; lower learning_rate, got "
                    f"{settings.learning_rate:g}, or limit the gradient by clip, got {settings.clip:g}"
                )
            if settings.schedule == "plateau":
                plateau.epoch(mean)
            entry = {"epoch": epoch, "loss": mean, "learning_rate": optimiser.param_groups[0]["lr"]}
            entry |= {"gradient_norm": float(torch.stack(norms).mean()), **(watch() if watch else {})}
            judged = judge is not None and looks.due(epoch, settings.epochs)
            if judge is not None and judged:
                modules.eval()
                with average.installed() if average is not None else nullcontext():
                    entry |= judge()
                modules.train()
            history.append(entry)
            shown.entry(entry)
            if judged and looks.enough(entry["inner_accuracy"]):
                break
    if average is not None:
        average.install()
    modules.eval()
    return history


class Looks:
    """When to judge, and when to stop: how many looks have passed since the best."""

    def __init__(self, settings: EarlyStopping) -> None:
        self._settings = settings
        self._best, self._waited = -math.inf, 0

    def due(self, epoch: int, epochs: int) -> bool:
        """Whether this epoch is judged; the last one always is."""
        return epoch % self._settings.every == 0 or epoch == epochs

    def enough(self, accuracy: float) -> bool:
        """Take note of a judgement; whether patience has run out."""
        if accuracy > self._best:
            self._best, self._waited = accuracy, 0
        else:
            self._waited += 1
        return self._waited >= self._settings.patience


def best_epoch(history: list[dict[str, Any]]) -> int:
    """The epoch of the highest `inner_accuracy`; of equal ones the first."""
    judged = [entry for entry in history if "inner_accuracy" in entry]
    best: int = max(judged, key=lambda entry: (entry["inner_accuracy"], -entry["epoch"]))["epoch"]
    return best
