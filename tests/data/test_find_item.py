"""An item by its id, the id of the imported table, or its title."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from cinealign.data.catalogue import Catalogue
from cinealign.data.drawn.flags import draw_flags
from cinealign.data.find_item import find_item
from cinealign.data.importing.plan import ImportOptions, plan_import
from cinealign.data.importing.write import write_catalogue
from cinealign.errors import DataError


def test_by_id_and_title(sample: Catalogue) -> None:
    movie = sample.movies[7]
    bare = movie.title.rpartition(" (")[0]
    assert find_item(sample, str(movie.movie_id)) == movie.movie_id
    assert find_item(sample, movie.title) == movie.movie_id
    assert find_item(sample, f" {bare.upper()} ") == movie.movie_id


def test_unknown_and_ambiguous(sample: Catalogue) -> None:
    movie = sample.movies[7]
    with pytest.raises(DataError, match=r"no item has the id or title 'zzzz' in this catalogue of 240$"):
        find_item(sample, "zzzz")
    with pytest.raises(DataError, match="did you mean"):
        find_item(sample, movie.title[:-8] + "x")
    twice = Catalogue.load(sample.folder)
    object.__setattr__(twice, "movies", (*sample.movies[:8], sample.movies[7]))
    with pytest.raises(DataError, match=r"2 items are called .*; name one by its id: "):
        find_item(twice, movie.title)


def test_by_the_id_of_the_imported_table(tmp_path: Path) -> None:
    draw_flags(tmp_path / "flags", flags=24, seed=1)
    plan = plan_import(tmp_path / "flags" / "flags.csv", ImportOptions(noun="flag"))
    write_catalogue(plan, tmp_path / "mine")
    catalogue = Catalogue.load(tmp_path / "mine")
    with (tmp_path / "mine" / "info.csv").open(encoding="utf-8", newline="") as file:
        own = [row["source_id"] for row in csv.DictReader(file)]
    assert not own[3].isdecimal()  # such as DOR-313
    assert [find_item(catalogue, each) for each in own] == catalogue.ids.tolist()
