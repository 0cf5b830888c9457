"""Which numbers of a vector belong to which part of the model."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from cinealign.recipe import Recipe
from cinealign.search.parts import model_blocks

VIEWS = {
    "lettering": {"view": "lettering"},
    "title": {"view": "lettering"},
    "look": {"view": "appearance"},
    "intro": {"view": "tfidf"},
}


def model(align: list[dict[str, Any]], weights: list[float], distance: str = "cosine", **more: Any) -> Any:
    recipe = Recipe.model_validate({"name": "parts", "views": VIEWS, "align": align, "distance": distance})
    return SimpleNamespace(recipe=recipe, weights=np.array(weights), experts=[SimpleNamespace()] * len(align), **more)


def expert(kind: str, *poster: str) -> dict[str, Any]:
    return {"expert": kind, "poster": list(poster), "intro": ["intro"]}


def test_fused_experts_are_parts_and_memory_is_left_out() -> None:
    align = [
        expert("shared_space", "lettering"),
        expert("shared_space", "title"),
        expert("lexical", "lettering"),
        expert("cca", "lettering"),
        expert("cca", "look"),
        expert("memory", "lettering", "look"),
    ]
    fused = model(align, [0.2, 0.0, 0.2, 0.2, 0.2, 0.2], "neighbour_bias")
    blocks, left_out = model_blocks(fused, [3, 3, 10, 4, 2, 5], 26)
    assert [(block.name, block.start, block.stop) for block in blocks] == [
        ("lettering (shared_space)", 0, 3),
        ("letters", 3, 13),
        ("lettering (cca)", 13, 17),
        ("appearance", 17, 19),
        ("hub correction", 24, 26),  # the memory's five numbers lie between; the expert of weight 0 has none
    ]
    assert left_out == ["lettering and look"]
    assert [b.name for b in model_blocks(model(align, [1] * 6, "mahalanobis"), [3, 3, 10, 4, 2, 5], 27)[0]] == ["match"]


def test_a_network_tells_its_own_parts() -> None:
    told = SimpleNamespace(vector_parts=lambda: [("meaning", 6), ("letters", 3)])
    network: Any = SimpleNamespace(recipe=Recipe.load("default"), weights=np.ones(1), experts=[told])
    blocks, left_out = model_blocks(network, [9], 11)
    assert [(b.name, b.start, b.stop) for b in blocks] == [
        ("meaning", 0, 6),
        ("letters", 6, 9),
        ("hub correction", 9, 11),
    ]
    assert left_out == []
    alone = model([expert("contrastive", "look")], [1.0])
    assert [(b.name, b.stop) for b in model_blocks(alone, [8], 8)[0]] == [("match", 8)]
