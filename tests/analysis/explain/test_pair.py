import json

import numpy as np
import pytest

from cinealign.analysis.analyse import explain as written
from cinealign.analysis.explain.numbers import Splits
from cinealign.analysis.explain.pair import COLUMNS, ROWS, explain_pair, grid_cells
from cinealign.cli.show.analysis import explanation_lines
from cinealign.errors import DataError
from cinealign.views.store import FeatureStore


@pytest.fixture(scope="module")
def found(material):
    return explain_pair(material, int(material.catalogue.ids[material.held_out[2]]))


def test_experts_add_up_to_the_product(material, found):
    row = int(material.held_out[2])
    poster, intro = material.run.vectors
    assert found.product == pytest.approx(float(poster[row] @ intro[row]))
    assert sum(expert.contribution for expert in found.experts) == pytest.approx(found.product, abs=1e-5)
    others = np.delete(intro @ poster[row], row)
    typical = sum(expert.typical for expert in found.experts)
    assert typical == pytest.approx(float(others.mean()), abs=1e-5)
    for direction in ("poster_to_intro", "intro_to_poster"):
        assert getattr(found.rank, direction) == int(material.ranks[direction][row])


def test_a_word_counts_what_the_intro_without_it_loses(material, found, tmp_path):
    row = int(material.held_out[2])
    text, poster = material.catalogue.intros[row], material.run.vectors[0][row]
    assert [text[word.start : word.end] for word in found.words] == [word.word for word in found.words]
    strongest = max(found.words, key=lambda word: abs(word.drop))
    without = " ".join((text[: strongest.start] + text[strongest.end :]).split())
    vectors = material.model.encode_intros([text, without], FeatureStore(tmp_path))
    assert strongest.drop == pytest.approx(float((vectors[0] - vectors[1]) @ poster), abs=1e-5)
    assert strongest.drop != 0


def test_lettering_and_its_cells_count_what_the_poster_loses(material, found):
    row = int(material.held_out[2])
    title = material.catalogue.movies[row].title.rpartition(" (")[0].upper()
    assert [line.text for line in found.lines] == [title, "COMING SOON"]
    # Without its title only "coming soon" is read, by both readers.
    seen = {
        name: material.model.views[name].extract_texts(["coming soon"], material.store)
        for name in ("lettering", "title")
    }
    rest = {"appearance": material.extracts.poster["appearance"][row : row + 1]}
    vector = material.model.encode_poster_extracts({**rest, **seen})[0]
    poster, intro = (side[row] for side in material.run.vectors)
    assert found.lines[0].drop == pytest.approx(float((poster - vector) @ intro), abs=1e-4)
    drops = np.array(found.cells.drop)
    assert drops.shape == (ROWS, COLUMNS)
    assert len(np.unique(drops)) > ROWS  # the picture counts, cell by cell


def test_cells_cover_the_poster_once():
    cells = np.array(grid_cells(3, 2))
    assert len(cells) == 6
    assert ((cells[:, 2] - cells[:, 0]) * (cells[:, 3] - cells[:, 1])).sum() == pytest.approx(1)
    assert cells[1].tolist() == pytest.approx([0.5, 0, 1, 1 / 3])


def test_the_nearest_train_movies_are_train_movies_and_not_the_movie(material):
    row = int(material.train[4])
    found = explain_pair(material, int(material.catalogue.ids[row]))
    assert found.split == Splits(poster="train", intro="train")
    for side in ("poster", "intro"):
        near = [movie.row for movie in getattr(found.nearest_train, side)]
        assert set(near) <= set(material.train.tolist()) - {row}
        assert [movie.similarity for movie in getattr(found.nearest_train, side)] == sorted(
            (movie.similarity for movie in getattr(found.nearest_train, side)), reverse=True
        )


def test_another_intro_is_explained_and_written(lettered, rated, store, tmp_path):
    first, second = (int(rated.ids[row]) for row in rated.held_out_rows[:2])
    found, files = written(lettered, rated, first, second, tmp_path / "out", store=store)
    assert found.poster.id == first and found.intro.id == second
    poster, intro = lettered.vectors
    rows = rated.held_out_rows[:2]
    assert found.product == pytest.approx(float(poster[rows[0]] @ intro[rows[1]]))
    assert [file.name for file in files] == [f"{first}-with-{second}.{suffix}" for suffix in ("json", "pdf", "png")]
    assert all(file.stat().st_size > 1000 for file in files)
    assert json.loads(files[0].read_text())["product"] == found.product
    assert any(line.startswith("product lost without a word: ") for line in explanation_lines(found))


def test_a_movie_that_is_not_there_is_named(material):
    with pytest.raises(DataError, match="the catalogue has no item 999999 with both sides; its ids are"):
        explain_pair(material, 999999)


def test_a_train_item_is_explained_without_its_memory(material):
    row = int(material.train[3])
    found = explain_pair(material, int(material.catalogue.ids[row]))
    assert found.without_memory and found.split == Splits(poster="train", intro="train")
    assert "memory" not in [expert.expert for expert in found.experts]
    assert found.product == pytest.approx(sum(expert.contribution for expert in found.experts), abs=1e-5)
    poster, intro = material.run.vectors
    assert found.product < float(poster[row] @ intro[row]) - 0.01  # what is remembered is not in it
    held_out = explain_pair(material, int(material.catalogue.ids[material.held_out[2]]))
    assert not held_out.without_memory and "memory" in [expert.expert for expert in held_out.experts]
