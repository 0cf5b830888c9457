"""Appearance before the last stage of its network: what a tower needs to fine-tune that stage and nothing below."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cinealign.data.posters import PosterFile, open_poster
from cinealign.views.base import Features, PosterView, ViewOptions
from cinealign.views.poster.appearance import PIXEL_MEAN, PIXEL_SCALE, WEIGHTS_SHA256, load_network
from cinealign.views.precision import Precision, ResolvedPrecision, resolve_precision
from cinealign.views.store import FeatureStore

BATCH = 32


class AppearanceMapOptions(ViewOptions):
    """Options of `AppearanceMapView`."""

    width: int = Field(default=224, ge=32, le=1024)
    height: int = Field(default=320, ge=32, le=1024)
    """Posters are resized to width x height pixels, whatever their shape."""
    precision: Precision = "auto"


class AppearanceMapView(PosterView):
    """Maps (N, 208, height / 32, width / 32) float16 of EfficientNet-lite2 before its last stage.

    For the tower `pretrained_cnn`: the frozen stages run once, and only the last one in training. 29 kB a poster.
    """

    Options = AppearanceMapOptions

    def __init__(self, options: AppearanceMapOptions) -> None:
        self.options = options

    def extract(self, items: Sequence[PosterFile], store: FeatureStore) -> Features:
        """Maps of every poster, from the store where it has them.

        Raises:
            DataError: a poster cannot be read.
            ModelError: the weights are missing or other ones.
        """
        return store.arrays(
            "appearance_map",
            self.settings(),
            [poster.digest for poster in items],
            lambda rows: self._look([items[row] for row in rows]),
            batch_size=BATCH,
        )

    def settings(self) -> dict[str, Any]:
        """What the maps depend on besides the poster."""
        return {
            "weights": WEIGHTS_SHA256,
            "size": [self.options.width, self.options.height],
            "resize": "bicubic",
            "pixels": [PIXEL_MEAN, PIXEL_SCALE],
            "precision": self._precision,
            "before": "the last block",
        }

    @cached_property
    def _precision(self) -> ResolvedPrecision:
        return resolve_precision(self.options.precision)

    @cached_property
    def _network(self) -> Any:
        return load_network()

    def _look(self, posters: Sequence[PosterFile]) -> NDArray[np.float16]:
        import torch

        with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
            pixels = torch.from_numpy(np.stack(list(pool.map(self._pixels, posters))))
        images = ((pixels.float() - PIXEL_MEAN) / PIXEL_SCALE).permute(0, 3, 1, 2)  # channels last in memory
        network = self._network
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=self._precision == "bfloat16"):
            maps = network._swish(network._bn0(network._conv_stem(images)))
            for block in network._blocks[:-1]:
                maps = block(maps)
        return cast("NDArray[np.float16]", maps.half().numpy())

    def _pixels(self, poster: PosterFile) -> NDArray[np.uint8]:
        from PIL import Image

        size = (self.options.width, self.options.height)
        return np.asarray(open_poster(poster).resize(size, Image.Resampling.BICUBIC))
