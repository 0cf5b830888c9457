from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from cinealign.cli.cache import cache_app
from cinealign.errors import ConfigError
from cinealign.views.store import FeatureStore


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FeatureStore:
    monkeypatch.setenv("CINEALIGN_CACHE", str(tmp_path))
    store = FeatureStore()
    for view, size in [("appearance", 1), ("appearance", 2), ("lettering", 3)]:
        store.arrays(view, {"size": size}, ["a", "b"], lambda rows: np.zeros((len(rows), 3)))
    return store


def test_info(store: FeatureStore) -> None:
    shown = json.loads(CliRunner().invoke(cache_app, ["info", "--json"]).stdout)
    assert shown["folder"] == str(store.folder)
    assert {(entry["view"], entry["items"], entry["settings"]["size"]) for entry in shown["entries"]} == {
        ("appearance", 2, 1), ("appearance", 2, 2), ("lettering", 2, 3)
    }  # fmt: skip
    plain = CliRunner().invoke(cache_app, ["info"]).stdout
    assert plain.count("2 items") == 3 and str(store.folder) in plain


def test_clear_one_view(store: FeatureStore) -> None:
    result = CliRunner().invoke(cache_app, ["clear", "--view", "appearance", "--yes"])
    assert "deleted 2 files" in result.stdout
    assert [entry.view for entry in store.info()] == ["lettering"]


def test_clear_asks(store: FeatureStore) -> None:
    assert CliRunner().invoke(cache_app, ["clear"], input="n\n").exit_code == 1
    assert len(store.info()) == 3
    assert CliRunner().invoke(cache_app, ["clear"], input="y\n").exit_code == 0
    assert store.info() == []
    assert "nothing to delete" in CliRunner().invoke(cache_app, ["clear"]).stdout


def test_unknown_view(store: FeatureStore) -> None:
    result = CliRunner().invoke(cache_app, ["clear", "--view", "nothing", "--yes"])
    assert isinstance(result.exception, ConfigError)
    assert "choose one of: appearance, lettering" in str(result.exception)
