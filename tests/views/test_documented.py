"""docs/views.md names every view and tower, and nothing else; docs/options.md every option."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

from cinealign.training.networks.registry import TOWERS
from cinealign.views.registry import VIEWS

DOCS = Path(__file__).parent.parent.parent / "docs"
TEXT = (DOCS / "views.md").read_text(encoding="utf-8")


def test_every_view_and_tower_is_described() -> None:
    named = re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE)
    assert sorted(named) == sorted([*VIEWS.names(), *TOWERS.names()])


def test_every_option_is_described_as_the_code_has_it() -> None:
    """docs/options.md is what `docs/make_options.py` writes, and no option is left without a word on it."""
    spec = importlib.util.spec_from_file_location("make_options", DOCS / "make_options.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    page = (DOCS / "options.md").read_text(encoding="utf-8")
    assert page == module.page(), "run docs/make_options.py"
    assert not re.findall(r"^.*\|  \|$", page, re.MULTILINE)
