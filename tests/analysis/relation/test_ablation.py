import numpy as np
import pytest
from PIL import Image

from cinealign.analysis.explain.painting import lines_outside, without_lettering
from cinealign.analysis.relation.ablation import expected_hits, titles_named, what_is_left, without_labels
from cinealign.analysis.relation.numbers import NotTaken
from cinealign.analysis.relation.titles import lettering_without_title, title_stems, without_title
from cinealign.data.posters import Poster, open_poster
from cinealign.search.reasons import with_cell_painted
from cinealign.views.poster.ocr import Line


def test_title_words_are_found_by_stem_and_without_the_year():
    assert title_stems("Usual Suspects, The (1995)") == {"usual", "suspect"}
    assert without_title("A suspect is questioned; the Suspects ran.", "Usual Suspects, The (1995)") == (
        "A is questioned; the ran."
    )
    untouched = "Nothing   of it,  spacing kept."
    assert without_title(untouched, "Usual Suspects, The (1995)") is untouched


@pytest.mark.parametrize(
    ("lettering", "title", "left"),
    [
        ("the godfather al pacino", "Godfather, The (1972)", "al pacino"),
        ("thegodfatherpartii al pacino", "Godfather: Part II, The (1974)", "al pacino"),
        ("warloros of atlantis", "Warlords of Atlantis (1978)", ""),
        ("god father", "Godfather, The (1972)", ""),
        ("it came by night", "It (1990)", "came by night"),
        ("", "Jaws (1975)", ""),
    ],
)
def test_title_words_are_found_on_posters_though_misread_or_run_together(lettering, title, left):
    assert lettering_without_title(lettering, title) == left


def test_labels_are_regressed_out_on_train_rows():
    labels = np.array([[0], [1], [0], [1], [1], [0]], dtype=float)
    rows = np.array([[1, 5], [3, 5], [1, 5], [3, 5], [30, 7], [1, 8]], dtype=np.float32)
    left, linear = without_labels(rows, labels, np.array([0, 1, 2, 3]))
    assert left[:4] == pytest.approx(np.array([[2, 5]] * 4))  # the mean stays
    assert linear[4] == pytest.approx([1, 0]) and left[4] == pytest.approx([29, 7])  # held-out rows were not fitted to
    assert left + linear == pytest.approx(rows)


def test_ties_are_broken_at_random_in_expectation():
    similarity = np.array([[3.0, 2.0, 2.0, 2.0], [1.0, 1.0, 1.0, 1.0], [0.0, 1.0, 2.0, 3.0]])
    own = np.array([1, 1, 3])
    assert expected_hits(similarity, own, 1) == pytest.approx([0, 1 / 4, 1])
    assert expected_hits(similarity, own, 2) == pytest.approx([1 / 3, 1 / 2, 1])
    assert expected_hits(similarity, own, 4) == pytest.approx([1, 1, 1])


def box(left: float, top: float, right: float, bottom: float) -> Line:
    return Line("x", 1.0, ((left, top), (right, top), (right, bottom), (left, bottom)), bottom - top)


def test_painting_changes_the_lettering_and_nothing_else(tmp_path):
    pixels = np.full((100, 80, 3), (200, 30, 30), dtype=np.uint8)
    pixels[22:38, 22:58] = 255
    Image.fromarray(pixels).save(tmp_path / "1.png")
    poster = Poster.of(tmp_path / "1.png")
    painted = np.asarray(open_poster(without_lettering(poster, [box(0.25, 0.2, 0.75, 0.4)])))
    assert np.abs(painted.astype(int) - (200, 30, 30)).max() < 40  # nothing of the white is left
    assert (painted[60:] == pixels[60:]).all() and (painted[:, 75:] == pixels[:, 75:]).all()
    assert without_lettering(poster, []) is poster


def test_a_covered_cell_has_the_mean_colour_and_loses_its_lines(tmp_path):
    pixels = np.zeros((60, 40, 3), dtype=np.uint8)
    pixels[:30] = 100
    Image.fromarray(pixels).save(tmp_path / "1.png")
    covered = open_poster(with_cell_painted(Poster.of(tmp_path / "1.png"), (0.5, 0.0, 1.0, 0.5)))
    found = np.asarray(covered)
    assert (found[:30, 20:] == 50).all() and (found[:30, :20] == 100).all() and (found[30:] == 0).all()
    inside, outside = box(0.6, 0.1, 0.9, 0.2), box(0.1, 0.1, 0.3, 0.2)
    assert lines_outside([inside, outside], (0.5, 0.0, 1.0, 0.5)) == [outside]


def test_what_is_left_of_a_run_that_reads_lettering(material):
    left = {entry.name: entry for entry in what_is_left(material)}
    assert not [name for name, entry in left.items() if isinstance(entry, NotTaken)]
    full = left["full"]
    for direction in ("poster_to_intro", "intro_to_poster"):
        assert full[direction].value == pytest.approx(material.run.metrics[direction]["held_out"])
    # The lettering of this run is the title, so without the title's words only "coming soon" is left of it.
    assert left["title_out_of_lettering"].mean.value < full.mean.value
    assert left["title_out_of_lettering"].difference.value < 0
    assert left["lettering_blank"].mean.value != full.mean.value
    share = left["appearance_blank"].share_left.value
    chance = material.k / len(material.catalogue)
    expected = (left["appearance_blank"].mean.value - chance) / (full.mean.value - chance)
    assert share == pytest.approx(expected)


def test_titles_are_named_where_their_words_occur(material):
    named = titles_named(material)
    assert named["poster"].mean() > 0.9  # every poster of this run is lettered with its title
    for row in (0, 7, 100):
        movie = material.catalogue.movies[row]
        assert named["intro"][row] == (without_title(movie.intro, movie.title) != movie.intro)
