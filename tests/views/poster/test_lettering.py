from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cinealign.data.posters import Poster
from cinealign.errors import ConfigError, ModelError
from cinealign.views.poster import lettering, ocr
from cinealign.views.poster.lettering import LetteringView
from cinealign.views.poster.ocr import Line, OcrOptions, read_lettering, reading_order
from cinealign.views.poster.reading import network
from cinealign.views.poster.reading import reader as reader_module
from cinealign.views.poster.reading.reader import Reader
from cinealign.views.registry import VIEWS
from cinealign.views.store import FeatureStore
from tests.views.drawn import draw_poster

TFIDF = {"view": "tfidf", "min_df": 1, "stem": False}


def view(**options: Any) -> LetteringView:
    built = VIEWS.build("lettering", {"encoder": TFIDF, **options})
    assert isinstance(built, LetteringView)
    return built


def line(text: str, x: float, y: float, height: float = 0.1, confidence: float = 0.9) -> Line:
    box = ((x, y), (x + 0.2, y), (x + 0.2, y + height), (x, y + height))
    return Line(text, confidence, box, height)


@pytest.fixture(scope="module")
def posters(tmp_path_factory: pytest.TempPathFactory) -> list[Poster]:
    folder = tmp_path_factory.mktemp("posters")
    Image.new("RGB", (1, 1), "white").save(folder / "dot.png")
    Image.new("RGB", (3000, 2), "white").save(folder / "strip.png")
    return [
        draw_poster(folder / "shark.png", ("SHARK", 20, 30, 44), ("summer", 8, 150, 20), ("terror", 118, 152, 20)),
        draw_poster(folder / "white.png", background="white"),
        Poster.of(folder / "dot.png"),
        Poster.of(folder / "strip.png"),
        draw_poster(folder / "moon.png", ("MOON", 20, 200, 44)),
    ]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, posters: list[Poster]) -> FeatureStore:
    store = FeatureStore(tmp_path_factory.mktemp("store"))
    read_lettering(posters, store)
    return store


def test_words_are_read_where_they_stand(posters: list[Poster], store: FeatureStore) -> None:
    lines = read_lettering(posters, store)
    assert [[x.text.lower() for x in found] for found in lines] == [["shark", "summer", "terror"], [], [], [], ["moon"]]
    shark, summer, _ = lines[0]
    assert all(0 <= v <= 1 for x in lines[0] for corner in x.box for v in (*corner, x.confidence, x.height))
    assert shark.confidence > 0.8 and 0.1 < shark.height < 0.25 and summer.height < shark.height
    assert 0.1 < shark.centre[1] < 0.25 and 0.65 < lines[4][0].centre[1] < 0.95
    assert shark.box[0][0] < shark.box[1][0] and shark.box[0][1] < shark.box[3][1]


def test_size_of_the_file_does_not_move_the_boxes(tmp_path: Path, posters: list[Poster], store: FeatureStore) -> None:
    Image.open(posters[0].path).resize((1820, 2680), Image.Resampling.BICUBIC).save(tmp_path / "large.png")
    large = read_lettering([Poster.of(tmp_path / "large.png")], store)[0][0]
    assert large.text == "SHARK"
    np.testing.assert_allclose(large.box, read_lettering(posters[:1], store)[0][0].box, atol=0.04)


def test_same_lines_in_any_order_and_by_any_number_of_workers(
    posters: list[Poster], store: FeatureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = ocr.lettering_settings()["precision"]
    monkeypatch.setattr(reader_module, "worker_count", lambda: 1)
    alone = Reader(together)  # not the process's own
    options = OcrOptions()
    backwards = alone.records(posters[::-1], options)[::-1]
    assert backwards == [alone.records([poster], options)[0] for poster in posters]
    assert [[x["text"] for x in found] for found in backwards] == [
        sorted((x.text for x in found), key=[x["text"] for x in record].index)
        for found, record in zip(read_lettering(posters, store), backwards, strict=True)
    ]


def test_stored_posters_need_no_reader(
    posters: list[Poster], store: FeatureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ocr, "reader", lambda _: pytest.fail("made"))
    assert view().texts(posters, store)[0] == "shark summer terror"
    assert view(case="title").texts(posters, store)[0] == "Shark Summer Terror"
    assert view(case="keep").texts(posters, store)[4] == "MOON"


def test_the_process_keeps_one_reader() -> None:
    first = reader_module.reader(OcrOptions())
    assert reader_module.reader(OcrOptions(contrast="local", min_side=500)) is first


def test_other_models_are_refused_before_anything_is_downloaded(
    tmp_path: Path, posters: list[Poster], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(network.MODEL_FILES, "Rec", ("models/PP-OCRv9_rec.onnx", "0" * 64))
    monkeypatch.setattr(ocr, "reader", lambda options: Reader("float32"))
    with pytest.raises(ModelError, match=r"'rapidocr' has no file models/PP-OCRv9_rec\.onnx; pip install"):
        read_lettering(posters, FeatureStore(tmp_path))


def test_reading_order() -> None:
    lines = [line("four", 0.1, 0.8), line("three", 0.6, 0.42), line("two", 0.1, 0.44), line("one", 0.5, 0.1)]
    assert [x.text for x in reading_order(lines)] == ["one", "two", "three", "four"]
    small_beside_tall = [line("tall", 0.1, 0.2, 0.4), line("below", 0.6, 0.5, 0.05), line("above", 0.6, 0.1, 0.05)]
    assert [x.text for x in reading_order(small_beside_tall)] == ["above", "tall", "below"]
    assert reading_order([]) == []
    twins = [line("a", 0.1, 0.1), line("a", 0.1, 0.1)]
    assert reading_order(twins) == twins


def test_chosen_lines() -> None:
    lines = [line("a", 0, 0.0, 0.05), line("b", 0, 0.2, 0.2), line("c", 0, 0.5, 0.1, 0.4), line("d", 0, 0.7, 0.1)]
    lines.append(line("e", 0, 0.9, 0.1))
    assert view().text(lines) == "a b d e"
    assert view(min_confidence=0.4).text(lines) == "a b c d e"
    assert view(lines="tallest", count=2).text(lines) == "b d"
    assert view(lines="tallest", count=9).text(lines) == "a b d e"
    assert view(min_confidence=1.0).text(lines) == ""


def test_posters_without_lettering_are_zero_rows(posters: list[Poster], store: FeatureStore) -> None:
    built = view()
    extracted = built.extract(posters, store)
    features = built.fit(extracted).transform(extracted)
    assert built.state().values["vocabulary"] == ["moon", "shark", "summer", "terror"]
    assert features.any(axis=1).tolist() == [True, False, False, False, True]
    again = view().load_state(built.state())
    np.testing.assert_array_equal(again.transform(extracted), features)
    assert again.transform(extracted[1:2]).tolist() == [[0, 0, 0, 0]]


def test_encoder_that_gives_arrays(posters: list[Poster], store: FeatureStore, monkeypatch: pytest.MonkeyPatch) -> None:
    from cinealign.views.intro.language_model import LanguageModelView

    def lengths(self: LanguageModelView, items: list[str], store: FeatureStore) -> np.ndarray:
        return np.array([[1 + len(text), 7] for text in items], dtype=np.float32)

    monkeypatch.setattr(LanguageModelView, "extract", lengths)
    built = view(encoder={"view": "language_model"})
    extracted = built.extract(posters, store)
    assert built.fit(extracted).transform(extracted).tolist() == [[20, 7], [0, 0], [0, 0], [0, 0], [5, 7]]
    assert built.transform(extracted[1:2]).tolist() == [[0, 0]]


def test_encoder_is_checked() -> None:
    for encoder, words in [
        ({"view": "no"}, "encoder: unknown view 'no'; choose one of: appearance, .*language_model"),
        ({"view": "appearance"}, "encoder: 'appearance' is a view of posters"),
        ({}, "encoder: needs the name of a text view as 'view'"),
        ({"view": "tfidf", "depth": 3}, "encoder: unknown key 'depth'; choose one of: max_features, min_df, ngrams"),
    ]:
        with pytest.raises(ConfigError, match=words):
            view(encoder=encoder)
    with pytest.raises(ConfigError, match="min_side must be <= max_side"):
        view(ocr={"min_side": 500, "max_side": 400})
    assert lettering.LetteringOptions().encoder.view == "language_model"


def test_token_states_of_lettering(posters: list[Poster], store: FeatureStore) -> None:
    seen = view(encoder={"view": "language_model_states", "layers": 1, "precision": "float32"})
    rows = seen.transform(seen.extract(posters, store))
    present = (rows != 0).any(axis=2).sum(axis=1)
    assert rows.dtype == np.float16 and rows.shape[::2] == (5, 384)
    assert present.tolist() == [5, 0, 0, 0, 3]  # the words with begin and end; nothing where nothing was read
    same = seen.transform(seen.extract(posters[:1] * 2, store))  # all of one length
    np.testing.assert_array_equal(same, rows[[0, 0], :5])
    origin = seen.origin()
    assert origin is not None and (origin["view"], origin["layers"]) == ("language_model_states", 1)
    assert view().origin() is None


TITLED = [
    line("KEVIN COSTNER", 0.3, 0.05, 0.03),
    line("HOMEALONE", 0.2, 0.6, 0.14),
    line("a filmby someone", 0.3, 0.9, 0.02),
]


def test_a_wording_tells_the_title_from_the_rest() -> None:
    built = view(text="A movie called {title}. {rest}", parted=True)
    assert built.text(TITLED) == "A movie called home alone. kevin costner a film by someone"
    assert view(text="{title}").text(TITLED) == "homealone"
    assert built.text(TITLED[1:2]) == "A movie called home alone."


def test_without_lettering_there_is_no_wording_either() -> None:
    assert view(text="A movie called {title}. {rest}").text([]) == ""
    assert view(text="A movie called {title}.").text([line("dim", 0.1, 0.1, confidence=0.1)]) == ""


@pytest.mark.parametrize("text", ["a movie", "{name}", "{title", "{}"])
def test_a_wording_without_known_places_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="text"):
        view(text=text)


def test_a_second_look_is_kept_apart_and_merged(posters: list[Poster], tmp_path: Path) -> None:
    store = FeatureStore(tmp_path)
    twice = view(looks=["as_is", "local"])
    lines = twice.lines(posters[:2], store)
    assert [found.text.lower() for found in lines[0]] == ["shark", "summer", "terror"] and lines[1] == []
    assert len(list(tmp_path.glob("lettering-*.sqlite"))) == 2


def test_a_second_look_reads_only_what_the_first_is_not_sure_of(posters: list[Poster], tmp_path: Path) -> None:
    first, again = OcrOptions(), OcrOptions(contrast="local")
    lines = read_lettering(posters[:1], FeatureStore(tmp_path / "a"))[0]
    taken = [found for found in lines if found.text == "SHARK"]
    seen = ocr.read_again(posters[:1], FeatureStore(tmp_path / "b"), again, first, [taken], "rule")[0]
    assert sorted(found.text.lower() for found in seen) == ["summer", "terror"]
    other = ocr.read_again(posters[:1], FeatureStore(tmp_path / "b"), again, first, [lines], "another rule")[0]
    assert other == []  # a key of its own
    keys = {entry.fingerprint for entry in FeatureStore(tmp_path / "b").info()}
    assert len(keys) == 2 and FeatureStore(tmp_path / "a").info()[0].fingerprint not in keys
