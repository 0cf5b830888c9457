"""A poster beside an intro: equal to what a search says of them, and to slow counting."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cinealign.errors import DataError
from cinealign.search import pairs
from cinealign.search.index import Index
from cinealign.search.pairs import pair_of, pair_reason, picture_of
from cinealign.search.query import Part
from tests.search.encoders import WordEncoder
from tests.search.folders import write_index


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    return Index.open(write_index(tmp_path_factory.mktemp("pairs") / "index", 40, longer=1.4), encoder=WordEncoder())


def test_score_and_places_equal_a_slow_count(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "AT_ONCE", 7)
    rows = {
        side: index.space.unstored(side, index.engines[side].take(index.engines[side].keys()))  # type: ignore[arg-type]
        for side in ("poster", "intro")
    }
    scores = rows["poster"] @ rows["intro"].T
    for first, second in ((3, 3), (3, 8), (39, 0)):
        items = index.items.of_keys([first, second])
        pair = pair_of(index, items[first], items[second])
        assert pair.score == pytest.approx(float(scores[first, second]), abs=1e-5)
        assert sum(pair.shares.values()) == pytest.approx(pair.score, abs=1e-5)
        near_intros = sum(
            scores[first, other] >= scores[first, second] - 1e-6 for other in range(40) if other != second
        )
        near_posters = sum(
            scores[other, second] >= scores[first, second] - 1e-6 for other in range(40) if other != first
        )
        assert pair.places == {"poster_to_intro": (1 + near_intros, 40), "intro_to_poster": (1 + near_posters, 40)}


def test_what_parts_usually_add_equals_a_slow_count(index: Index) -> None:
    first, second = index.items.of_keys([3, 8]).values()
    rows = {side: index.space.unstored(side, index.engines[side].take(np.arange(40))) for side in ("poster", "intro")}
    usual = pair_of(index, first, second).usual
    assert list(usual) == [block.name for block in index.space.blocks]
    for block in index.space.blocks:
        at = slice(block.at, block.to)
        added = [rows["poster"][3, at] @ rows["intro"][key, at] for key in range(40) if key != 8]
        assert usual[block.name] == pytest.approx((np.mean(added), np.std(added)), abs=1e-6)


def test_chances_are_those_of_a_search(sample_index: Index) -> None:
    asked = next(iter(sample_index.items.all()))
    hit = sample_index.search(like=f"{asked.item_id}:intro", side="poster", limit=3)[2]
    pair = pair_of(sample_index, hit.item, asked)
    assert pair.chances["intro_to_poster"] == pytest.approx(hit.chance, abs=1e-6)
    assert pair.score == pytest.approx(hit.score, abs=1e-6)
    assert pair.shares == pytest.approx(hit.shares, abs=1e-6)


def test_reasons_are_those_of_a_search(sample_index: Index) -> None:
    from cinealign.search.reasons import reasons

    asked = next(iter(sample_index.items.all()))
    answer = sample_index.search_many([[Part("text", str(asked.intro))]], side="poster", limit=2)[0]
    found, expected = (
        pair_reason(sample_index, pair_of(sample_index, answer[1].item, asked)),
        reasons(sample_index, answer)[1],
    )
    assert [word for word, _ in found.words] == [word for word, _ in expected.words]
    assert np.allclose([drop for _, drop in found.words], [drop for _, drop in expected.words], atol=1e-5)
    assert found.lines == expected.lines
    assert found.cells is None


def test_an_item_with_one_side_makes_no_pair(index: Index) -> None:
    from dataclasses import replace

    item = index.items.of_keys([1])[1]
    with pytest.raises(DataError, match="needs a poster and an intro"):
        pair_of(index, replace(item, poster_digest=None), item)


def test_a_picture_that_has_changed_is_not_shown(tmp_path: Path, index: Index) -> None:
    from dataclasses import replace

    path = tmp_path / "secret.txt"
    path.write_text("root:x:0:0")
    item = replace(index.items.of_keys([1])[1], picture=str(path))
    with pytest.raises(DataError, match="another one than when the index was made"):
        picture_of(item)
    with pytest.raises(DataError, match="no picture file"):
        picture_of(replace(item, picture=None))
