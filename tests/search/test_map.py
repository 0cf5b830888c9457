"""The map: neighbours stay neighbours, it is stored once a generation, and few points are no problem."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cinealign.errors import DataError
from cinealign.search import map as mapping
from cinealign.search.index import Index
from cinealign.search.map import FILE, draw_map, stored_map
from tests.search.encoders import WordEncoder
from tests.search.folders import write_index


def test_partners_lie_together_and_both_sides_are_there(tmp_path: Path) -> None:
    index = Index.open(write_index(tmp_path / "index", 60), encoder=WordEncoder())
    assert stored_map(index) is None
    drawn = draw_map(index)
    for side in ("poster", "intro"):
        assert drawn.keys[side].tolist() == list(range(60))
        assert drawn.xy[side].shape == (60, 2)
        assert drawn.xy[side].min() >= 0 and drawn.xy[side].max() <= 1
    own = np.linalg.norm(
        drawn.xy["poster"] - drawn.xy["intro"], axis=1
    )  # their words, and so their vectors, are the same
    any_other = np.linalg.norm(drawn.xy["poster"] - np.roll(drawn.xy["intro"], 7, axis=0), axis=1)
    assert np.median(own) < 0.2 * np.median(any_other)


def test_parts_without_meaning_do_not_move_a_point(tmp_path: Path) -> None:
    """A memory of train pairs would put each pair on an island of its own."""
    index = Index.open(write_index(tmp_path / "index", 60), encoder=WordEncoder())
    whole, shares = draw_map(index), []
    *told, last = index.space.blocks
    assert told
    index.space = replace(index.space, blocks=(*told, replace(last, name="memory of train pairs")))
    part = draw_map(index, heard=shares.append)
    assert not np.allclose(part.xy["poster"], whole.xy["poster"], atol=1e-3)
    index.space = replace(index.space, blocks=(*told, replace(last, name="hub correction")))
    assert np.array_equal(draw_map(index).xy["poster"], part.xy["poster"])
    assert shares == sorted(shares) and shares[-1] == 1


def test_a_stored_map_is_read_and_an_older_generations_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = Index.open(write_index(tmp_path / "index", 20), encoder=WordEncoder())
    drawn = draw_map(index)
    read = stored_map(index)
    assert read is not None
    for side in ("poster", "intro"):
        assert np.array_equal(read.xy[side], drawn.xy[side])
        assert np.array_equal(read.keys[side], drawn.keys[side])
    assert draw_map(index).xy["poster"].tolist() == drawn.xy["poster"].tolist()  # the same seed, the same map
    monkeypatch.setattr(mapping, "_of", lambda index: "another generation")
    assert stored_map(index) is None


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_few_items_have_a_map(count: int, tmp_path: Path) -> None:
    index = Index.open(write_index(tmp_path / "index", count), encoder=WordEncoder())
    drawn = draw_map(index)
    assert drawn.xy["intro"].shape == (count, 2)
    assert np.isfinite(drawn.xy["intro"]).all()


def test_a_damaged_map_says_what_to_do(tmp_path: Path) -> None:
    index = Index.open(write_index(tmp_path / "index", 5), encoder=WordEncoder())
    (index.folder / FILE).write_bytes(b"not a map")
    with pytest.raises(DataError, match="remove it"):
        stored_map(index)


def test_a_folder_that_cannot_be_written_still_has_a_map(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cinealign.errors import ConfigError

    def refuse(path: Path) -> None:
        raise ConfigError("read only")

    index = Index.open(write_index(tmp_path / "index", 5), encoder=WordEncoder())
    monkeypatch.setattr(mapping, "whole_file", refuse)
    assert draw_map(index).xy["poster"].shape == (5, 2)
    assert not (index.folder / FILE).exists()
