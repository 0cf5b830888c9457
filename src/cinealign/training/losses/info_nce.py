"""InfoNCE in both directions, with its usual variations."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from cinealign.errors import ConfigError
from cinealign.training.losses.base import Batch, Known, LogitScale, Loss
from cinealign.training.losses.options import InfoNceOptions


class InfoNce(Loss):
    """Each poster must find its intro in the batch, and each intro its poster.

    loss = (CE(s P Q', T) + CE(s Q P', T)) / 2, with s = 1 / temperature, learned and capped at 100, and the target
    T = (1 - e) ((1 - b) I + b softmax(G G' / soft_temperature)) + e / B: e is `label_smoothing`, b `soft_targets`, G the
    unit features of the intros before their head, so near-duplicate intros are not pushed apart. With a bank of M vectors
    a side, M columns of target 0 (e / (B + M) with smoothing) follow; entries of a movie that is in the batch are left
    out. With equal similarities the plain loss is log(B).

    Source: van den Oord et al. 2018 (arXiv 1807.03748); learned, capped scale: Radford et al. 2021 (arXiv 2103.00020);
    soft targets: Gao et al. 2023, SoftCLIP (arXiv 2303.17561); bank: Wang et al. 2020 (arXiv 1912.06798).
    """

    Options = InfoNceOptions

    def __init__(self, options: InfoNceOptions) -> None:
        super().__init__(options)
        self.options = options
        self.scale = LogitScale(options.temperature, options.learn_temperature)
        self._bank: tuple[Tensor, Tensor, Tensor] | None = None

    def prepare(self, known: Known) -> None:
        """Empty the bank. Raises ConfigError where soft targets are asked of intros without features."""
        if self.options.soft_targets and known.intro_features is None:
            raise ConfigError(
                "loss.soft_targets compares intros by their features and a tower reads words; use 0 or a head"
            )
        self._bank = None

    def forward(self, batch: Batch) -> Tensor:
        """Mean loss of a batch; in training mode the batch goes into the bank."""
        scale = self.scale()
        targets = self._targets(batch)
        p2i = self._logits(scale, batch.poster, batch.intro, batch, bank_side=1)
        i2p = self._logits(scale, batch.intro, batch.poster, batch, bank_side=0)
        smoothing = self.options.label_smoothing
        loss = (self._cross_entropy(p2i, targets, smoothing) + self._cross_entropy(i2p, targets, smoothing)) / 2
        if self.training and self.options.bank:
            self._remember(batch)
        return loss

    def report(self) -> dict[str, float]:
        """The temperature."""
        return {"temperature": self.scale.temperature}

    def _logits(self, scale: Tensor, query: Tensor, gallery: Tensor, batch: Batch, *, bank_side: int) -> Tensor:
        if self._bank is not None:
            same = self._bank[2][None, :, :, None] == batch.rows[:, None, None, :]  # (B, M, ., .)
            others = ~same.any(dim=3).any(dim=2).any(dim=0)
            gallery = torch.cat([gallery, self._bank[bank_side][others]])
        return scale * query @ gallery.T  # (B, B + what is used of the bank)

    def _targets(self, batch: Batch) -> Tensor:
        """(B,) places, or (B, B) shares with soft targets."""
        share = self.options.soft_targets
        partner = torch.arange(len(batch.poster), device=batch.poster.device)
        if not share:
            return partner
        assert batch.intro_features is not None
        alike = batch.intro_features @ batch.intro_features.T
        soft = (alike / self.options.soft_temperature).softmax(dim=1).to(batch.poster.dtype)
        return (1 - share) * torch.eye(len(partner), dtype=soft.dtype) + share * soft

    @staticmethod
    def _cross_entropy(logits: Tensor, targets: Tensor, smoothing: float) -> Tensor:
        if targets.ndim == 2:
            targets = F.pad(targets, (0, logits.shape[1] - targets.shape[1]))
        return F.cross_entropy(logits, targets, label_smoothing=smoothing)

    def _remember(self, batch: Batch) -> None:
        new = (batch.poster.detach(), batch.intro.detach(), batch.rows)
        if self._bank is not None and self._bank[2].shape[1] == batch.rows.shape[1]:
            new = (
                torch.cat([new[0], self._bank[0]]),
                torch.cat([new[1], self._bank[1]]),
                torch.cat([new[2], self._bank[2]]),
            )
        self._bank = (new[0][: self.options.bank], new[1][: self.options.bank], new[2][: self.options.bank])
