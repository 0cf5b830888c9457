"""A small residual network for pictures of 64 x 96 pixels and a couple of thousand of them, and its augmentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cinealign.errors import ConfigError
from cinealign.training.networks.options import CnnOptions
from cinealign.training.networks.towers import Tower
from cinealign.views.base import Origin
from cinealign.views.precision import resolve_precision

STEM = 32
"""Channels of the first convolution."""


class CnnTower(Tower):
    """(B, 3, height, width) uint8 -> (B, D): stem, residual stages, mean over the picture, dropout, linear.

    In training mode every picture is augmented anew: random crop, mirroring, colour jitter, erasing.

    Source: He et al., arXiv 1512.03385; stochastic depth: Huang et al., arXiv 1603.09382; erasing: Zhong et al.,
    arXiv 1708.04896.
    """

    Options = CnnOptions
    pixel_mean: Tensor
    pixel_deviation: Tensor

    def __init__(self, options: CnnOptions, dimensions: int, geometry: Mapping[str, Any]) -> None:
        super().__init__(options, dimensions, geometry)
        self.options = options
        self._bfloat16 = resolve_precision(options.precision) == "bfloat16"
        self.register_buffer("pixel_mean", torch.zeros(3, 1, 1))
        self.register_buffer("pixel_deviation", torch.ones(3, 1, 1))
        widths = options.widths
        self.stem = nn.Sequential(
            nn.Conv2d(3, STEM, 5, stride=2, padding=2, bias=False), nn.BatchNorm2d(STEM), nn.ReLU(), nn.MaxPool2d(2)
        )
        total = len(widths) * options.blocks
        stages: list[nn.Module] = []
        before = STEM
        for stage, width in enumerate(widths):
            for block in range(options.blocks):
                skip = options.stochastic_depth * (len(stages) + 1) / total
                stages.append(ResidualBlock(before, width, stride=2 if stage > 0 and block == 0 else 1, skip=skip))
                before = width
        self.stages = nn.Sequential(*stages)
        self.last = nn.Sequential(nn.Dropout(options.dropout), nn.Linear(widths[-1], dimensions))
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @classmethod
    def geometry(cls, options: Any, rows: Tensor, words: Sequence[str] | None, origin: Origin | None) -> dict[str, Any]:
        """Nothing; checks that the view gives pictures."""
        if rows.ndim != 4 or rows.shape[1] != 3 or rows.dtype != torch.uint8:
            raise ConfigError(
                f"tower cnn reads pictures (N, 3, height, width) of bytes, got {_shape(rows)}; use the view 'pixels'"
            )
        return {}

    def begin(self, rows: Tensor, words: Sequence[str] | None) -> None:
        """Mean and deviation of each colour over the train posters."""
        sums = torch.zeros(2, 3, dtype=torch.float64)
        for batch in torch.split(rows, 128):
            values = batch.double()
            sums += torch.stack([values.sum(dim=(0, 2, 3)), values.square().sum(dim=(0, 2, 3))])
        mean, square = sums / (len(rows) * rows.shape[2] * rows.shape[3])
        self.pixel_mean.copy_(mean[:, None, None])
        self.pixel_deviation.copy_((square - mean.square()).clamp(min=1.0).sqrt()[:, None, None])

    def forward(self, rows: Tensor) -> Tensor:
        """Not normalised; the expert does that."""
        images = (rows.float() - self.pixel_mean) / self.pixel_deviation
        if self.training:
            images = self._augmented(images)
        images = images.contiguous(memory_format=torch.channels_last)
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self._bfloat16):
            maps = self.stages(self.stem(images))
        return cast(Tensor, self.last(maps.float().mean(dim=(2, 3))))

    def _augmented(self, images: Tensor) -> Tensor:
        o = self.options
        images = random_crop(images, o.crop, o.flip)
        images = colour_jitter(images, o.jitter)
        return random_erasing(images, o.erasing)


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut; a picture skips the convolutions with probability `skip` in training."""

    def __init__(self, before: int, width: int, *, stride: int, skip: float) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.Conv2d(before, width, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
        )
        nn.init.zeros_(cast(Tensor, self.convolutions[-1].weight))  # a block begins as its shortcut
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or before != width:
            pooled: nn.Module = nn.AvgPool2d(stride, ceil_mode=True) if stride > 1 else nn.Identity()
            self.shortcut = nn.Sequential(pooled, nn.Conv2d(before, width, 1, bias=False), nn.BatchNorm2d(width))
        self._skip = skip

    def forward(self, maps: Tensor) -> Tensor:
        """(B, before, h, w) -> (B, width, ceil(h / stride), ceil(w / stride))."""
        change = self.convolutions(maps)
        if self.training and self._skip > 0:
            kept = (torch.rand(len(maps), 1, 1, 1) >= self._skip).to(change.dtype) / (1 - self._skip)
            change = change * kept
        joined: Tensor = self.shortcut(maps) + change
        return torch.relu(joined)


def random_crop(images: Tensor, crop: float, flip: float) -> Tensor:
    """Each of (B, C, h, w) shows a part of itself at full size: sides cut by up to `crop`, mirrored `flip` of the times."""
    count = len(images)
    size = 1 - crop * torch.rand(count, 2)
    offset = (1 - size) * (2 * torch.rand(count, 2) - 1)
    mirrored = 1 - 2 * (torch.rand(count) < flip).float()
    theta = torch.zeros(count, 2, 3)
    theta[:, 0, 0], theta[:, 1, 1] = size[:, 0] * mirrored, size[:, 1]
    theta[:, :, 2] = offset
    grid = F.affine_grid(theta, list(images.shape), align_corners=False)
    cropped: Tensor = F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
    return cropped


def colour_jitter(images: Tensor, jitter: float) -> Tensor:
    """Saturation, contrast and brightness of each standardised (B, C, h, w) picture changed by up to `jitter`."""
    change = jitter * (2 * torch.rand(3, len(images), 1, 1, 1) - 1)  # of saturation, contrast, brightness
    grey = images.mean(dim=1, keepdim=True)
    images = grey + (images - grey) * (1 + change[0])
    middle = images.mean(dim=(1, 2, 3), keepdim=True)
    return middle + (images - middle) * (1 + change[1]) + change[2]


def random_erasing(images: Tensor, share: float) -> Tensor:
    """A rectangle of up to half of each side set to the mean colour (0), in `share` of the (B, C, h, w) pictures."""
    count, _, height, width = images.shape
    size = 0.1 + 0.4 * torch.rand(count, 2)
    corner = torch.rand(count, 2) * (1 - size)
    y = (torch.arange(height) / height).expand(count, -1)
    x = (torch.arange(width) / width).expand(count, -1)
    rows = (y >= corner[:, :1]) & (y < corner[:, :1] + size[:, :1])
    columns = (x >= corner[:, 1:]) & (x < corner[:, 1:] + size[:, 1:])
    erased = (torch.rand(count) < share)[:, None, None] & rows[:, :, None] & columns[:, None, :]
    return images.masked_fill(erased[:, None], 0.0)


def _shape(rows: Tensor) -> str:
    return f"{tuple(rows.shape)} of {str(rows.dtype).removeprefix('torch.')}"
