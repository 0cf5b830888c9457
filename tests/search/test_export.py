"""Vectors for other programs: they open them, and cosine ranks as the model does."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest

from cinealign.errors import ConfigError
from cinealign.run import Run
from cinealign.search.export import export
from cinealign.search.index import Index
from cinealign.search.run_index import index_of_run
from cinealign.state import State
from tests.search.folders import write_index


@pytest.mark.parametrize("longer", [1.0, 3.0])
def test_a_database_ranks_by_cosine_as_the_index_does(tmp_path: Path, longer: float) -> None:
    index = Index.open(write_index(tmp_path / "index", longer=longer))
    path = tmp_path / "vectors.parquet"
    width = 16 if longer == 1 else 18
    assert export(index, path) == f"120 unit vectors of {width} numbers" and not list(tmp_path.glob("*.part"))
    table = pq.read_table(path)
    assert str(table.schema.field("vector").type) == f"fixed_size_list<element: float>[{width}]"
    rows = np.array(table["vector"].to_pylist(), dtype=np.float32)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    found = duckdb.sql(
        f"""
        WITH asked AS (SELECT vector FROM '{path}' WHERE side = 'poster' AND id = '7')
        SELECT id FROM '{path}' v, asked WHERE side = 'intro' AND id != '7'
        ORDER BY array_cosine_similarity(v.vector::FLOAT[{width}], asked.vector::FLOAT[{width}]) DESC LIMIT 8
        """
    ).fetchall()
    assert [row[0] for row in found] == [hit.id for hit in index.search(like="7:poster", side="intro", limit=8)]


def test_safetensors_hold_both_sides_and_their_ids(tmp_path: Path) -> None:
    index = Index.open(write_index(tmp_path / "index"))
    export(index, tmp_path / "vectors.safetensors")
    state = State.load(tmp_path / "vectors.safetensors")
    assert state.arrays["poster"].shape == state.arrays["intro"].shape == (60, 16)
    assert state.values["ids"]["poster"] == [str(number + 1) for number in range(60)]


def test_the_model_card_tells_the_run_s_own_numbers(lettered: Run, sample_index: Index, tmp_path: Path) -> None:
    for index in (sample_index, index_of_run(lettered)):
        export(index, tmp_path / "card.md")
        card = (tmp_path / "card.md").read_text()
        assert card.startswith("---\nlibrary_name: cinealign\n")
        told = f"| poster to intro | {lettered.metrics['poster_to_intro']['held_out']:.3f} | "
        assert told in card and "each held-out query searches all 240 items".lower() in card.lower()
        assert "PP-OCRv6 small" in card and "EfficientNet-Lite2" in card and "/" + "tmp" not in card
    export(sample_index, tmp_path / "card.md")
    assert "Chances, poster to intro: calibration error" in (tmp_path / "card.md").read_text()


def test_kinds_of_files(tmp_path: Path) -> None:
    index = Index.open(write_index(tmp_path / "index"))
    with pytest.raises(ConfigError, match=r"choose one of: \.parquet, \.safetensors, \.md"):
        export(index, tmp_path / "vectors.npy")
    with pytest.raises(ConfigError, match="holds no numbers of its run"):
        export(index, tmp_path / "card.md")
