from __future__ import annotations

from pathlib import Path

import pytest

from cinealign.data.posters import Poster
from cinealign.describe import lettering as module
from cinealign.describe.lettering import lettering_statistics
from cinealign.views.poster.ocr import Line
from cinealign.views.store import FeatureStore

BOX = ((0.0, 0.0), (1.0, 0.0), (1.0, 0.1), (0.0, 0.1))
READ = [
    [Line("TOY STORY", 0.9, BOX, 0.2), Line("a film", 0.8, BOX, 0.05), Line("xx yy", 0.2, BOX, 0.9)],
    [Line("HEAT", 1.0, BOX, 0.1)],
    [Line("??", 0.1, BOX, 0.5)],
    [],
]


@pytest.fixture
def store(tmp_path: Path) -> FeatureStore:
    return FeatureStore(tmp_path / "store")


def posters(tmp_path: Path) -> list[Poster]:
    return [Poster(f"digest {at}", lambda: pytest.fail("a poster was opened")) for at in range(4)]


def test_statistics(tmp_path: Path, store: FeatureStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "read_lettering", lambda posters, store: READ)
    found, note = lettering_statistics(posters(tmp_path), store, read=True)
    assert found is not None and note == "read by OCR"
    assert (found.posters, found.without, found.median_lines, found.median_words, found.most_words) == (
        4,
        2,
        1.5,
        2.5,
        4,
    )
    assert found.tallest == pytest.approx(0.15) and found.confidence == pytest.approx(0.9)
    assert found.scripts == {"Latin": 2}


def test_left_out_where_nothing_was_read_and_nobody_asks(tmp_path: Path, store: FeatureStore) -> None:
    found, note = lettering_statistics(posters(tmp_path), store, read=False)
    assert found is None and note == "left out: 0 of 4 posters have been read before; --lettering reads the others"
    assert not store.folder.exists(), "looking made a file"
    assert lettering_statistics([], store, read=True) == (None, "left out: there is no poster")
