from __future__ import annotations

from pathlib import Path

import pytest

from cinealign.data.locate import locate_data
from cinealign.errors import DataError


def test_order_of_places(tmp_path: Path) -> None:
    here = tmp_path / "project"
    here.mkdir()
    variable = {"CINEALIGN_DATA": str(tmp_path / "variable")}
    assert locate_data(None, cwd=here, environ={}) is None
    (tmp_path / "shared" / "movielens").mkdir(parents=True)
    found = locate_data(None, cwd=here, environ={})
    assert found is not None and found.resolve() == tmp_path / "shared" / "movielens"
    (here / "data" / "movielens").mkdir(parents=True)
    assert locate_data(None, cwd=here, environ={"CINEALIGN_DATA": ""}) == here / "data" / "movielens"
    (tmp_path / "variable").mkdir()
    assert locate_data(None, cwd=here, environ=variable) == tmp_path / "variable"
    (here / "given").mkdir()
    assert locate_data(Path("given"), cwd=here, environ=variable) == here / "given"


def test_place_that_was_asked_for_must_exist(tmp_path: Path) -> None:
    (tmp_path / "data" / "movielens").mkdir(parents=True)
    with pytest.raises(DataError, match=r"--data gone: no such folder; give the one that holds info.csv"):
        locate_data(Path("gone"), cwd=tmp_path, environ={})
    with pytest.raises(DataError, match="CINEALIGN_DATA /gone: no such folder"):
        locate_data(None, cwd=tmp_path, environ={"CINEALIGN_DATA": "/gone"})
