"""`cinealign run --weights`: the message of a recipe whose weights are missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from cinealign.cli.app import main
from cinealign.data.catalogue import Catalogue
from cinealign.errors import ModelError
from cinealign.model import AlignmentModel
from cinealign.pipeline import align
from cinealign.recipe import Recipe
from cinealign.views.store import FeatureStore
from tests.views.tiny_models import save_bert


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


def test_tune_says_the_same(
    sample_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.delenv("CINEALIGN_WEIGHTS", raising=False)
    with pytest.raises(SystemExit) as ended:
        main(["tune", "siglip-heads", "--data", str(sample_folder), "--out", str(tmp_path / "study")])
    assert ended.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1] == (
        "ModelError: recipe 'siglip-heads' needs weights 'google/siglip-base-patch16-224' and they are not on this machine; "
        "pass --weights DIR"
    )


def test_a_saved_model_names_what_it_wants(sample: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    bert = save_bert(tmp_path / "bert", layers=2)
    recipe = Recipe.parse(
        {
            "name": "tuned",
            "views": {
                "poster": {"view": "classical", "visual_words": False},
                "intro": {"view": "language_model_states", "model": str(bert), "layers": 1},
            },
            "align": [
                {
                    "expert": "contrastive",
                    "poster": "poster",
                    "intro": "intro",
                    "intro_tower": {"tower": "language_model"},
                    "training": {"epochs": 1},
                }
            ],
            "evaluation": {"bootstrap": 100},
        }
    )
    run = align(sample, recipe, tmp_path / "run", store=FeatureStore(tmp_path / "store"))
    bert.rename(tmp_path / "gone")
    with pytest.raises(ModelError, match=r"^recipe 'tuned' needs weights .*bert' and they are not on this machine"):
        AlignmentModel.load(run.folder / "model")


def test_finer_kinds_of_errors_are_not_shown() -> None:
    from cinealign.cli.app import _public
    from cinealign.training.loop.train import DivergenceError
    from cinealign.views.weights import MissingWeightsError

    kinds = [_public(error) for error in (DivergenceError(""), MissingWeightsError(""), ModelError(""))]
    assert kinds == ["ConfigError", "ModelError", "ModelError"]
