"""The example of docs/extending.md is run as it stands."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import pytest
import torch

from cinealign.distance.distances import DISTANCES
from cinealign.registry import Registry
from cinealign.training.losses.base import Batch
from cinealign.training.losses.registry import LOSSES
from cinealign.views.registry import VIEWS

GUIDE = Path(__file__).parent.parent / "docs" / "extending.md"
ADDED: list[tuple[Registry[Any, Any], str]] = [(VIEWS, "grid"), (LOSSES, "mean_margin"), (DISTANCES, "angle")]


@pytest.fixture
def example() -> Any:
    """The names that the example defines; what it registers is taken back."""
    blocks = re.findall(r"^```python\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert len(blocks) == 1
    names: dict[str, Any] = {"__name__": "extending"}
    exec(compile(blocks[0], str(GUIDE), "exec"), names)
    yield names
    for registry, name in ADDED:
        registry._kinds.pop(name, None)


def test_the_example_runs(
    example: dict[str, Any], sample_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CINEALIGN_CACHE", str(tmp_path / "store"))
    finished = example["run"](sample_folder, tmp_path / "run")
    assert finished.recipe.views["colours"].model_dump() == {"view": "grid", "cells": 6}
    losses = [entry["loss"] for entry in finished.history]
    assert losses[-1] < losses[0]
    assert finished.metrics["poster_to_intro"]["train"] > 0.1  # chance is 0.05


def test_the_parts_by_hand(example: dict[str, Any]) -> None:
    loss = LOSSES.build("mean_margin", {"margin": 0.5})
    same, rows = torch.tensor([[1.0, 0.0]] * 3), torch.arange(3)[:, None]
    assert float(loss(Batch(same, same, rows))) == pytest.approx(0.5)
    apart = torch.eye(3)
    assert float(loss(Batch(apart, apart, rows))) == 0
    angle = DISTANCES.build("angle", {})
    expected = [[0.0, math.pi / 2], [math.pi, math.pi / 2]]
    block = angle.block(torch.tensor([[1.0, 0], [-1, 0]]), torch.tensor([[1.0, 0], [0, 1]]))
    torch.testing.assert_close(block, torch.tensor(expected))
