"""No reader opens a pickle: hooks on every door into pickle stay untouched while all readers run."""

from __future__ import annotations

import io
import pickle
import pickletools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cinealign.data.download.metadata import _PlainUnpickler
from cinealign.distance.files import load_distances
from cinealign.errors import CineAlignError, DataError
from cinealign.run import Run
from tests.faults.readers import READERS

PACKAGE = Path(__file__).parents[2] / "src" / "cinealign"


class Opened(BaseException):
    """A pickle was opened; no reader's `except Exception` hides it."""


@pytest.fixture
def hooked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every way to load a pickle raises; the ways that refuse code are noted."""
    noted: list[str] = []

    def refuse(*_: Any, **__: Any) -> Any:
        raise Opened

    def watched(load: Callable[..., Any], name: str, wanted: tuple[str, Any]) -> Callable[..., Any]:
        def call(*given: Any, **options: Any) -> Any:
            noted.append(name)
            if options.get(wanted[0]) is not wanted[1]:
                raise Opened
            return load(*given, **options)

        return call

    for name in ("load", "loads"):
        monkeypatch.setattr(pickle, name, refuse)
    monkeypatch.setattr(pickle, "Unpickler", type("Refused", (), {"__init__": refuse}))
    monkeypatch.setattr(torch, "load", watched(torch.load, "torch", ("weights_only", True)))
    monkeypatch.setattr(np, "load", watched(np.load, "numpy", ("allow_pickle", False)))
    return noted


@pytest.mark.parametrize("name", READERS)
def test_no_reader_opens_a_pickle(name: str, hooked: list[str], finished: Run, tmp_path: Path) -> None:
    READERS[name].make(tmp_path, finished.folder)
    for file in filter(Path.is_file, tmp_path.glob(READERS[name].files)):
        READERS[name].read(tmp_path, file)
    if name == "D files":
        assert "numpy" in hooked, "the hook was not passed"


def test_a_matrix_of_torch_is_read_as_weights_only(hooked: list[str], tmp_path: Path) -> None:
    torch.save({"D": torch.eye(3)}, tmp_path / "D.pt")
    assert load_distances(tmp_path / "D.pt").shape == (3, 3)
    assert hooked == ["torch"]


def test_the_hooks_close_every_door(hooked: list[str], tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros(2))
    for load in (
        lambda: pickle.loads(pickle.dumps(1)),
        lambda: pickle.load(io.BytesIO(pickle.dumps(1))),
        lambda: pickle.Unpickler(io.BytesIO(pickle.dumps(1))),
        lambda: np.load(tmp_path / "a.npy"),
        lambda: np.load(tmp_path / "a.npy", allow_pickle=True),
        lambda: torch.load(tmp_path / "a.npy", weights_only=False),
    ):
        with pytest.raises(Opened):
            load()


def test_the_only_reader_of_the_pickle_format_makes_plain_values_and_no_object() -> None:
    """OMDb's records come as a pickle; `metadata._PlainUnpickler` refuses whatever names a class or function."""
    users = [path for path in PACKAGE.rglob("*.py") if "pickle" in imported(path)]
    assert [path.name for path in users] == ["metadata.py"]
    for content in (pickle.dumps(Path("x")), pickle.dumps(print), b"cos\nsystem\n(S'true'\ntR.", b"\x80\x04P0\n."):
        assert any(code.name in ("GLOBAL", "STACK_GLOBAL", "PERSID") for code, _, _ in pickletools.genops(content))
        with pytest.raises((CineAlignError, pickle.UnpicklingError)):
            _PlainUnpickler(io.BytesIO(content)).load()


def imported(path: Path) -> set[str]:
    """Names of the modules that a source file imports."""
    import ast

    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


def test_object_arrays_in_an_index_are_refused(finished: Run, tmp_path: Path) -> None:
    READERS["indexes"].make(tmp_path, finished.folder)
    from cinealign.search.index import Index

    file = next((tmp_path / "index").rglob("*.keys.npy"))
    np.save(file, np.array([{}] * 30, dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="damaged"):
        Index.open(tmp_path / "index")
