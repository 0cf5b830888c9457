"""What other processes are handed: paths and settings go over, and nothing of what was loaded here."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cinealign import Catalogue, DataError, Encoder, Index, ModelError, Poster, Recipe, Run
from cinealign.search.run_index import index_of_run
from cinealign.views.store import FeatureStore
from tests.search.conftest import lettered_data, sample_index  # noqa: F401  (fixtures)


def _there(thing: Any) -> Any:
    return pickle.loads(pickle.dumps(thing))


def test_a_run_in_use_goes_over_as_its_path(finished: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    used = Run(finished.folder)
    vector = used.encoder().encode_intros("a ship sails")
    assert used.vectors and used.model and used.metrics
    assert len(pickle.dumps(used)) < 500, "no vectors, no networks"
    monkeypatch.chdir(finished.folder.parent)
    arrived = _there(Run(finished.folder.name))
    assert arrived.folder == finished.folder, "another process has another working folder"
    assert np.allclose(arrived.encoder().encode_intros("a ship sails"), vector, atol=1e-5)


def test_a_warm_encoder_goes_over_cold_with_its_settings(finished: Run) -> None:
    encoder = Encoder(finished.folder / "model", width=finished.width, memory=12345)
    vector = encoder.encode_intros("a ship sails")
    assert len(pickle.dumps(encoder)) < 500
    for arrived in (_there(encoder), copy.deepcopy(encoder)):
        assert arrived._model is None and (arrived.width, arrived._store.capacity) == (finished.width, 12345)
        assert np.allclose(arrived.encode_intros("a ship sails"), vector, atol=1e-5)


def test_an_encoder_without_a_folder_says_why_it_stays(finished: Run) -> None:
    with pytest.raises(ModelError, match="a model in memory cannot be pickled; pickle the encoder of a saved run"):
        pickle.dumps(Encoder(finished.model))


def test_an_index_in_use_goes_over_as_its_folder(sample_index: Index) -> None:  # noqa: F811
    hits = sample_index.search("a ship sails", limit=3)
    assert len(pickle.dumps(sample_index)) < 500
    arrived = _there(sample_index).search("a ship sails", limit=3)
    assert [hit.id for hit in arrived] == [hit.id for hit in hits]
    answer = _there(hits)
    assert (answer, answer.total, answer.best_chance) == (hits, hits.total, hits.best_chance)


def test_a_run_searched_without_an_index_says_why_it_stays(finished: Run) -> None:
    with pytest.raises(DataError, match="in memory cannot be pickled; make an index: cinealign index "):
        pickle.dumps(index_of_run(finished))


def test_a_run_that_is_gone_is_one_line(finished: Run, tmp_path: Path) -> None:
    away = tmp_path / "away"
    away.symlink_to(finished.folder)
    packed = pickle.dumps(Run(away))
    away.unlink()
    with pytest.raises(DataError, match="is not a run directory"):
        pickle.loads(packed)


def test_what_is_plain_goes_over_whole(sample: Catalogue, cheap: Recipe, store: FeatureStore) -> None:
    arrived = _there(sample)
    assert (arrived.digest, arrived.movies) == (sample.digest, sample.movies)
    assert arrived.posters[0].opener().size == sample.posters[0].opener().size
    assert _there(cheap) == cheap and _there(store).folder == store.folder
    pixels = np.zeros((4, 3, 3), np.uint8)
    assert _there(Poster.of(pixels)) == Poster.of(pixels)
