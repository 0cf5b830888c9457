"""Graphs in the cache folder: whole, of the right network, or converted again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cinealign.views import graphs
from cinealign.views.compiled import compile_graph, converted
from cinealign.views.graphs import graph_folder, kept_graph

KEY = {"weights": "of a test"}
BATCH = np.array([[1.0, 2.0, 3.0]], dtype=np.float32)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CINEALIGN_CACHE", str(tmp_path / "cache"))


class Conversions:
    """Converts one small network and counts how often."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> Any:
        self.count += 1
        torch.manual_seed(0)
        return converted(nn.Linear(3, 2).eval(), (torch.zeros(1, 3),), [[-1, 3]])

    def answer(self) -> np.ndarray[Any, Any]:
        return compile_graph(kept_graph(KEY, self), "float32")(BATCH)[0]


def test_a_graph_is_converted_once_and_gives_the_same_bits() -> None:
    convert = Conversions()
    first, second = convert.answer(), convert.answer()
    assert convert.count == 1
    np.testing.assert_array_equal(first, second)
    assert sorted(path.name for path in graph_folder(KEY).iterdir()) == ["graph.bin", "graph.xml", "sums.json"]
    assert [path.name for path in graph_folder(KEY).parent.iterdir()] == [graph_folder(KEY).name], "a part is left"


@pytest.mark.parametrize("name", ["graph.bin", "graph.xml", "sums.json"])
@pytest.mark.parametrize("damage", ["cut", "changed", "gone"])
def test_a_damaged_graph_is_converted_again(name: str, damage: str) -> None:
    convert = Conversions()
    first, file = convert.answer(), graph_folder(KEY) / name
    content = file.read_bytes()
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(content[: len(content) // 2] if damage == "cut" else bytes([content[0] ^ 1]) + content[1:])
    np.testing.assert_array_equal(convert.answer(), first)
    assert convert.count == 2
    convert.answer()
    assert convert.count == 2, "it was not put right on disk"


def test_another_release_or_network_has_a_graph_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    here = graph_folder(KEY)
    assert graph_folder({"weights": "of another"}) != here
    monkeypatch.setattr(graphs, "_version", lambda package: "0")
    assert graph_folder(KEY) != here


def test_a_cache_that_cannot_be_written_only_costs_time(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder would be", encoding="utf-8")
    convert = Conversions()
    np.testing.assert_array_equal(convert.answer(), convert.answer())
    assert convert.count == 2
