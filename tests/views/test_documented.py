"""docs/views.md names every view and tower, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from cinealign.networks.towers import TOWERS
from cinealign.views.registry import VIEWS

TEXT = (Path(__file__).parent.parent.parent / "docs" / "views.md").read_text(encoding="utf-8")


def test_every_view_and_tower_is_described() -> None:
    named = re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE)
    assert sorted(named) == sorted([*VIEWS.names(), *TOWERS.names()])
