"""The exponential moving average of weights: a smoother model than the last step's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class WeightAverage:
    """average <- d average + (1 - d) weight after every step, with d = min(decay, (1 + t) / (10 + t)) at step t.

    The smaller d of early steps forgets the random start. Buffers with fractions (running means of a norm) are averaged
    too; the others are taken as they are.

    Source: Polyak averaging; the warm-up of d is that of TensorFlow's ExponentialMovingAverage.
    """

    def __init__(self, modules: nn.Module, decay: float) -> None:
        self._modules, self._decay, self._steps = modules, decay, 0
        self._average = {name: value.detach().clone() for name, value in modules.state_dict().items()}

    @torch.no_grad()
    def update(self) -> None:
        """Take in the weights after a step."""
        self._steps += 1
        decay = min(self._decay, (1 + self._steps) / (10 + self._steps))
        for name, value in self._modules.state_dict().items():
            if value.is_floating_point():
                self._average[name].lerp_(value, 1 - decay)
            else:
                self._average[name].copy_(value)

    def install(self) -> None:
        """Put the average in the place of the weights."""
        self._modules.load_state_dict(self._average)

    @contextmanager
    def installed(self) -> Iterator[None]:
        """The average in the place of the weights for a while, to be judged."""
        before: dict[str, Tensor] = {name: value.detach().clone() for name, value in self._modules.state_dict().items()}
        self.install()
        try:
            yield
        finally:
            self._modules.load_state_dict(before)
