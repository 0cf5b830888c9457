"""Compact vectors: products stay what they were, or nearly; blocks stay apart; rows are of unit length."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cinealign.errors import ModelError
from cinealign.search.space import Block, Space, fit_space


def low_rank(rows: int, width: int, rank: int, seed: int) -> np.ndarray:  # type: ignore[type-arg]
    dice = np.random.default_rng(seed)
    basis = np.random.default_rng(99 + width).standard_normal((rank, width))
    return (dice.standard_normal((rows, rank)) @ basis / np.sqrt(width)).astype(np.float32)


BLOCKS = [Block("first", 0, 60), Block("second", 60, 100)]


def sides(rows: int, seed: int) -> dict[str, np.ndarray]:  # type: ignore[type-arg]
    return {
        side: np.concatenate([low_rank(rows, 60, 6, seed + at), low_rank(rows, 40, 4, seed + 50 + at)], axis=1)
        for at, side in enumerate(("poster", "intro"))
    }


def test_a_projection_keeps_products_of_rows_that_it_has_not_seen() -> None:
    train, every = sides(80, 0), sides(150, 7)
    space = fit_space(BLOCKS, train, every, widest=10)  # as many as there are directions
    assert space.width == 10 and [block.to - block.at for block in space.blocks] == [6, 4]
    poster, intro = space.compact("poster", every["poster"]), space.compact("intro", every["intro"])
    np.testing.assert_allclose(poster @ intro.T, every["poster"] @ every["intro"].T, atol=2e-3)
    for number, block in enumerate(BLOCKS):
        of_block = np.einsum("nd,nd->n", *(rows[:, block.start : block.stop] for rows in every.values()))
        np.testing.assert_allclose(space.shares(poster, intro)[:, number], of_block, atol=2e-3)
    narrow = fit_space(BLOCKS, train, every, widest=5)
    assert narrow.width == 5 and all(block.to > block.at for block in narrow.blocks)


def test_stored_rows_are_unit_rows_whose_products_are_the_model_s() -> None:
    every = sides(50, 3)
    space = fit_space(BLOCKS, every, every, widest=0)
    assert space.extra and space.stored_width == 101
    compact = {side: space.compact(side, rows) for side, rows in every.items()}
    np.testing.assert_array_equal(compact["poster"], every["poster"])
    stored = space.stored("intro", compact["intro"])
    np.testing.assert_allclose(np.linalg.norm(stored, axis=1), 1, atol=1e-6)
    asked = space.as_query(compact["poster"], "intro")
    np.testing.assert_allclose(asked @ stored.T, every["poster"] @ every["intro"].T, atol=1e-4)
    np.testing.assert_allclose(space.unstored("intro", stored), every["intro"], atol=1e-5)
    longer = space.longer("intro", 50.0)
    np.testing.assert_allclose(longer.as_query(compact["poster"], "intro") @ longer.stored("intro", compact["intro"]).T,
                               every["poster"] @ every["intro"].T, atol=1e-3)  # fmt: skip


def test_unit_rows_are_taken_as_they_are() -> None:
    every = {side: rows / np.linalg.norm(rows, axis=1, keepdims=True) for side, rows in sides(50, 3).items()}
    space = fit_space([Block("match", 0, 100)], every, every)
    assert not space.extra and space.stored_width == 100
    np.testing.assert_array_equal(space.stored("poster", space.compact("poster", every["poster"])), every["poster"])


def test_it_is_read_back_as_it_was(tmp_path: Path) -> None:
    every = sides(60, 3)
    space = fit_space(BLOCKS, every, every, widest=8)
    space.save(tmp_path / "space.safetensors")
    again = Space.load(tmp_path / "space.safetensors")
    assert again.blocks == space.blocks and again.lengths == space.lengths and again.extra == space.extra
    np.testing.assert_array_equal(again.compact("poster", every["poster"]), space.compact("poster", every["poster"]))
    with pytest.raises(ModelError, match=r"the model gives vectors \(60, 90\), the index was made of 100 numbers"):
        again.compact("poster", every["poster"][:, :90])
