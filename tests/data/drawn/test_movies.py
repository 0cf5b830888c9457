from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from cinealign.data.catalogue import Catalogue
from cinealign.data.drawn.lettering import STYLES, break_lines
from cinealign.data.drawn.movies import draw_poster, draw_sample, sample_catalogue
from cinealign.data.drawn.scenes import PALETTES, SCENES
from cinealign.data.drawn.stories import Story, tell_story, words
from cinealign.data.intros import tokens
from cinealign.data.posters import open_poster
from cinealign.errors import ConfigError, DataError


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_layout_is_the_assignment_s(sample_folder: Path, sample: Catalogue) -> None:
    with (sample_folder / "info.csv").open(encoding="utf-8", newline="") as file:
        info = list(csv.DictReader(file))
    assert list(info[0]) == [
        "id",
        "name",
        "imdb_id",
        "genre",
        "release_time",
        "intro",
        "directors",
        "writers",
        "starts",
    ]
    with (sample_folder / "movies.csv").open(encoding="latin-1", newline="") as file:
        movies = list(csv.DictReader(file))
    assert list(movies[0]) == ["", "movie_id", "title", "genres"]
    assert [row["movie_id"] for row in movies] == [row["id"] for row in info]
    assert [row["title"] for row in movies] == [row["name"] for row in info]
    assert len(sample) == 240 and sample.source == "sample"
    assert len(sample.train_rows) == 144 and sample.report.train_read_as == "rows"
    assert {open_poster(poster).size for poster in sample.posters} == {(182, 268)}
    assert len(set(sample.intros)) == 240


def test_rough_edges_are_there(sample_folder: Path, sample: Catalogue) -> None:
    assert [(drop.reason, drop.count) for drop in sample.report.drops] == [("items without a poster", 12)]
    assert any("credit a name twice, which is kept once: 1 " in note for note in sample.report.notes)
    with (sample_folder / "info.csv").open(encoding="utf-8", newline="") as file:
        assert sum(not row["intro"] for row in csv.DictReader(file)) == 1


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("one", 3), ("two", 3), ("other", 4)):
        draw_sample(tmp_path / name, movies=12, seed=seed)
    assert content(tmp_path / "one") == content(tmp_path / "two")
    assert (tmp_path / "one" / "info.csv").read_bytes() != (tmp_path / "other" / "info.csv").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "other", "two"]  # nothing is left beside them


def test_title_words_tell_part_of_the_intro(sample: Catalogue) -> None:
    titles = [set(tokens(movie.title.rpartition(" (")[0])) for movie in sample.movies]
    intros = [set(tokens(intro)) for intro in sample.intros]
    own = np.mean([bool(title & intro) for title, intro in zip(titles, intros, strict=True)])
    other = np.mean([bool(title & intro) for i, title in enumerate(titles) for j, intro in enumerate(intros) if i != j])
    assert 0.4 < own < 0.85
    assert other < own / 4


def test_colours_tell_part_of_the_genre(sample: Catalogue) -> None:
    pixels = [np.asarray(open_poster(poster).resize((4, 6)), dtype=float).ravel() for poster in sample.posters]
    colours, genres = np.stack(pixels), np.array([movie.genres[0] for movie in sample.movies])
    hits = []
    for row in sample.held_out_rows:
        nearest = sample.train_rows[np.argmin(np.square(colours[sample.train_rows] - colours[row]).sum(1))]
        hits.append(genres[nearest] == genres[row])
    assert 0.3 < np.mean(hits) < 0.95  # chance is 1 of 8


def test_lettering_is_drawn_unless_told_otherwise() -> None:
    story = Story("The Kiss (1950)", "The Kiss", ("Romance",), "hearts", "Romance", "", "", (), (), ("Nina Hale",))
    with_words, without = (np.asarray(draw_poster(story, 1, lettered=flag), dtype=int) for flag in (True, False))
    changed = (np.abs(with_words - without).max(axis=2) > 60).mean()
    assert 0.02 < changed < 0.5
    assert np.array_equal(without, np.asarray(draw_poster(story, 1, lettered=False), dtype=int))


def test_lexicon_styles_palettes_and_scenes_name_the_same_things() -> None:
    genres = words()["genres"]
    assert set(genres) == set(STYLES) == set(PALETTES)
    assert sorted(scene for about in genres.values() for scene in about["scenes"]) == sorted(SCENES)


def test_every_plot_can_be_told() -> None:
    import random

    dice = random.Random(0)
    for _ in range(500):
        story = tell_story(dice)
        assert "{" not in story.intro and story.intro[0].isupper() and story.intro.endswith(".")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("THE KISS", ["THE KISS"]),
        ("THE LIGHTHOUSE", ["THE", "LIGHTHOUSE"]),
        ("ELENA AND THE BOMBER", ["ELENA", "AND THE", "BOMBER"]),
        ("A", ["A"]),
    ],
)
def test_break_lines(text: str, lines: list[str]) -> None:
    assert break_lines(text) == lines


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    for force in (False, True):
        with pytest.raises(DataError, match=r"is not empty; choose a new|has no sample\.json, so it is not just"):
            draw_sample(mine, movies=10, force=force)
    assert (mine / "thesis.txt").read_text() == "years of work"


def test_force_replaces_a_sample_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "sample"
    draw_sample(folder, movies=10)
    with pytest.raises(DataError, match="pass --force to replace a sample drawn before"):
        draw_sample(folder, movies=11)
    draw_sample(folder, movies=11, force=True)
    assert json.loads((folder / "sample.json").read_text())["movies"] == 11
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(DataError, match=r"holds notes\.txt, so it is not just a sample drawn before"):
        draw_sample(folder, movies=12, force=True)


@pytest.mark.parametrize("movies", [9, 5001])
def test_number_of_movies_has_limits(tmp_path: Path, movies: int) -> None:
    with pytest.raises(ConfigError, match=f"movies must be between 10 and 5000, got {movies}"):
        draw_sample(tmp_path / "sample", movies=movies)


def test_cached_sample_is_drawn_once(tmp_path: Path) -> None:
    first = sample_catalogue(tmp_path / "cache", movies=10, seed=5)
    written = first.posters[0].path.stat().st_mtime_ns
    second = sample_catalogue(tmp_path / "cache", movies=10, seed=5)
    assert second.posters[0].path.stat().st_mtime_ns == written
    assert second.digest == first.digest and second.source == "sample"
