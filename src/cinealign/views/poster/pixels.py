"""Pixels: the poster itself, small, for a network that is trained from scratch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cinealign.data.posters import Poster, open_poster
from cinealign.threads import on_threads
from cinealign.views.base import Features, PosterView, ViewOptions
from cinealign.views.poster.extraction import looked_at
from cinealign.views.store import FeatureStore


class PixelsOptions(ViewOptions):
    """Options of `PixelsView`."""

    width: int = Field(default=64, ge=8, le=1024)
    """Width in pixels."""
    height: int = Field(default=96, ge=8, le=1024)
    """Posters are resized to width x height pixels, whatever their shape."""


class PixelsView(PosterView):
    """Features (N, 3, height, width) uint8 in [0, 255], RGB; for a tower, as no head reads pictures.

    Memory is 3 * N * height * width bytes: 54 MB for 2,938 posters of 64 x 96.
    """

    Options = PixelsOptions

    def __init__(self, options: PixelsOptions) -> None:
        self.options = options

    def extract(self, items: Sequence[Poster], store: FeatureStore) -> Features:
        """The resized posters, from the store where it has them.

        Raises:
            DataError: a poster cannot be read.
        """
        if not items:
            return np.zeros((0, 3, self.options.height, self.options.width), dtype=np.uint8)
        return looked_at(items, store, "pixels", self.settings(), self._look)

    def settings(self) -> dict[str, Any]:
        """What the pixels depend on besides the poster."""
        return {"size": [self.options.width, self.options.height], "resize": "lanczos", "order": "channels first, RGB"}

    def _look(self, posters: Sequence[Poster]) -> NDArray[np.uint8]:
        return np.stack(list(on_threads(self._pixels, posters))).transpose(0, 3, 1, 2)

    def _pixels(self, poster: Poster) -> NDArray[np.uint8]:
        from PIL import Image

        size = (self.options.width, self.options.height)
        return np.asarray(open_poster(poster).resize(size, Image.Resampling.LANCZOS))
