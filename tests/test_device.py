"""Choosing a device, and that nothing that belongs on it stays on the processor."""

from __future__ import annotations

import dataclasses
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cinealign import device as devices
from cinealign.cli.app import main
from cinealign.device import described, device, placed, use_device
from cinealign.environment import environment
from cinealign.errors import ConfigError
from cinealign.experts.registry import EXPERTS
from cinealign.training.experts import contrastive_pair
from cinealign.training.experts.network_members import compared
from cinealign.training.losses.base import Known
from cinealign.training.losses.objective import Objective
from cinealign.training.losses.registry import LOSSES
from cinealign.views.compiled import compile_network
from cinealign.views.intro.language_model import LanguageModelOptions, LanguageModelView
from cinealign.views.poster.appearance import AppearanceOptions, AppearanceView
from cinealign.views.poster.reading import graphics_card, reader
from cinealign.views.poster.reading.network import model_paths
from cinealign.views.poster.reading.options import OcrOptions
from cinealign.views.poster.reading.recognition import Recogniser
from cinealign.views.precision import resolve_precision
from tests.experts.pairs import linked
from tests.training.experts.two_towers import drawn, features, fitted


@pytest.fixture(autouse=True)
def _processor_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "_chosen", "cpu")


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with a card that everything but computing works on."""
    monkeypatch.setattr(devices, "available", lambda name: name != "mps")
    monkeypatch.setattr(devices, "described", lambda: "cuda (fake)")
    use_device("auto")


def test_the_processor_is_what_there_is_without_a_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "_has_driver", lambda: False)
    monkeypatch.setattr(devices.platform, "system", lambda: "Linux")
    use_device("auto")
    assert device() == described() == "cpu"
    assert environment(0)["device"] == "cpu"
    with pytest.raises(ConfigError, match="device cuda is not available to PyTorch on this machine, which has: cpu"):
        use_device("cuda")
    with pytest.raises(ConfigError, match="device must be auto, cpu, cuda, mps, got 'tpu'"):
        use_device("tpu")
    assert device() == "cpu"


@pytest.mark.parametrize(
    "command", [["run"], ["encode", "RUN", "--out", "v.npz", "--texts", "t.txt"], ["search", "RUN", "a"]]
)
def test_a_device_that_is_not_there_is_refused_in_one_line(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(devices, "available", lambda name: name == "cpu")
    monkeypatch.setenv("CINEALIGN_CACHE", str(tmp_path))
    (tmp_path / "run").mkdir()
    with pytest.raises(SystemExit) as ended:
        main([str(tmp_path / "run") if word == "RUN" else word for word in command] + ["--device", "mps"])
    assert ended.value.code == 2
    assert capsys.readouterr().err == (
        "ConfigError: device mps is not available to PyTorch on this machine, which has: cpu\n"
    )


def test_auto_asks_pytorch_only_where_there_is_a_driver_and_only_when_a_network_is_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(devices, "available", lambda name: bool(asked.append(name)) or name == "mps")
    use_device("auto")
    assert asked == []
    assert device() == device() == "mps"
    assert asked == ["cuda", "mps"]


def test_values_of_another_device_are_kept_apart(monkeypatch: pytest.MonkeyPatch, card: None) -> None:
    views = AppearanceView(AppearanceOptions()), LanguageModelView(LanguageModelOptions())
    on_card = [view.settings() for view in views]
    assert [settings["device"] for settings in on_card] == ["cuda", "cuda"]
    assert on_card[0]["engine"] == "torch"
    assert resolve_precision("auto") == "float32"
    lines = reader.settings_of(OcrOptions())
    use_device("cpu")
    assert all("device" not in view.settings() for view in views)
    assert lines == reader.settings_of(OcrOptions()), "without onnxruntime-gpu the processor reads"
    use_device("cuda")
    monkeypatch.setattr(reader, "reads_on_card", lambda: True)
    assert reader.settings_of(OcrOptions()) == {
        **lines,
        "engine": "onnxruntime",
        "device": "cuda",
        "precision": "float32",
    }


def test_a_picture_network_runs_in_pytorch_off_the_processor(monkeypatch: pytest.MonkeyPatch, card: None) -> None:
    moved: list[str] = []
    monkeypatch.setattr(devices, "_moved", lambda thing, to: moved.append(f"{type(thing).__name__} {to}") or thing)
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 2)).eval()
    batch = np.arange(24, dtype=np.float32).reshape(2, 3, 2, 2)
    found = compile_network(lambda: network, (3, 2, 2), "float32", {})(batch)
    assert moved == ["Sequential cuda", "Tensor cuda"]
    with torch.inference_mode():
        np.testing.assert_array_equal(found[0], network(torch.from_numpy(batch)).numpy())


def test_lines_read_by_onnxruntime_are_those_of_openvino() -> None:
    pytest.importorskip("onnxruntime")
    import cv2

    line = np.full((48, 320, 3), 255, np.uint8)
    cv2.putText(line, "HOME ALONE", (8, 36), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (0, 0, 0), 3)
    path = model_paths()["Rec"]
    on_card = graphics_card.CardRecogniser(graphics_card.CardNetwork(path, "CPUExecutionProvider")).read([line], 320)
    assert on_card[0][0] == Recogniser(path, "float32").read([line], 320)[0][0] == "HOME ALONE"


# Steps of training on the device "meta", whose tensors have no values and refuse to meet those of the processor.


@pytest.fixture
def meta(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "_chosen", "meta")
    monkeypatch.setattr(contrastive_pair, "autocast", lambda bfloat16: nullcontext())


class _EnoughError(Exception):
    """One step is all that can be tried without values."""


def _one_step(modules: torch.nn.Module, rows: torch.Tensor, step_loss: Any) -> None:
    loss = step_loss(rows)
    assert loss.device.type == "meta"
    loss.backward()
    learning = [weight for weight in modules.parameters() if weight.grad is not None]
    assert learning
    assert all(weight.device.type == weight.grad.device.type == "meta" for weight in learning)
    raise _EnoughError


@pytest.mark.parametrize("loss", sorted(set(LOSSES.names()) - {"genre", "distillation"}))
def test_a_step_of_any_loss_stays_on_the_device(loss: str, monkeypatch: pytest.MonkeyPatch, meta: None) -> None:
    expert = EXPERTS.build("contrastive", {"poster": "look", "intro": "text", "dimensions": 4, "loss": {"loss": loss}})

    def train(modules: Any, count: int, step_loss: Any, *_: Any, **__: Any) -> None:
        _one_step(modules, torch.arange(16), step_loss)

    monkeypatch.setattr(contrastive_pair, "train", train)
    with pytest.raises(_EnoughError):
        expert.fit(linked(40, (6, 5)), seed=0)


def test_the_two_tower_network_stays_on_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    training, expert = drawn(75), fitted(drawn(75))
    posters, intros = expert._posters(features(training.poster)), expert._intros(features(training.intro))
    with torch.no_grad():
        started = expert.towers.poster_tower.start(posters)
    known = Known(75, expert.towers.plan.core)
    monkeypatch.setattr(devices, "_chosen", "meta")
    towers, objective = placed(expert.towers), placed(Objective([expert.options.loss], placed(known)))
    given = placed(started), placed(intros), placed(torch.arange(75))
    with devices.on_device():
        loss = objective(objective.known.batch(*compared(towers, *given[:2]), given[2]))
    assert loss.device.type == "meta"
    loss.backward()


def test_training_moves_members_and_folds_and_brings_weights_back(monkeypatch: pytest.MonkeyPatch, card: None) -> None:
    use_device("cpu")
    here = fitted(drawn(75)).state()
    moved: set[tuple[str, str]] = set()

    def moved_nowhere(thing: Any, to: str) -> Any:
        moved.add((type(thing).__name__, to))
        return thing

    monkeypatch.setattr(devices, "_moved", moved_nowhere)
    monkeypatch.setattr(devices, "_making_on", lambda name: nullcontext())
    use_device("cuda")
    there = fitted(drawn(75)).state()
    assert moved >= {(kind, "cuda") for kind in ("TwoTowers", "Objective", "Fold", "Known", "Tensor")}
    assert {to for kind, to in moved if kind in ("Tensor", "Parameter")} == {"cuda", "cpu"}
    assert all(np.array_equal(array, there.arrays[name]) for name, array in here.arrays.items())


def test_what_is_placed_keeps_its_form(monkeypatch: pytest.MonkeyPatch, card: None) -> None:
    @dataclasses.dataclass(frozen=True)
    class Two:
        first: torch.Tensor
        others: dict[str, list[torch.Tensor]]
        name: str

    two = Two(torch.ones(2), {"a": [torch.zeros(1)]}, "two")
    use_device("cpu")
    assert placed(two) is two
    on_meta: Any = devices._moved(two, "meta")  # type: ignore[arg-type]
    assert (on_meta.first.device.type, on_meta.others["a"][0].device.type, on_meta.name) == ("meta", "meta", "two")
