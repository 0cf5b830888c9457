"""The examples in docstrings, in docs/encode.md and in docs/api.md run as they stand, on the drawn sample and a run on it."""

from __future__ import annotations

import doctest
import re
import shutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import cinealign
from cinealign import Catalogue, Index, encoder, pipeline, run
from cinealign.data import catalogue
from cinealign.evaluation import accuracy
from cinealign.recipe import Recipe
from cinealign.run import Run
from cinealign.views.store import FeatureStore
from tests.search.conftest import lettered_data, sample_index  # noqa: F401  (fixtures)

PAGE = Path(__file__).parent.parent / "docs" / "encode.md"
API = PAGE.with_name("api.md")


@pytest.fixture
def place(
    tmp_path: Path,
    sample_folder: Path,
    finished: Run,
    cheap: Recipe,
    store: FeatureStore,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Path]:
    """A folder as the examples expect it."""
    for name, target in (("data/sample", sample_folder), ("runs/default", finished.folder)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).symlink_to(target)
    (tmp_path / "my.yaml").write_text(yaml.safe_dump(cheap.model_dump(mode="json")))
    (tmp_path / "new").mkdir()
    for name in ("1.jpg", "2.jpg"):
        shutil.copy(
            next(path for path in (sample_folder / "poster").iterdir() if path.stem == name[0]), tmp_path / "new" / name
        )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CINEALIGN_CACHE", str(store.folder))
    yield tmp_path


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (accuracy, "get_acc"),
        (catalogue, "Catalogue.load"),
        (pipeline, "align"),
        (run, "Run"),
        (encoder, "Encoder"),
    ],
)
def test_docstring(module: Any, name: str, place: Path) -> None:
    tests = [test for test in doctest.DocTestFinder().find(module) if test.name == f"{module.__name__}.{name}"]
    assert len(tests) == 1 and len(tests[0].examples) >= 2, "no example"
    said: list[str] = []
    failed, _ = doctest.DocTestRunner().run(tests[0], out=said.append)
    assert not failed, "".join(said)


def test_the_page_on_encoding(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert len(blocks) == 1 and len(blocks[0].strip().splitlines()) <= 11
    names: dict[str, Any] = {}
    exec(blocks[0], names)
    width = names["encoder"].width
    assert names["posters"].shape == (2, width) and names["intros"].shape == (1, width)
    scores = names["run"].score(names["posters"])
    found = np.take_along_axis(scores, names["nearest"], axis=1)  # equal scores may stand in any order
    assert (found == -np.sort(-scores, axis=1)[:, :5]).all()
    assert len(capsys.readouterr().out.splitlines()) == 4


def test_the_page_on_the_api(
    lettered: Run,
    rated: Catalogue,
    sample_index: Index,  # noqa: F811
    tmp_path: Path,
    store: FeatureStore,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run_folder = tmp_path / "runs" / "default"
    run_folder.mkdir(parents=True)
    for path in lettered.folder.iterdir():
        (run_folder / path.name).symlink_to(path)
    (run_folder / "index").symlink_to(sample_index.folder)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "sample").symlink_to(rated.folder)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CINEALIGN_CACHE", str(store.folder))
    blocks = re.findall(r"^```python\n(.*?)^```$", API.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    names: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, "docs/api.md", "exec"), names)
    printed = capsys.readouterr().out.splitlines()
    assert printed[-1] == "ratio must be a number, got '0.5'"
    assert any(line.startswith("240 ") for line in printed) and "(3, 2)" in printed
    assert sorted(file.suffix for file in (tmp_path / "why").iterdir()) == [".json", ".pdf", ".png"]


def test_every_exported_name_is_on_the_api_page() -> None:
    told = re.findall(r"^::: (\S+)$", API.read_text(encoding="utf-8"), re.MULTILINE)
    homes = {path.rpartition(".")[2]: path.rpartition(".")[0] for path in told}
    assert sorted(homes) == sorted(set(cinealign.__all__) - {"__version__"})
    for name, home in homes.items():
        assert getattr(cinealign, name) is getattr(import_module(home), name), name
