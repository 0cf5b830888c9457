"""Why a hit: shares, words, lines of lettering, parts of the picture."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cinealign.data.posters import Poster, open_poster
from cinealign.search.index import Index
from cinealign.search.query import parts_of
from cinealign.search.reasons import COLUMNS, ROWS, grid_cells, reasons, strongest, with_cell_painted, without_each_word
from tests.search.encoders import WIDTH, WordEncoder, text_vector
from tests.search.folders import words_of, write_index


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    return Index.open(write_index(tmp_path_factory.mktemp("index") / "words"), encoder=WordEncoder())


def test_a_word_counts_what_the_text_without_it_loses(index: Index) -> None:
    words = words_of(10)
    answer = index.search(text=f"{words}, 0", limit=20)
    said = reasons(index, answer)
    assert answer[0].id == "11" and len(said) == 20
    places, texts = without_each_word(f"{words}, 0")
    assert len(places) == len(texts) == 7 == len(said[0].words)
    poster = text_vector(words)
    for (word, drop), text in zip(said[0].words, texts, strict=True):
        assert drop == pytest.approx(float((text_vector(f"{words}, 0") - text_vector(text)) @ poster), abs=1e-5), word
    assert said[0].shares == answer[0].shares


def test_function_words_are_not_tried(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, *_ = words_of(10).split()
    answer = index.search(text=f"the {first} of {second}", limit=2)
    asked: list[str] = []
    rows = index.text_rows
    monkeypatch.setattr(index, "text_rows", lambda texts: asked.extend(texts) or rows(texts))
    (found, _) = reasons(index, answer)
    assert [word for word, _ in found.words] == ["the", first, "of", second]
    assert [drop == 0 for _, drop in found.words] == [True, False, True, False]
    assert f"{first} of {second}" not in asked and f"the of {second}" in asked


def test_lines_of_lettering_that_say_what_was_asked_count_most(index: Index) -> None:
    first, second, *_ = words_of(10).split()  # the two lines on the poster of item 11
    answer = index.search(text=first, where={"title": "Movie 11"})
    (reason,) = reasons(index, answer)
    told = dict(reason.lines)
    assert set(told) == {first, second} and told[first] == pytest.approx(1, abs=1e-5)
    assert told[second] < 0.9
    assert strongest(reason.lines, 1) == [(first, told[first])]


def test_an_asked_poster_of_the_index_is_told_by_its_own_lines(index: Index) -> None:
    answer = index.search(like="11:poster", side="intro", limit=5)
    said = reasons(index, answer)
    assert all([line for line, _ in reason.lines] == words_of(10).split()[:2] for reason in said)
    plus = index.search_many([parts_of(text="war", plus="storm")], limit=3)[0]
    assert all(reason.words == () and reason.lines == () for reason in reasons(index, plus))


class BrightEncoder(WordEncoder):
    """A poster is the brightness of its left and of its right half."""

    def encode_posters(self, posters):  # type: ignore[no-untyped-def]
        rows = np.zeros((len(posters), WIDTH), dtype=np.float32)
        for row, poster in enumerate(posters):
            pixels = np.asarray(open_poster(Poster.of(poster)), dtype=np.float32).mean(axis=2) / 255
            rows[row, :2] = pixels[:, :50].mean(), pixels[:, 50:].mean()
        return rows


def test_covering_finds_the_part_that_counts(tmp_path: Path) -> None:
    index = Index.open(write_index(tmp_path / "index"), encoder=BrightEncoder())
    pixels = np.zeros((120, 100, 3), dtype=np.uint8)
    pixels[:20, 75:] = 255  # the cell at the top right is the only bright one
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    answer = index.search(image=file.getvalue(), limit=60)
    hit = next(place for place, hit in enumerate(answer) if text_vector(hit.item.intro or "")[1] > 0.2)
    assert all(reason.cells is None for reason in reasons(index, answer))
    cells = reasons(index, answer, cover=True)[hit].cells
    assert cells is not None and cells.shape == (ROWS, COLUMNS)
    assert np.unravel_index(int(cells.argmax()), cells.shape) == (0, 3) and cells[0, 3] > 0
    assert len(grid_cells()) == ROWS * COLUMNS


def test_a_cell_is_painted_in_the_mean_colour_and_nothing_else_changes() -> None:
    pixels = np.arange(60 * 40 * 3, dtype=np.uint32).reshape(60, 40, 3).astype(np.uint8)
    poster = Poster.of(pixels)
    covered = np.asarray(open_poster(with_cell_painted(poster, (0.5, 0.0, 1.0, 0.5))))
    assert (covered[30:] == pixels[30:]).all() and (covered[:30, :20] == pixels[:30, :20]).all()
    assert (covered[:30, 20:] == np.round(pixels.mean(axis=(0, 1))).astype(np.uint8)).all()
    assert with_cell_painted(poster, (0.5, 0.0, 1.0, 0.5)).digest != poster.digest
