"""Appearance before the last stage of its network: what a tower needs to fine-tune that stage and nothing below."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cinealign.data.posters import Poster
from cinealign.device import device_settings
from cinealign.views.base import Features, PosterView, ViewOptions
from cinealign.views.compiled import Compiled, compile_network, engine
from cinealign.views.poster.appearance import (
    PIXEL_MEAN,
    PIXEL_SCALE,
    WEIGHTS_SHA256,
    before_the_last_block,
    load_network,
    prepared,
)
from cinealign.views.poster.extraction import looked_at
from cinealign.views.precision import Precision, resolve_compiled
from cinealign.views.store import FeatureStore


class AppearanceMapOptions(ViewOptions):
    """Options of `AppearanceMapView`."""

    width: int = Field(default=224, ge=32, le=1024)
    """Width in pixels."""
    height: int = Field(default=320, ge=32, le=1024)
    """Posters are resized to width x height pixels, whatever their shape."""
    precision: Precision = "auto"
    """Number format of the computation; auto: float32."""


class AppearanceMapView(PosterView):
    """Maps (N, 208, height / 32, width / 32) float16 of EfficientNet-lite2 before its last stage.

    For the tower `pretrained_cnn`: the frozen stages run once, and only the last one in training. 29 kB a poster.
    """

    Options = AppearanceMapOptions

    def __init__(self, options: AppearanceMapOptions) -> None:
        self.options = options

    def extract(self, items: Sequence[Poster], store: FeatureStore) -> Features:
        """Maps of every poster, from the store where it has them.

        Raises:
            DataError: a poster cannot be read.
            ModelError: the weights are missing or other ones.
        """
        return looked_at(items, store, "appearance_map", self.settings(), self._look)

    def settings(self) -> dict[str, Any]:
        """What the maps depend on besides the poster."""
        return {
            "weights": WEIGHTS_SHA256,
            "size": [self.options.width, self.options.height],
            "resize": "bicubic",
            "pixels": [PIXEL_MEAN, PIXEL_SCALE],
            "precision": resolve_compiled(self.options.precision),
            "engine": engine(),
            **device_settings(),
            "before": "the last block",
        }

    @cached_property
    def _network(self) -> Compiled:
        o = self.options
        return compile_network(
            lambda: before_the_last_block(load_network()).eval(),
            (3, o.height, o.width),
            resolve_compiled(o.precision),
            {"graph": "efficientnet-lite2: before the last block", "weights": WEIGHTS_SHA256},
        )

    def _look(self, posters: Sequence[Poster]) -> NDArray[np.float16]:
        return self._network(prepared(posters, self.options.width, self.options.height))[0].astype(np.float16)
