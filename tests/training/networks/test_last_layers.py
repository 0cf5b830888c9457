"""Towers that train the last layers of a transformer: language models, CLIP and SigLIP."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cinealign.data.catalogue import Catalogue
from cinealign.errors import ConfigError, ModelError
from cinealign.experts.base import TrainingSet
from cinealign.experts.registry import EXPERTS
from cinealign.pipeline import align
from cinealign.recipe import Recipe
from cinealign.training.loop.optimisers import build_optimiser
from cinealign.training.networks.clip import ClipTower
from cinealign.training.networks.language_model import LanguageModelTower
from cinealign.training.networks.low_rank import LowRank, adapt
from cinealign.training.networks.registry import TOWERS
from cinealign.training.networks.towers import Tower, build_tower, tower_geometry
from cinealign.views.base import View
from cinealign.views.registry import VIEWS
from cinealign.views.store import FeatureStore
from tests.views.drawn import draw_pattern
from tests.views.tiny_models import WORDS, save_bert, save_clip

TEXTS = ["a shark eats the town", "people run", "love", "the bank heist . people love the bank", ""]


@pytest.fixture
def bert(tmp_path: Path) -> Path:
    return save_bert(tmp_path / "bert", layers=3)


def states_of(view: View[Any], items: list[Any], store: FeatureStore) -> torch.Tensor:
    return torch.from_numpy(view.transform(view.extract(items, store)))


def tower_of(spec: dict[str, Any], rows: torch.Tensor, view: View[Any], dimensions: int = 4) -> Tower:
    torch.manual_seed(0)
    return build_tower(
        TOWERS.parse(spec), dimensions, tower_geometry(TOWERS.parse(spec), rows, None, view.origin())
    ).eval()


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_the_language_model_begins_as_the_frozen_one(bert: Path, tmp_path: Path, layers: int) -> None:
    store, options = FeatureStore(tmp_path / "store"), {"model": str(bert), "precision": "float32"}
    whole = np.asarray(VIEWS.build("language_model", options).extract(TEXTS, store))
    view = VIEWS.build("language_model_states", {**options, "layers": layers})
    rows = states_of(view, TEXTS, store)
    assert rows.dtype == torch.float16 and rows.shape == (5, 10, 8)  # 8 words, begin and end
    tower = tower_of({"tower": "language_model", "projection": "none"}, rows, view)
    assert isinstance(tower, LanguageModelTower)
    with torch.inference_mode():
        found = nn.functional.normalize(tower(rows), dim=1)
        alone = torch.cat([nn.functional.normalize(tower(row[None]), dim=1) for row in rows])
    np.testing.assert_allclose(found.numpy(), whole, atol=2e-3)
    torch.testing.assert_close(found, alone, atol=1e-5, rtol=1e-4)
    assert len(tower.learned()) == 16 * layers  # weights and biases of six maps and two norms a layer


@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_clip_begins_as_the_frozen_one(tmp_path: Path, kind: str) -> None:
    store, folder = FeatureStore(tmp_path / "store"), save_clip(tmp_path / kind, kind, layers=2)
    posters = [draw_pattern(tmp_path / f"{i}.png", i) for i in range(3)]
    texts = [*TEXTS[:3], "the shark eats the bank . love love love . people run the town . a heist !"]
    options = {"model": str(folder), "precision": "float32"}
    for side, items in (("poster", posters), ("intro", texts)):
        whole = np.asarray(VIEWS.build(f"clip_{side}", options).extract(items, store))
        view = VIEWS.build(f"clip_{side}_states", options)
        rows = states_of(view, items, store)
        tower = tower_of({"tower": "clip"}, rows, view)
        assert isinstance(tower, ClipTower) and tower.seen(rows).all()
        with torch.inference_mode():
            found = nn.functional.normalize(tower(rows), dim=1).numpy()
        np.testing.assert_allclose(found, whole, atol=3e-3)
        assert any(name.startswith("map.") for name in tower.learned()) == (kind == "clip")
        assert not tower(torch.zeros_like(rows)).isnan().any()
        assert not tower.seen(torch.zeros_like(rows)).any()
    assert rows.shape[1] > 1, "the long text must be read in runs"


@pytest.mark.parametrize("method", ["full", "lora"])
def test_one_tower_serves_both_sides_and_is_saved(bert: Path, tmp_path: Path, method: str) -> None:
    view = VIEWS.build("language_model_states", {"model": str(bert), "layers": 2, "precision": "float32"})
    store, rng = FeatureStore(tmp_path / "store"), np.random.default_rng(0)
    words = np.array(["a", "shark", "eats", "the", "town", "people", "run", "bank", "heist", "love"])
    texts = [" ".join(rng.choice(words, 4)) for _ in range(24)]
    poster = states_of(view, [" ".join(reversed(text.split())) for text in texts], store).numpy()
    poster[3] = 0  # a poster without lettering
    intro = states_of(view, texts, store).numpy()
    spec = {"tower": "language_model", "method": method, "projection": "none", "rank": 2}
    options = {"poster": "p", "intro": "i", "poster_tower": spec, "shared": True}
    training = {"epochs": 8, "batch_size": 24, "learning_rate": 3e-3 if method == "full" else 3e-2}
    expert = EXPERTS.build("contrastive", {**options, "training": training})
    origin = view.origin()
    assert origin is not None
    expert.fit(TrainingSet({"p": poster}, {"i": intro}, 24, origins={"p": origin, "i": origin}), seed=0)
    assert expert.history[-1]["loss"] < expert.history[0]["loss"] - 0.1
    left, right = expert.encode_poster({"p": poster}), expert.encode_intro({"i": intro})
    assert left.shape == (24, 8) and not left[3].any() and left[4].any()
    np.testing.assert_array_equal(expert.encode_poster({"p": intro}), right)  # the very same tower
    state = expert.state()
    assert {name.split(".")[1] for name in state.arrays} == {"poster"}
    names = [name for name in state.arrays if ".up" in name]
    assert bool(names) == (method == "lora") and (method == "full" or len(state.arrays) == 2 * 2 * 6)
    again = EXPERTS.build("contrastive", options).load_state(state)
    np.testing.assert_allclose(again.encode_poster({"p": poster}), left, atol=1e-6)
    np.testing.assert_allclose(again.encode_intro({"i": intro}), right, atol=1e-6)


def test_clip_learns_on_both_sides_and_is_saved(tmp_path: Path) -> None:
    store, folder = FeatureStore(tmp_path / "store"), save_clip(tmp_path / "clip", layers=2)
    posters = [draw_pattern(tmp_path / f"{i}.png", i) for i in range(8)]
    texts = [" ".join(pair) for pair in itertools.pairwise(WORDS)][:8]
    views = {name: VIEWS.build(f"clip_{name}_states", {"model": str(folder)}) for name in ("poster", "intro")}
    poster, intro = (
        states_of(views[name], items, store).numpy() for name, items in (("poster", posters), ("intro", texts))
    )
    tower = {"tower": "clip"}
    options = {"poster": "p", "intro": "i", "poster_tower": tower, "intro_tower": tower}
    training = {"epochs": 6, "batch_size": 8, "learning_rate": 1e-2}
    origins = {name: origin for name, view in views.items() if (origin := view.origin()) is not None}
    expert = EXPERTS.build("contrastive", {**options, "training": training})
    expert.fit(
        TrainingSet({"p": poster}, {"i": intro}, 8, origins={"p": origins["poster"], "i": origins["intro"]}), seed=0
    )
    assert expert.history[-1]["loss"] < expert.history[0]["loss"] - 0.1
    again = EXPERTS.build("contrastive", options).load_state(expert.state())
    np.testing.assert_allclose(again.encode_poster({"p": poster}), expert.encode_poster({"p": poster}), atol=1e-6)
    np.testing.assert_allclose(again.encode_intro({"i": intro}), expert.encode_intro({"i": intro}), atol=1e-6)


def test_a_run_with_a_fine_tuned_side(bert: Path, sample: Catalogue, store: FeatureStore, tmp_path: Path) -> None:
    recipe = Recipe.parse(
        {
            "name": "fine-tuned",
            "views": {
                "appearance": {"view": "appearance", "width": 96, "height": 128},
                "states": {"view": "language_model_states", "model": str(bert), "layers": 1, "max_tokens": 8},
            },
            "align": [
                {
                    "expert": "contrastive",
                    "poster": "appearance",
                    "intro": "states",
                    "intro_tower": {"tower": "language_model"},
                    "training": {"epochs": 2},
                }
            ],
            "evaluation": {"bootstrap": 100},
        }
    )
    run = align(sample, recipe, tmp_path / "run", store=store)
    np.testing.assert_allclose(run.model.encode_intros(sample.intros[:5], store), run.vectors[1][:5], atol=1e-5)
    assert run.vectors[1].std(axis=0).max() > 0


def test_an_adapter_starts_at_nothing_and_learns_low_rank() -> None:
    torch.manual_seed(0)
    linear = nn.Linear(5, 7)
    adapted = nn.Sequential(linear, nn.ReLU())
    rows = torch.randn(3, 5)
    before = linear(rows)
    adapt(adapted, 2, 6.0)
    inner = adapted[0]
    assert isinstance(inner, LowRank)
    torch.testing.assert_close(inner(rows), before)
    with torch.no_grad():
        inner.up.normal_()
    correction = inner(rows) - before
    torch.testing.assert_close(correction, 3.0 * rows @ (inner.up @ inner.down).T, atol=1e-5, rtol=1e-4)
    assert [name for name, weight in adapted.named_parameters() if weight.requires_grad] == ["0.down", "0.up"]


def test_rates_by_layer(bert: Path, tmp_path: Path) -> None:
    view = VIEWS.build("language_model_states", {"model": str(bert), "layers": 3, "precision": "float32"})
    rows = states_of(view, TEXTS, FeatureStore(tmp_path / "store"))
    tower = tower_of({"tower": "language_model", "rate": 0.1, "layer_decay": 0.5}, rows, view)
    optimiser = build_optimiser("adamw", tower, 1.0, 0.01, 0.9)
    rates = {id(weight): group["lr"] for group in optimiser.param_groups for weight in group["params"]}
    assert isinstance(tower, LanguageModelTower)
    by_layer = [{rates[id(weight)] for weight in layer.parameters()} for layer in tower.top.layers]
    assert [rate.pop() for rate in by_layer] == pytest.approx([0.025, 0.05, 0.1])
    assert {rates[id(weight)] for weight in tower.last.parameters()} == {1.0}
    assert optimiser.param_groups[0]["lr"] == 1.0  # what the history shows


def test_long_texts_are_cut_and_said(bert: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    view = VIEWS.build("language_model_states", {"model": str(bert), "max_tokens": 5, "precision": "float32"})
    store = FeatureStore(tmp_path / "store")
    for _ in range(2):  # computed, then from the store
        rows = states_of(view, TEXTS, store)
        assert rows.shape == (5, 5, 8)
        assert "2 of 5 texts are longer than 5 tokens" in capsys.readouterr().err


def test_what_cannot_be(bert: Path, tmp_path: Path) -> None:
    store = FeatureStore(tmp_path / "store")
    with pytest.raises(ModelError, match=r"has 3 layers, and layers: 4 of them are to be trained; give 3 at most"):
        VIEWS.build("language_model_states", {"model": str(bert), "layers": 4}).extract(TEXTS, store)
    with pytest.raises(ConfigError, match="got \\(3, 4\\); use the view language_model_states"):
        tower_geometry(TOWERS.parse({"tower": "language_model"}), torch.rand(3, 4), None)
    with pytest.raises(ConfigError, match="use the view clip_poster_states or clip_intro_states"):
        tower_geometry(TOWERS.parse({"tower": "clip"}), torch.rand(3, 4, 5), None, {"view": "language_model_states"})
    tower = {"tower": "language_model"}
    with pytest.raises(ConfigError, match="shared: true needs a poster_tower, no intro_tower and one intro view"):
        EXPERTS.build(
            "contrastive", {"poster": "p", "intro": "i", "poster_tower": tower, "intro_tower": tower, "shared": True}
        )
    expert = EXPERTS.build("contrastive", {"poster": "p", "intro": "i", "poster_tower": tower, "shared": True})
    views = [VIEWS.build("language_model_states", {"model": str(bert), "layers": layers}) for layers in (1, 2)]
    left, right = (states_of(view, TEXTS, store).numpy() for view in views)
    origins = {name: origin for name, view in zip("pi", views, strict=True) if (origin := view.origin()) is not None}
    with pytest.raises(ConfigError, match="shared: true needs views that give the same, and 'i' differs from 'p'"):
        expert.fit(TrainingSet({"p": left}, {"i": right}, 5, origins=origins), seed=0)


def test_a_network_that_cannot_be_cut_is_refused(bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cinealign.views import split_transformer

    lower = split_transformer.lower_states
    monkeypatch.setattr(split_transformer, "lower_states", lambda *args, **inputs: -lower(*args, **inputs))
    view = VIEWS.build("language_model_states", {"model": str(bert), "precision": "float32"})
    with pytest.raises(ModelError, match="is a BertModel, which cannot be cut in two between its layers"):
        view.extract(TEXTS, FeatureStore(tmp_path / "store"))
