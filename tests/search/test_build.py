"""An index of a run: it finds what the run finds, says what it is, and is made at once or not at all."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from cinealign.cli.speech import folded
from cinealign.errors import ConfigError, DataError
from cinealign.evaluation.metrics import DIRECTIONS
from cinealign.experts.base import normalised
from cinealign.run_data import RunData
from cinealign.search import build, lance
from cinealign.search.build import build_index
from cinealign.search.card_lines import card_lines
from cinealign.search.check import check_index
from cinealign.search.folder import read_manifest
from cinealign.search.growth import open_writer
from cinealign.search.index import Index
from cinealign.search.run_index import index_of_run, open_any
from cinealign.search.space import Block, fit_space
from tests.search.encoders import WordEncoder
from tests.search.folders import words_of, write_index


def test_held_out_posters_find_their_intros_as_often_as_the_run_says(
    sample_index: Index, lettered_data: RunData
) -> None:
    metrics, data = lettered_data.run.metrics, lettered_data
    for direction in DIRECTIONS:
        found = sample_index.card["found"][direction]
        assert found["index"] == pytest.approx(metrics[direction]["held_out"], abs=1e-9) == found["model"]
    assert sample_index.card["vectors"]["left_out"] == ["lettering and appearance"]
    k = int(0.05 * len(data.catalogue))
    own = 0
    for row in data.held_out:
        item = str(data.catalogue.ids[row])
        own += item in {hit.id for hit in sample_index.search(like=f"{item}:poster", side="intro", limit=k)}
    assert own == 0  # an item is never an answer to itself
    assert (
        len(sample_index) == len(data.catalogue)
        and sample_index.search(like=str(data.catalogue.ids[0]), limit=3)[0].side == "poster"
    )


def test_hits_come_with_chances_shares_and_what_is_known_of_them(sample_index: Index, lettered_data: RunData) -> None:
    movie = lettered_data.catalogue.movies[int(lettered_data.held_out[0])]
    answer = sample_index.search(text=movie.intro, limit=240)
    assert answer.best_chance is not None and answer.expected_rank is not None and answer.no_good_match is not None
    chances = [hit.chance for hit in answer]
    assert all(chance is not None and 0 < chance < 1 for chance in chances) and answer.best_chance == chances[0]
    first = answer[0]
    assert first.shares is not None and sum(first.shares.values()) == pytest.approx(first.score, abs=1e-4)
    assert {"letters", "lettering", "appearance"} == set(first.shares)
    own = next(hit for hit in answer if hit.id == str(movie.movie_id))
    assert own.title == movie.title and own.item.genres == movie.genres and own.item.year == movie.year
    assert own.item.lettering is not None and "COMING SOON" in own.item.lettering and own.item.split == "held_out"
    assert Path(str(own.item.picture)).is_file()
    page = sample_index.search(text=movie.intro, limit=5, offset=100)  # chances do not depend on the page
    assert [hit.chance for hit in page] == chances[100:105] and page.best_chance == answer.best_chance
    some = sample_index.search(text=movie.intro, where={"split": "held_out"}, limit=5)
    told = {hit.id: hit.chance for hit in answer}
    assert [hit.chance for hit in some] == [told[hit.id] for hit in some]  # nor on the filter


def test_the_card_says_what_was_measured(sample_index: Index) -> None:
    reliability = sample_index.card["reliability"]
    assert set(reliability) == set(DIRECTIONS)
    for told in reliability.values():
        assert told["n"] == sample_index.card["held_out"] and 0 <= told["ece"] <= 1
    lines = card_lines(sample_index.card)
    assert all(len(part) <= 80 for line in lines for part in folded(line, 80))
    assert any("calibration error (ECE)" in line for line in lines)


def test_nothing_held_out_reaches_the_calibration(sample_index: Index, lettered_data: RunData, tmp_path: Path) -> None:
    """The same calibration where the held-out intros are other texts."""
    data = lettered_data
    changed = RunData(data.run, data.catalogue, data.store)
    extracts = data.extracts
    held = set(data.held_out.tolist())

    def other(rows):  # type: ignore[no-untyped-def]
        if isinstance(rows, np.ndarray):
            copy = rows.copy()
            copy[data.held_out] = copy[data.held_out[::-1]]
            return copy
        return [rows[row] if row not in held else rows[0] for row in range(len(rows))]

    changed.__dict__["extracts"] = type(extracts)(
        {name: other(rows) for name, rows in extracts.poster.items()},
        {name: other(rows) for name, rows in extracts.intro.items()},
        extracts.size,
    )
    again = build_index(changed, tmp_path / "index", widest=0)
    assert again.calibrations == sample_index.calibrations


def test_a_narrow_index_says_what_it_loses(lettered_data: RunData, tmp_path: Path) -> None:
    index = build_index(lettered_data, tmp_path / "index", widest=24, chances=False)
    assert index.space.width == 24 and index.card["vectors"]["projected"]
    assert index.search(like=str(lettered_data.run.ids[3]))[0].chance is None and index.card["reliability"] == {}
    assert any("vectors: 24 numbers" in line for line in card_lines(index.card))


def test_an_approximate_engine_is_made_to_try_harder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lance, "SMALLEST", 200)
    monkeypatch.setattr(lance, "PARTITION_ROWS", 30)
    monkeypatch.setattr(lance, "EFFORT", {"probes": 1, "refine": 1})
    dice = np.random.default_rng(0)
    rows = normalised(dice.standard_normal((600, 24)))
    queries = {"poster": rows, "intro": normalised(dice.standard_normal((80, 24)))}
    space = fit_space([Block("match", 0, 24)], queries, queries)
    fresh = lance.LanceKind().new(tmp_path / "v", 24, {"compression": "none"})
    engine = fresh.add("1", np.arange(600, dtype=np.int64), rows).compact("1")
    chosen, told = build.measured(engine, "poster", space, queries["intro"])
    assert told["enough"] and told["recall@10"] >= 0.95 and told["queries"] == 80
    recalls = [step["recall@10"] for step in told["steps"]]
    assert len(recalls) > 2 and recalls[0] < 0.7 and recalls == sorted(recalls)
    assert chosen.state["probes"] == told["steps"][-1]["probes"] > 1


def test_a_lance_index_of_a_run(lettered_data: RunData, tmp_path: Path) -> None:
    index = build_index(lettered_data, tmp_path / "index", engine="lance", widest=64, chances=False)
    assert set(index.card["engine"]["recall"]) == set(DIRECTIONS)
    assert all(
        told["recall@10"] == 1 for told in index.card["engine"]["recall"].values()
    )  # so few are looked at one by one


def test_a_new_index_takes_the_place_of_the_old_one_at_once(lettered_data: RunData, tmp_path: Path) -> None:
    folder = tmp_path / "index"
    old = build_index(lettered_data, folder, chances=False)
    with pytest.raises(ConfigError, match="is an index already; pass --force to replace it"):
        build_index(lettered_data, folder, chances=False)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "_write_base", interrupted)
        with pytest.raises(KeyboardInterrupt):
            build_index(lettered_data, folder, chances=False, widest=16, force=True)
    assert Index.open(folder).manifest == old.manifest  # a half-made one is not there
    new = build_index(lettered_data, folder, chances=False, widest=16, force=True)
    assert new.manifest.generation == 2 and new.space.width == 16
    assert old.space.width > 16 and len(old.search(like=str(lettered_data.run.ids[5]), limit=4)) == 4
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("mine")
    with pytest.raises(ConfigError, match="is not empty and not an index"):
        build_index(lettered_data, tmp_path / "other", chances=False)


def test_check_passes_a_sound_index_and_finds_what_is_wrong(sample_index_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "index"
    shutil.copytree(sample_index_folder, folder)
    assert all(found.passed for found in check_index(Index.open(folder), encode=False))
    card = next(folder.glob("base-*/card.json"))
    card.write_text(card.read_text() + " ")
    (sums, *_) = check_index(Index.open(folder), encode=False)
    assert not sums.passed and sums.said == f"{card.relative_to(folder).as_posix()} was changed"


@pytest.mark.parametrize(
    ("value", "said"), [(np.nan, "is not finite"), (np.inf, "is not finite"), (60.0, "is too long")]
)
def test_a_search_refuses_vectors_that_nothing_has_encoded(value: float, said: str, tmp_path: Path) -> None:
    folder = write_index(tmp_path / "index", 40)
    for file in (folder / "vectors").rglob("*.npy"):
        rows = np.load(file)
        if rows.ndim == 2:
            np.save(file, rows * rows.dtype.type(value))
    with pytest.raises(DataError, match=f"{said}; `cinealign index check` says which file was changed"):
        Index.open(folder, encoder=WordEncoder()).search(text=words_of(3), limit=5)


def test_check_compares_with_the_model(sample_index: Index, lettered_data: RunData) -> None:
    class Stored:
        """Gives the run's own vectors for its own texts; or those of others."""

        def __init__(self, shift: int) -> None:
            self.width, self.shift = lettered_data.run.vectors[0].shape[1], shift

        def encode_intros(self, texts):  # type: ignore[no-untyped-def]
            rows = [lettered_data.catalogue.intros.index(text) + self.shift for text in texts]
            return lettered_data.run.vectors[1][rows]

        def encode_posters(self, posters):  # type: ignore[no-untyped-def]
            rows = [[p.digest for p in lettered_data.catalogue.posters].index(poster.digest) for poster in posters]
            return lettered_data.run.vectors[0][rows]

        def warm(self, side=None):  # type: ignore[no-untyped-def]
            pass

    good = list(check_index(Index.open(sample_index.folder, encoder=Stored(0)), sample=4))
    assert [found.passed for found in good] == [True] * 5
    bad = list(check_index(Index.open(sample_index.folder, encoder=Stored(-1)), sample=4))
    assert [found.passed for found in bad] == [True] * 4 + [False]


def test_a_run_without_an_index_is_searched_as_it_is(lettered_data: RunData) -> None:
    index = index_of_run(lettered_data.run)
    ids = lettered_data.run.ids
    poster, intro = lettered_data.run.vectors
    found = index.search(like=f"{ids[7]}:intro", side="poster", limit=5)
    scores = intro[7] @ poster.T
    scores[7] = -np.inf
    assert [hit.id for hit in found] == [str(ids[at]) for at in np.argsort(-scores, kind="stable")[:5]]
    assert (
        found[0].chance is None
        and index.search(like=str(ids[3]), where={"split": "train"}, limit=1)[0].item.split == "train"
    )
    _, note = open_any(lettered_data.run.folder)
    assert note is not None and "has no index: hits come without chances" in note


def test_an_index_of_a_run_grows(sample_index_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "index"
    shutil.copytree(sample_index_folder, folder)
    gone = [item.item_id for item in Index.open(folder).items.all()][:2]
    with open_writer(folder) as writer:
        writer.remove(gone)
    assert len(Index.open(folder)) == 238 and read_manifest(folder).generation == 2
    assert json.loads((folder / "manifests" / "000002.json").read_text())["counts"]["items"] == 238


def test_too_few_pairs_for_chances_are_said_before_anything_is_made(
    lettered_data: RunData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cinealign.search.calibration.FEWEST", 1000)
    with pytest.raises(DataError, match="a calibration needs 1000 train pairs, got 144; pass --no-chances"):
        build_index(lettered_data, tmp_path / "index")
    assert not (tmp_path / "index").exists()
