"""The training loop of experts that learn by gradient: AdamW, warm-up and cosine decay, batches without a repeated movie."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn


class TrainingSettings(BaseModel):
    """How a network is trained; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    epochs: int = Field(40, ge=1)
    batch_size: int = Field(256, ge=2, description="pairs a step; larger means more in-batch negatives")
    learning_rate: float = Field(1e-3, gt=0)
    weight_decay: float = Field(1e-2, ge=0)
    warm_up: float = Field(0.1, ge=0, le=1, description="share of the steps in which the rate rises from 0")


def warm_up_cosine(step: int, steps: int, warm_up: float) -> float:
    """Share of the full learning rate at `step` of `steps`: linear rise, then half a cosine down to 0."""
    rise = warm_up * steps
    if step < rise:
        return (step + 1) / (rise + 1)
    return 0.5 * (1.0 + math.cos(math.pi * (step - rise) / max(1.0, steps - rise)))


def batches(count: int, batch_size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Row numbers of one epoch in random order; no row twice; a last batch of a single row joins the one before.

    A batch of one has no negatives: its loss is 0 and teaches nothing.
    """
    parts = list(torch.split(torch.randperm(count, generator=generator), batch_size))
    if len(parts) > 1 and len(parts[-1]) == 1:
        parts[-2:] = [torch.cat(parts[-2:])]
    return iter(parts)


def train(
    modules: nn.Module,
    count: int,
    step_loss: Callable[[Tensor], Tensor],
    settings: TrainingSettings,
    generator: torch.Generator,
) -> list[dict[str, Any]]:
    """Minimise `step_loss` over batches of row numbers; returns the history, one entry an epoch.

    Args:
        modules: everything that learns, in one module; left in eval mode.
        count: train pairs.
        step_loss: row numbers (B,) int64 -> scalar loss.
        settings: optimiser and schedule.
        generator: of the batch order.
    Raises:
        AssertionError: the loss is not finite (a bug in a loss, as features are checked before).
    """
    decayed = [p for p in modules.parameters() if p.requires_grad and p.ndim >= 2]
    plain = [p for p in modules.parameters() if p.requires_grad and p.ndim < 2]
    groups = [{"params": decayed, "weight_decay": settings.weight_decay}, {"params": plain, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=settings.learning_rate)
    steps = settings.epochs * len(list(batches(count, settings.batch_size, torch.Generator())))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: warm_up_cosine(step, steps, settings.warm_up))
    history = []
    modules.train()
    for epoch in range(settings.epochs):
        losses = []
        for rows in batches(count, settings.batch_size, generator):
            loss = step_loss(rows)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
            losses.append(loss.detach() * len(rows))
        mean = float(torch.stack(losses).sum()) / count
        assert math.isfinite(mean), f"loss is {mean} in epoch {epoch}"
        history.append({"epoch": epoch + 1, "loss": mean, "learning_rate": optimizer.param_groups[0]["lr"]})
    modules.eval()
    return history
