"""The examples in docstrings and in docs/encode.md run as they stand, on the drawn sample and a run on it."""

from __future__ import annotations

import doctest
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import cinealign
from cinealign import encoder, pipeline, run
from cinealign.data import catalogue
from cinealign.evaluation import accuracy
from cinealign.recipe import Recipe
from cinealign.run import Run
from cinealign.views.store import FeatureStore

PAGE = Path(__file__).parent.parent / "docs" / "encode.md"


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


def test_what_the_package_exports_is_there() -> None:
    for name in cinealign.__all__:
        assert getattr(cinealign, name) is not None
