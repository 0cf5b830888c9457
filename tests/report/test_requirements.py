from __future__ import annotations

import re
from importlib.metadata import version

from cinealign.report.requirements import pinned


def test_everything_that_is_needed_with_its_version() -> None:
    lines = pinned()
    names = [line.partition("==")[0].lower() for line in lines]
    assert all(re.fullmatch(r"[\w.-]+==[\w.!]+", line) for line in lines) and len(set(names)) == len(names)
    assert {"torch", "numpy", "typst", "ipykernel", "nbclient", "tornado", "jinja2"} <= set(names)
    assert f"numpy=={version('numpy')}" in lines
    assert not {"cinealign", "pytest", "ruff", "mypy"} & set(names)
    assert "nothing-of-this-name" not in pinned("nothing-of-this-name")
