"""`cinealign run --weights`: the message of a recipe whose weights are missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from cinealign.data.catalogue import Catalogue
from cinealign.errors import ModelError
from cinealign.pipeline import align
from cinealign.recipe import Recipe
from cinealign.views.store import FeatureStore


def test_missing_weights_name_the_recipe(sample: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.delenv("CINEALIGN_WEIGHTS", raising=False)
    recipe = Recipe.parse(
        {
            "name": "clip",
            "views": {"poster": {"view": "clip_poster"}, "intro": {"view": "clip_intro"}},
            "align": [{"expert": "shared_space", "poster": "poster", "intro": "intro"}],
        }
    )
    message = (
        r"^recipe 'clip' needs weights 'openai/clip-vit-base-patch32' and they are not on this machine; "
        r"pass --weights DIR$"
    )
    with pytest.raises(ModelError, match=message):
        align(sample, recipe, tmp_path / "run", store=FeatureStore(tmp_path / "store"))
