"""An index made by workers is an index like any other."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cinealign.errors import ConfigError
from cinealign.run import Run
from cinealign.scale import index as indexing
from cinealign.scale.encode import Report
from cinealign.scale.index import best_scores, build_ivf, index_table
from cinealign.search.check import check_index
from cinealign.search.index import Index
from cinealign.search.lance import LanceEngine, LanceKind, as_arrow


@pytest.fixture(scope="session")
def made(ray: Any, encoded: tuple[Path, Report], tmp_path_factory: pytest.TempPathFactory) -> Index:
    """Of the encoded sample, with an IVF index although it is small."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(indexing, "SMALLEST", 64)
        patch.setattr(indexing, "CODES", 1)
        return index_table(
            encoded[0], tmp_path_factory.mktemp("scaled") / "index", compression="none", widest=0, workers=2
        )


def test_it_finds_what_the_model_finds(made: Index, finished: Run, encoded: tuple[Path, Report]) -> None:
    assert len(made) == encoded[1].items
    assert made.manifest.counts["poster"] == encoded[1].posters
    hits = made.search(text="a shark attacks a town by the sea", limit=5)
    query = finished.encoder().encode_intros(["a shark attacks a town by the sea"])
    own = {str(movie): row for movie, row in zip(finished.ids, finished.vectors[0], strict=True)}
    known = [hit for hit in hits if hit.id in own]
    assert known
    for hit in known:
        assert hit.score == pytest.approx(float(own[hit.id] @ query[0]), abs=1e-4)
    best = sorted((float(row @ query[0]) for row in own.values()), reverse=True)
    assert hits[0].score >= best[0] - 1e-4
    assert made.search(like=hits[0].id, side="intro", limit=3)
    assert made.search(text="a shark", where={"split": "added"}, limit=3)


def test_the_pages_show_it(made: Index) -> None:
    """As `cinealign serve` takes it: no run beside it, no chances, items that came by no split."""
    from starlette.testclient import TestClient

    from cinealign.web.app import create_app
    from cinealign.web.shelf import Shelf

    shelf = Shelf.of(made.folder)
    assert shelf.run is None and len(shelf.index) == len(made)
    hit = made.search(text="a shark", limit=1)[0]
    with TestClient(create_app(shelf), base_url="http://127.0.0.1:8421") as client:
        for path in ("/", "/?text=a+shark", f"/item?id={hit.id}", "/map", "/run", "/compare", "/about"):
            assert client.get(path).status_code == 200, path
        assert hit.title in html.unescape(client.get("/?text=a+shark").text)
        pair = client.get("/api/v1/pair", params={"poster": hit.id, "intro": hit.id}).json()
        assert pair["nearest_train"] == {"poster": [], "intro": []} and pair["usual"]


def test_recall_across_sides_is_measured_and_the_folder_is_sound(made: Index) -> None:
    recall = made.card["engine"]["recall"]
    assert set(recall) == {"poster_to_intro", "intro_to_poster"}
    assert all(0.9 <= each["recall@10"] <= 1 for each in recall.values())
    assert made.engines["poster"].state["indexed"] == made.manifest.counts["poster"]
    failed = [found for found in check_index(made, sample=2, encode=True) if not found.passed]
    assert not failed


def test_the_exact_scores_by_parts_are_those_of_all_rows(made: Index) -> None:
    table = str(made.engines["intro"].table)  # type: ignore[attr-defined]
    keys = made.engines["intro"].keys()
    rows = made.engines["intro"].take(keys)
    parts = [best_scores(table, rows[:6], 4, at, 2) for at in (0, 1)]
    found = -np.sort(-np.concatenate(parts, axis=1), axis=1)[:, :4]
    np.testing.assert_allclose(found, -np.sort(-(rows[:6] @ rows.T), axis=1)[:, :4], atol=1e-5)


@pytest.mark.slow
def test_product_quantisation_by_workers(ray: Any, tmp_path: Path) -> None:
    import lance

    rows = np.random.default_rng(0).standard_normal((3000, 32)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    fresh = LanceKind().new(tmp_path / "side", 32, {"compression": "pq"})
    assert isinstance(fresh, LanceEngine)
    lance.write_dataset(as_arrow(np.arange(3000), rows), str(fresh.table), max_rows_per_file=1000)
    build_ivf(str(fresh.table), fresh.state, 3000, 2)
    found = fresh.adopted(3000).search(rows[:20], 1)
    assert found.keys[:, 0].tolist() == list(range(20))


def test_an_index_is_not_replaced_unasked(made: Index, encoded: tuple[Path, Report]) -> None:
    with pytest.raises(ConfigError, match="is an index already; pass --force to replace it"):
        index_table(encoded[0], made.folder, workers=1)
