from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from cinealign.errors import ModelError
from cinealign.views.intro.encoders import FolderModel, SplitModel, encoder_files
from cinealign.views.registry import VIEWS
from cinealign.views.store import FeatureStore
from tests.views.tiny_models import save_bert

FILES = {"model.safetensors": b"weights" * 500, "1_Pooling/config.json": b"{}"}


@pytest.fixture
def split(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SplitModel:
    """A model in three packages, and a cache folder."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, value in {**FILES, "desktop.ini": b"no"}.items():
            archive.writestr(f"tiny/{name}", value)
    joined = content.getvalue()
    for part in range(3):
        folder = tmp_path / "packages" / f"tiny-part_{part + 1:03d}"
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text("raise RuntimeError('imported')")
        (folder / f"tiny.zip.{part + 1:03d}").write_bytes(joined[part * 1000 : (part + 1) * 1000 if part < 2 else None])
    monkeypatch.syspath_prepend(tmp_path / "packages")
    monkeypatch.setenv("CINEALIGN_CACHE", str(tmp_path / "cache"))
    return SplitModel(
        package="tiny-part_{part:03d}",
        folder="tiny.zip.{part:03d}",
        files={name: hashlib.sha256(value).hexdigest() for name, value in FILES.items()},
        dimension=8,
        limit=16,
        parts=3,
        archive="tiny",
        extra="tiny",
    )


def test_parts_are_put_together_once(split: SplitModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = split.located()
    assert {p.relative_to(place).as_posix(): p.read_bytes() for p in place.rglob("*") if p.is_file()} == FILES
    assert "putting it together" in capsys.readouterr().err
    assert split.located() == place and capsys.readouterr().err == ""
    (place / "model.safetensors").write_bytes(b"damaged")
    assert (split.located() / "model.safetensors").read_bytes() == FILES["model.safetensors"]
    assert [path.name for path in place.parent.iterdir()] == ["tiny"]  # nothing half-made is left


def test_other_parts_are_refused(split: SplitModel, tmp_path: Path) -> None:
    from dataclasses import replace

    with pytest.raises(ModelError, match=r"not the expected ones .*another sha256.*pip install --force-reinstall"):
        replace(split, files={**split.files, "model.safetensors": "0" * 64}).located()
    (tmp_path / "packages" / "tiny-part_003" / "tiny.zip.003").write_bytes(b"")
    with pytest.raises(ModelError, match="not the expected ones"):
        split.located()


def test_a_missing_extra_says_what_to_install(split: SplitModel) -> None:
    from dataclasses import replace

    with pytest.raises(ModelError, match=r"all-x is not installed; pip install 'cinealign\[mpnet\]'"):
        replace(split, package="no_such_part_{part}", archive="all-x", extra="mpnet").located()


def test_any_encoder_from_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = save_bert(tmp_path / "bert")
    view = VIEWS.build("language_model", {"model": str(folder), "precision": "float32"})
    texts = ["a shark eats the town", "love", "", "the shark " * 20]
    rows = np.asarray(view.extract(texts, FeatureStore(tmp_path / "store")))
    assert rows.shape == (4, 8)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert "1 of 4 texts are longer than 16 tokens" in capsys.readouterr().err
    model = encoder_files(str(folder), False)
    assert isinstance(model, FolderModel) and (model.dimension, model.limit) == (8, 16)


def test_a_missing_encoder_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    view = VIEWS.build("language_model", {"model": "google-bert/no-such-bert"})
    with pytest.raises(ModelError, match=r"'google-bert/no-such-bert' .* not on this machine; pass --weights DIR"):
        view.extract(["a"], FeatureStore(tmp_path / "store"))
