from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from cinealign.data.posters import Poster
from cinealign.views.registry import VIEWS
from cinealign.views.store import FeatureStore


def test_pixels_are_the_small_poster(tmp_path: Path) -> None:
    picture = Image.new("RGB", (182, 268), (200, 10, 30))
    picture.paste((0, 90, 250), (0, 134, 182, 268))
    picture.save(tmp_path / "0.png")
    view = VIEWS.build("pixels", {"width": 16, "height": 24})
    pixels = np.asarray(view.extract([Poster.of(tmp_path / "0.png")], FeatureStore(tmp_path)))
    assert pixels.shape == (1, 3, 24, 16) and pixels.dtype == np.uint8
    assert pixels[0, :, 2, 5].tolist() == [200, 10, 30] and pixels[0, :, 20, 5].tolist() == [0, 90, 250]
    assert np.asarray(view.extract([], FeatureStore(tmp_path))).shape == (0, 3, 24, 16)
