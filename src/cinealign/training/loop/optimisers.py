"""Optimisers that a recipe can name, and the one that PyTorch lacks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

import torch
from torch import Tensor, nn

from cinealign.training.loop.settings import OptimiserKind


class Lion(torch.optim.Optimizer):
    """p <- p - rate (sign(b1 m + (1 - b1) g) + decay p), then m <- b2 m + (1 - b2) g.

    Every weight moves by the rate at each step, so rates are 3 to 10 times smaller than AdamW's and the decay larger.

    Source: Chen et al. 2023 (arXiv 2302.06675), algorithm 2.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One update of every parameter that has a gradient; in place."""
        assert closure is None, "the training loop gives gradients, not a closure"
        for group in self.param_groups:
            first, second = group["betas"]
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                if not state:
                    state["momentum"] = torch.zeros_like(parameter)
                momentum: Tensor = state["momentum"]
                direction = (momentum * first).add_(parameter.grad, alpha=1 - first).sign_()
                parameter.mul_(1 - group["lr"] * group["weight_decay"]).sub_(direction, alpha=group["lr"])
                momentum.mul_(second).add_(parameter.grad, alpha=1 - second)


class PullToStart:
    """After a step: p <- p - rate decay (p - p0) for matrices, with p0 where p was when this was made.

    Decay to zero would undo a start that is worth something; this keeps near it what the pairs do not speak about.

    Source: Li, Grandvalet and Davoine 2018, L2-SP (arXiv 1802.01483), decoupled from the gradient as in AdamW.
    """

    def __init__(self, optimiser: torch.optim.Optimizer, decay: float) -> None:
        self._decay = decay
        self._groups = [
            (group, [(p, p.detach().clone()) for p in group["params"] if p.ndim >= 2])
            for group in optimiser.param_groups
        ]

    @torch.no_grad()
    def step(self) -> None:
        """Move every matrix a share of its way back; in place."""
        for group, matrices in self._groups:
            for weight, start in matrices:
                weight.lerp_(start, min(1.0, group["lr"] * self._decay))


def build_optimiser(
    kind: OptimiserKind, modules: nn.Module, rate: float, weight_decay: float, momentum: float
) -> torch.optim.Optimizer:
    """The optimiser of everything that learns in `modules`.

    A weight with an attribute `rate_share` learns at that share of `rate` (towers set it on pretrained layers).
    Matrices are decayed; vectors and scalars (biases, norms, temperatures) are not. `momentum` is SGD's, with Nesterov's
    look-ahead where it is above 0. Adafactor (arXiv 1804.04235) is PyTorch's; its own rate rule is capped by `rate`.
    """
    learning = [p for p in modules.parameters() if p.requires_grad]
    shares = sorted(
        {1.0, *(getattr(p, "rate_share", 1.0) for p in learning)}, reverse=True
    )  # the full rate comes first
    groups: list[dict[str, Any]] = []
    for share in shares:
        of_share = [p for p in learning if getattr(p, "rate_share", 1.0) == share]
        groups += [
            {"params": [p for p in of_share if p.ndim >= 2], "weight_decay": weight_decay, "lr": rate * share},
            {"params": [p for p in of_share if p.ndim < 2], "weight_decay": 0.0, "lr": rate * share},
        ]
    if kind == "adamw":
        return torch.optim.AdamW(groups, lr=rate)
    if kind == "sgd":
        return torch.optim.SGD(groups, lr=rate, momentum=momentum, nesterov=momentum > 0)
    if kind == "lion":
        return Lion(groups, lr=rate)
    return cast(torch.optim.Optimizer, torch.optim.Adafactor(groups, lr=rate))
