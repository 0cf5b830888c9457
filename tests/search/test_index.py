"""Asking an index: directions, sums of parts, filters, pages, and what can be wrong with a question."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from cinealign.errors import ConfigError, DataError
from cinealign.search import index as indexes
from cinealign.search.index import Index
from cinealign.search.query import parts_of
from tests.search.encoders import WordEncoder, text_vector
from tests.search.folders import known_items, words_of, write_index


@pytest.fixture(scope="module", params=["exact", "lance", "longer"])
def index(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Index:
    folder = tmp_path_factory.mktemp("index") / "words"
    engine = "lance" if request.param == "lance" else "exact"
    write_index(folder, engine=engine, longer=3.0 if request.param == "longer" else 1.0)
    return Index.open(folder, encoder=WordEncoder())


def obvious(index: Index, text: str) -> list[str]:
    """Ids by the product of a text with every poster."""
    items = known_items(60)
    rows = np.stack([text_vector(item.intro or "") for item in items]).astype(np.float64)
    if index.space.extra:
        rows = rows * np.linspace(1.0, 3.0, 60, dtype=np.float32)[:, None]
    scores = rows @ text_vector(text).astype(np.float64)
    return [items[at].item_id for at in np.argsort(-scores, kind="stable")]


def test_a_text_finds_posters_and_a_picture_finds_intros_by_the_model_s_product(index: Index) -> None:
    found = index.search(text="shark beach storm", limit=60)
    assert [hit.id for hit in found] == obvious(index, "shark beach storm") and {hit.side for hit in found} == {
        "poster"
    }
    assert [hit.place for hit in found] == list(range(1, 61)) and found.total == 60
    turned = index.search(image=b"picture: shark beach storm", limit=60)
    assert [hit.id for hit in turned] == [hit.id for hit in found] and {hit.side for hit in turned} == {"intro"}
    best = found[0]
    expected = float(text_vector("shark beach storm") @ text_vector(best.item.intro or "")) * (
        np.linspace(1, 3, 60)[int(best.id) - 1] if index.space.extra else 1.0
    )
    assert best.score == pytest.approx(expected, abs=1e-5)
    assert best.shares is not None and set(best.shares) == {"words", "letters"}
    assert sum(best.shares.values()) == pytest.approx(best.score, abs=1e-5)
    assert best.chance is None and found.no_good_match is None  # this index has no calibration


def test_pages_fit_together(index: Index) -> None:
    whole = [hit.id for hit in index.search(text="ghost castle", limit=50)]
    paged = [hit.id for start in range(0, 50, 7) for hit in index.search(text="ghost castle", limit=7, offset=start)]
    assert paged[:50] == whole
    assert index.search(text="ghost castle", limit=5, offset=60) == []


def test_like_an_item_of_the_index(index: Index) -> None:
    found = index.search(like="7", limit=59)
    assert "7" not in {hit.id for hit in found} and len(found) == 59 and {hit.side for hit in found} == {"poster"}
    assert found[0].shares is None and found[0].chance is None
    crossed = index.search(like="7:poster", side="intro", limit=60)
    assert (
        "7" not in {hit.id for hit in crossed} and crossed[0].shares is not None
    )  # scored by the model, itself left out
    np.testing.assert_allclose([hit.score for hit in index.search(like=7, limit=3)], [hit.score for hit in found[:3]])


def test_parts_are_added_and_subtracted(index: Index) -> None:
    if index.space.extra:
        pytest.skip("some posters of this index are three times as long as others, and win every sum")
    words = words_of(10).split()
    plain = index.search(text=" ".join(words), limit=60)
    both = index.search(text=words[0], plus=words[1:], limit=60)
    assert both[0].id == "11" and both[0].chance is None
    less = index.search(text=" ".join(words), minus=["id:11"], limit=60)
    assert "11" not in {hit.id for hit in less}
    near = plain[1].id  # is also like item 11, so it falls where likeness to that is subtracted
    place = {hit.id: hit.place for hit in index.search(text=words[0], minus=" ".join(words[1:]), limit=60)}
    assert place["11"] > 10
    assert {hit.id for hit in less} == {hit.id for hit in plain} - {"11"} and near in {hit.id for hit in less}


def test_both_sides_in_one_list(index: Index) -> None:
    if index.space.extra:
        pytest.skip("some posters of this index are three times as long as others, and win every sum")
    found = index.search(text=words_of(3), side="both", limit=120)
    assert len(found) == 120 and found.total == 120
    assert {(found[0].id, found[0].side), (found[1].id, found[1].side)} == {("4", "poster"), ("4", "intro")}


def test_filters(index: Index) -> None:
    items = {item.item_id: item for item in known_items(60)}
    drama = index.search(text="war", where={"genre": "drama"}, limit=60)
    assert {hit.id for hit in drama} == {key for key, item in items.items() if "Drama" in item.genres}
    assert drama.total == len(drama)
    either = index.search(text="war", where={"genre": ["Horror", "Action"], "year": (1950, 1975)}, limit=60)
    assert {hit.id for hit in either} == {
        key
        for key, item in items.items()
        if set(item.genres) & {"Horror", "Action"} and 1950 <= (item.year or 0) <= 1975
    }
    assert [hit.id for hit in index.search(text="war", where={"title": "MOVIE 33"})] == ["33"]
    assert len(index.search(text="war", where={"year": (None, 1951)}, limit=60)) == 2
    assert {hit.item.split for hit in index.search(text="war", where={"split": "held_out"})} == {"held_out"}
    assert len(index.search(text="war", where={"director": "director 3"}, limit=60)) == 9
    assert index.search(text="war", where={"genre": "Western"}) == []
    with pytest.raises(
        DataError, match="no item has a column 'colour' to filter by; choose one of: title, year, director"
    ):
        index.search(text="war", where={"colour": "red"})


def test_many_questions_are_encoded_at_once_and_answered_alike(index: Index) -> None:
    texts = [words_of(number) for number in range(20)]
    encoder = WordEncoder()
    index = Index.open(index.folder, encoder=encoder)
    answers = index.search_many([*texts, parts_of(like="5")], limit=4)
    assert encoder.encoded == [20]
    assert [[hit.id for hit in answer] for answer in answers[:20]] == [
        [hit.id for hit in index.search(text=text, limit=4)] for text in texts
    ]
    with ThreadPoolExecutor(8) as pool:
        again = list(pool.map(lambda text: [hit.id for hit in index.search(text=text, limit=4)], texts * 5))
    assert again == [[hit.id for hit in answer] for answer in answers[:20]] * 5


def test_a_text_is_encoded_once(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    again = Index.open(index.folder, encoder=WordEncoder())
    encoder = again.encoder
    assert isinstance(encoder, WordEncoder)
    first = again.search(text="spy train", limit=5)
    second = again.search(text="spy train", limit=5, offset=5)
    assert encoder.encoded == [1] and len({hit.id for hit in [*first, *second]}) == 10
    monkeypatch.setattr(indexes, "REMEMBERED", 3)
    again.search_many(["a", "b", "c", "d", "a"])
    assert encoder.encoded == [1, 4] and len(again._texts) == 3


def test_a_text_in_another_script_gets_a_line_that_says_so(index: Index) -> None:
    assert index.search(text="a shark").notes == ()
    (note,) = index.search(text="大白鲨袭击海滩").notes
    assert "Chinese" in note and "Latin" in note


def test_questions_that_cannot_be_answered(index: Index) -> None:
    with pytest.raises(ConfigError, match="nothing to search for; give a text, an image or the id of an item"):
        index.search(minus="shark")
    with pytest.raises(ConfigError, match="must hold a word"):
        index.search(text="  \n")
    with pytest.raises(ConfigError, match=r"at most 20,000 letters, got 20,001"):
        index.search(text="a" * 20_001)
    with pytest.raises(DataError, match=r"has no item 'Jaws', neither by id nor by title"):
        index.search(like="Jaws")
    with pytest.raises(ConfigError, match="a text to search for must be a str, got int"):
        index.search(text=3)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"limit must be a whole number, got 2\.5"):
        index.search(text="shark", limit=2.5)  # type: ignore[arg-type]
    for year in ("abc", [1990, "x"], (1990, 1991, 1992)):
        with pytest.raises(DataError, match="year must be a whole number or"):
            index.search(text="shark", where={"year": year})
    with pytest.raises(ConfigError, match="limit must be between 1 and 10,000 and offset at least 0, got 0 and 0"):
        index.search(text="a", limit=0)
    with pytest.raises(ConfigError, match="side must be one of: poster, intro, both, got 'posters'"):
        index.search(text="a", side="posters")  # type: ignore[arg-type]


def test_folders_that_are_no_index(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"is not an index \(it has no CURRENT\); make one: cinealign index RUN --out"):
        Index.open(tmp_path)
    folder = write_index(tmp_path / "index", 10)
    manifest = folder / "manifests" / "000001.json"
    manifest.write_text(manifest.read_text().replace('"format": 1', '"format": 99'))
    with pytest.raises(DataError, match="has format 99 and this version reads 1; make it again from its run"):
        Index.open(folder)
    manifest.write_text("{")
    with pytest.raises(DataError, match="is a damaged index"):
        Index.open(folder)


def test_an_item_is_named_by_its_title(index: Index) -> None:
    item = next(iter(index.items.all()))
    by_id = [hit.id for hit in index.search(like=item.item_id, limit=3)]
    assert [hit.id for hit in index.search(like=item.title.upper(), limit=3)] == by_id
    by_side = [hit.id for hit in index.search(like=f"{item.item_id}:poster", limit=3)]
    assert [hit.id for hit in index.search(like=f"{item.title}:poster", limit=3)] == by_side
