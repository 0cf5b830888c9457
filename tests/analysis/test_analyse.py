import csv
import json
import shutil

import pytest
from PIL import Image

import cinealign
from cinealign.analysis import analyse as module
from cinealign.analysis.analyse import Analysis, analyse
from cinealign.analysis.downstream.numbers import Downstream
from cinealign.analysis.numbers import Data
from cinealign.analysis.relation.numbers import Left
from cinealign.analysis.skipped import Skipped
from cinealign.cli.app import main
from cinealign.cli.show.analysis import analysis_lines
from cinealign.data.catalogue import Catalogue
from cinealign.errors import ConfigError, DataError
from cinealign.out import partial
from cinealign.plain_json import to_json


def numbers_in(value):
    if isinstance(value, dict):
        return [number for inner in value.values() for number in numbers_in(inner)]
    if isinstance(value, list):
        return [number for inner in value for number in numbers_in(inner)]
    return [value] if isinstance(value, float) else []


def test_every_question_is_answered_for_a_run_that_reads_and_has_ratings(analysed, lettered):
    found = analysed.numbers
    assert found.data == Data(source="sample", n=240, train=144, held_out=96)
    assert found.settings.k == 12
    test = found.relation.permutation
    accuracy = [lettered.metrics[direction]["held_out"] for direction in ("poster_to_intro", "intro_to_poster")]
    assert test.acc_sum == pytest.approx(sum(accuracy))
    assert test.p < 0.01
    assert [part for part in vars(found.downstream).values() if isinstance(part, Skipped)] == []
    assert [name for name, trait in found.neighbours.traits.items() if isinstance(trait, Skipped)] == []
    assert found.neighbours.traits["genre"].spaces["poster_to_intro"].lift_low[0] > 1
    tasks = {row.task for row in found.downstream.table}
    assert {"cold-start rating", "cold-start ranking", "series mates", "genre probe", "clusters"} <= tasks
    assert len(numbers_in(to_json(found))) > 1000  # and every one is finite, as the file is written without NaN


def test_ratings_with_a_taste_for_genres_are_predicted_from_genres(analysed):
    rows = {row.method: row for row in analysed.numbers.downstream.table if row.task == "cold-start rating"}
    assert rows["genres"].value < rows["user mean"].value
    assert rows["genres"].difference.high < 0
    assert rows["aligned both"].against == "genres"


def test_a_curve_is_what_the_run_says_at_the_task_s_point(analysed, lettered):
    curve = analysed.numbers.relation.curve
    at = curve.p.index(0.05)
    for direction in ("poster_to_intro", "intro_to_poster"):
        assert curve[direction].value[at] == pytest.approx(lettered.metrics[direction]["held_out"])
        assert curve[direction].low[at] <= curve[direction].value[at] <= curve[direction].high[at]
    assert curve.chance.value[at] == pytest.approx(0.05)


def test_figures_and_tables_are_there_and_not_empty(analysed):
    names = list(analysed.numbers.figures)
    for name, figure in analysed.numbers.figures.items():
        chinese = (analysed.folder / figure.zh.pdf).read_bytes()
        assert (b"NotoSansCJK" in chinese) is (name != "search"), name  # which shows titles and nothing of our own
    assert names[:10] == [
        *("relation-curve", "relation-cca", "relation-left", "relation-slices", "neighbours-lift"),
        *("gallery-poster-to-intro", "gallery-intro-to-poster", "downstream", "clusters", "search"),
    ]
    for name in names:
        figure = analysed.numbers.figures[name]
        assert (analysed.folder / figure.pdf).stat().st_size > 5000 and figure.caption.endswith(".")
        with Image.open(analysed.folder / figure.png) as picture:
            assert picture.convert("L").getextrema()[0] < 100  # something dark is drawn
    for name, place in analysed.numbers.tables.items():
        with (analysed.folder / place).open(encoding="utf-8", newline="") as file:
            assert len(list(csv.DictReader(file))) > 1, name
    assert sorted(path.name for path in analysed.folder.iterdir()) == ["analysis.json", "explain", "figures", "tables"]
    for entry, found in zip(analysed.numbers.explained, analysed.explained(), strict=True):
        assert found.poster == entry.movie and found.run == analysed.numbers.run


def test_an_analysis_is_read_back_and_told_in_lines(analysed, tmp_path):
    assert Analysis.load(analysed.folder).numbers == analysed.numbers
    assert json.loads((analysed.folder / "analysis.json").read_text()) == to_json(analysed.numbers)
    lines = analysis_lines(analysed.numbers)
    assert lines[0].startswith("each of 96 held-out queries searches all N = 240 items, top 5 % (k = 12), chance 0.050")
    assert any(line.startswith("  genre partialled out: mean accuracy 0.") for line in lines)
    with pytest.raises(DataError, match="run `cinealign analyse` first"):
        Analysis.load(tmp_path)
    older = to_json(analysed.numbers)
    del older["relation"]["curve"]["area"]
    (tmp_path / "analysis.json").write_text(json.dumps(older))
    with pytest.raises(DataError, match=r"by another version \(relation/curve/area: field required\); analyse the run"):
        Analysis.load(tmp_path)


@pytest.fixture
def quick(analysed, monkeypatch):
    """Parts that cost nothing, so that what is around them can be tried; counts the calls."""
    calls: list[str] = []

    def part(name):
        def made(material):
            calls.append(name)
            return getattr(analysed.numbers, name)

        return made

    monkeypatch.setattr(module, "PARTS", {name: (kind, part(name)) for name, (kind, _) in module.PARTS.items()})
    monkeypatch.setattr(module, "_explained", lambda *_: [])
    monkeypatch.setattr(module, "_figures", lambda *_: {})
    monkeypatch.setattr(module, "_tables", lambda *_: {})
    return calls


def test_an_interrupted_analysis_goes_on_where_it_stopped(
    quick, finished, sample, store, tmp_path, monkeypatch, capsys
):
    parts = dict(module.PARTS)

    def broken(material):
        raise KeyboardInterrupt

    monkeypatch.setitem(module.PARTS, "downstream", (Downstream, broken))
    with pytest.raises(KeyboardInterrupt):
        analyse(finished, sample, tmp_path / "out", store=store)
    assert not (tmp_path / "out").exists()
    monkeypatch.setattr(module, "PARTS", parts)
    analyse(finished, sample, tmp_path / "out", store=store)
    assert quick == ["relation", "neighbours", "downstream"]
    assert "going on with the interrupted analysis: 2 parts are done" in capsys.readouterr().err
    assert not partial(tmp_path / "out").exists()


def test_a_finished_analysis_is_replaced_with_force_only(quick, finished, sample, store, tmp_path):
    analyse(finished, sample, tmp_path / "out", store=store)
    with pytest.raises(ConfigError, match="exists already; pass --force to replace it"):
        analyse(finished, sample, tmp_path / "out", store=store)
    analyse(finished, sample, tmp_path / "out", store=store, force=True)
    assert len(quick) == 6
    (tmp_path / "mine").mkdir()
    with pytest.raises(ConfigError, match="is not an analysis; --force replaces analyses only"):
        analyse(finished, sample, tmp_path / "mine", store=store, force=True)


def test_other_data_and_too_few_held_out_movies_are_refused(quick, finished, rated, sample_folder, store, tmp_path):
    shutil.copytree(sample_folder, tmp_path / "data")
    numbers = (tmp_path / "data" / "train.txt").read_text().split()
    (tmp_path / "data" / "train.txt").write_text("\n".join(numbers[:-1]))
    with pytest.raises(DataError, match="does not hold the data that"):
        analyse(finished, Catalogue.load(tmp_path / "data"), tmp_path / "out", store=store)
    (tmp_path / "data" / "train.txt").write_text("\n".join(map(str, range(225))))
    with pytest.raises(DataError, match="needs 20 held-out items at least, got 15"):
        analyse(finished, Catalogue.load(tmp_path / "data"), tmp_path / "out", store=store)
    assert not (tmp_path / "out").exists()


def test_a_run_without_lettering_or_ratings_says_what_is_left_out(finished, sample, store, tmp_path):
    from cinealign.analysis.material import Material
    from cinealign.analysis.neighbours.neighbours import neighbours
    from cinealign.analysis.relation.relation import relation

    material = Material.of(finished, sample, store)
    left = {entry.name: entry for entry in relation(material).left}
    assert left["lettering_blank"].skipped == "no view of this recipe reads the lettering"
    assert isinstance(left["genre_removed"], Left)
    assert neighbours(material).traits["co_rating"] == Skipped(skipped="no ratings.csv in the data folder")


def test_the_command_line_explains_a_movie(finished, sample_folder, sample, store, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CINEALIGN_CACHE", str(store.folder))
    movie_id = str(sample.ids[int(sample.held_out_rows[0])])
    arguments = [str(finished.folder), "--movie", movie_id, "--data", str(sample_folder), "--out", str(tmp_path)]
    with pytest.raises(SystemExit) as stopped:
        main(["explain", *arguments])
    assert stopped.value.code == 0
    shown = capsys.readouterr().out
    assert "experts (added; mean over other intros):" in shown and f"{movie_id}.pdf" in shown
    with pytest.raises(SystemExit) as stopped:
        main(["explain", *arguments[:1], "--movie", "999999", *arguments[3:]])
    assert stopped.value.code == 2
    assert capsys.readouterr().err.startswith("DataError: no item has the id or title '999999'")


def test_the_command_line_analyses(quick, finished, sample_folder, store, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CINEALIGN_CACHE", str(store.folder))
    arguments = [
        "analyse",
        str(finished.folder),
        "--data",
        str(sample_folder),
        "--out",
        str(tmp_path / "out"),
        "--json",
    ]
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 0
    assert json.loads(capsys.readouterr().out)["run"]["recipe"] == "cheap"


def test_the_package_offers_it():
    assert cinealign.analyse is analyse
    assert cinealign.Analysis is Analysis
