"""The figure of a comparison: what its axis shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cinealign.evaluation.keys import DIRECTIONS
from cinealign.studies import compare_table


def test_the_whole_axis_is_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two recipes at 0.50 and 0.52 must not look worlds apart."""
    drawn: list[Any] = []
    monkeypatch.setattr(compare_table, "save_figure", lambda figure, out: drawn.append(figure) or [out])
    entries = [
        {
            "recipe": f"recipe {mean}",
            "accuracy": {
                direction: {"held_out": {"mean": mean, "interval": [mean - 0.01, mean + 0.01], "seeds": [mean]}}
                for direction in DIRECTIONS
            },
        }
        for mean in (0.50, 0.52)
    ]
    about = {"ratio": 0.05, "n": 240, "k": 12, "chance": 0.05, "split": {"held_out": 96, "all": 240}}
    compare_table.draw({"recipes": entries, **about}, tmp_path / "comparison")
    assert drawn[0].axes[0].get_xlim() == (0, 1)
