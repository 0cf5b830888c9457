from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cinealign.errors import ModelError
from cinealign.state import State


def test_round_trip_bit_for_bit(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)
    arrays = {"rows": rows, "turned": rows.T, "wide": rows.astype(np.float64), "empty": np.zeros((4, 0), np.float32)}
    values = {"words": ["é", "b"], "scale": [0.1], "nothing": None}
    State(arrays, values).save(tmp_path / "part.safetensors")
    back = State.load(tmp_path / "part.safetensors")
    assert back.values == values and back.arrays.keys() == arrays.keys()
    for name, array in arrays.items():
        assert back.arrays[name].dtype == array.dtype and np.array_equal(back.arrays[name], array)
    assert [file.name for file in tmp_path.iterdir()] == ["part.safetensors"]


def test_empty(tmp_path: Path) -> None:
    State().save(tmp_path / "nothing.safetensors")
    assert State.load(tmp_path / "nothing.safetensors") == State()


@pytest.mark.parametrize("content", [None, b"", b"not a state"])
def test_missing_or_damaged(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "part.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=r"part.safetensors cannot be read .*run the recipe again"):
        State.load(path)
