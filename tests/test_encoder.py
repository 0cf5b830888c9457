"""The warm model: the run's own vectors, for one item or many, in any thread, with nothing left behind."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cinealign.data.catalogue import Catalogue
from cinealign.data.posters import Poster, open_poster
from cinealign.encoder import Encoder
from cinealign.errors import ConfigError, DataError, ModelError
from cinealign.model import AlignmentModel
from cinealign.run import Run
from cinealign.views.memory_store import MemoryStore
from tests.views.drawn import draw_poster

CHEAPLY = 1e-5


def fresh(run: Run, **more: Any) -> Encoder:
    """An encoder of a model of its own: nothing of it is warm."""
    return Encoder(AlignmentModel.load(run.folder / "model"), **more)


def test_it_gives_the_vectors_of_the_run(finished: Run, sample: Catalogue) -> None:
    encoder, (poster, intro) = Run(str(finished.folder)).encoder(), finished.vectors
    assert np.abs(encoder.encode_posters(sample.posters[:9], batch_size=4) - poster[:9]).max() < CHEAPLY
    assert np.abs(encoder.encode_intros(sample.intros[:9], batch_size=4) - intro[:9]).max() < CHEAPLY
    assert encoder.width == poster.shape[1] and encoder.encode_intros(["x"]).dtype == np.float32
    assert finished.encoder() is finished.encoder(), "a second call would load the model again"


def test_one_text_is_one_text(finished: Run) -> None:
    encoder = finished.encoder()
    one = encoder.encode_intros("a boy and his dog")
    assert one.shape == (1, encoder.width)
    assert (encoder.encode_intros(text for text in ["a boy and his dog"]) == one).all()


def test_a_text_is_cleaned_as_the_catalogue_cleans_it(finished: Run, sample: Catalogue) -> None:
    encoder, intro = fresh(finished), sample.intros[3]
    raw = "  <p>" + intro.replace("a", "&#97;", 3).replace(" ", " \n ") + "</p>\u00ad"
    assert (encoder.encode_intros(raw) == encoder.encode_intros(intro)).all()


def test_a_poster_of_anything(finished: Run, sample: Catalogue) -> None:
    encoder, poster = fresh(finished), sample.posters[0]
    assert poster.path is not None
    picture = open_poster(poster)
    expected = encoder.encode_posters(poster)
    assert expected.shape == (1, encoder.width)
    for source in (poster.path, str(poster.path), poster.path.read_bytes(), picture, np.asarray(picture)):
        assert np.abs(encoder.encode_posters(source) - expected).max() < CHEAPLY  # type: ignore[arg-type]
    many = [poster, picture], (each for each in (poster, picture)), np.stack([np.asarray(picture)] * 2)
    for sources in many:
        assert encoder.encode_posters(sources).shape == (2, encoder.width)  # type: ignore[arg-type]


def test_nothing_in_nothing_out(finished: Run) -> None:
    encoder = finished.encoder()
    for found in (encoder.encode_posters([]), encoder.encode_intros([]), encoder.encode_intros(iter(()))):
        assert found.shape == (0, encoder.width) and found.dtype == np.float32
    assert encoder.encode_posters([], normalised=True).shape == (0, encoder.width + 2)
    assert fresh(finished).width == encoder.width, "without the run's file it is seen from a vector"


def test_what_is_refused(finished: Run, tmp_path: Path) -> None:
    encoder = finished.encoder()
    with pytest.raises(DataError, match=r"texts\[1\] must be a text, got float"):
        encoder.encode_intros(["a", 2.5])  # type: ignore[list-item]
    with pytest.raises(DataError, match="poster given as bytes is not a JPEG"):
        encoder.encode_posters(b"no picture")
    with pytest.raises(DataError, match=r"poster gone\.jpg cannot be read"):
        encoder.encode_posters([tmp_path / "gone.jpg"])
    with pytest.raises(DataError, match="a poster is a path"):
        encoder.encode_posters(7)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="batch_size must be >= 1, got 0"):
        encoder.encode_intros(["a"], batch_size=0)
    with pytest.raises(ConfigError, match="side must be one of: poster, intro, got 'title'"):
        encoder.warm("title")  # type: ignore[arg-type]


def test_threads_get_what_one_gets(finished: Run, sample: Catalogue) -> None:
    serial, shared = fresh(finished), fresh(finished)
    posters, texts = sample.posters[:12], sample.intros[:12]
    expected = [*map(serial.encode_posters, posters), *map(serial.encode_intros, texts)]
    start = threading.Barrier(4)

    def ask(part: int) -> list[tuple[int, Any]]:
        start.wait()  # all on a cold encoder at once
        mine = range(part, 12, 4)
        return [
            *((at, shared.encode_posters(posters[at])) for at in mine),
            *((12 + at, shared.encode_intros(texts[at])) for at in mine),
        ]

    with ThreadPoolExecutor(4) as pool:
        found = dict(pair for answers in pool.map(ask, range(4)) for pair in answers)
    for at, vector in enumerate(expected):
        assert np.abs(found[at] - vector).max() < CHEAPLY, at


def test_a_side_is_made_ready_once(finished: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder, before_first = fresh(finished), []
    encode: Callable[..., Any] = AlignmentModel.encode_intros
    first = threading.Event()

    def watched(self: AlignmentModel, *given: Any) -> Any:
        if not first.is_set():
            before_first.append(given)
            threading.Event().wait(0.2)  # the others arrive meanwhile
        found = encode(self, *given)
        first.set()
        return found

    monkeypatch.setattr(AlignmentModel, "encode_intros", watched)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(encoder.encode_intros, ["a", "b", "c"]))
    assert len(before_first) == 1, "several threads loaded and compiled at the same time"
    calls: list[Any] = []
    monkeypatch.setattr(AlignmentModel, "encode_intros", lambda *given: calls.append(given))
    encoder.warm("intro")
    assert not calls, "it was warm"


def test_nothing_is_written(
    finished: Run, sample: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CINEALIGN_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    encoder = fresh(finished)
    encoder.encode_posters(sample.posters[:3])
    encoder.encode_intros("a boy and his dog")
    assert not list(tmp_path.iterdir())
    assert capfd.readouterr() == ("", "")
    encoder.encode_intros(sample.intros[:4], progress=True)
    assert "intros 4 of 4" in capfd.readouterr().err


def test_a_second_look_is_remembered(finished: Run, sample: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = fresh(finished)
    encoder.encode_posters(sample.posters[:2])
    kept = len(encoder._store)
    encoder.encode_posters(sample.posters[:2])
    assert len(encoder._store) == kept > 0  # type: ignore[arg-type]
    small = fresh(finished, memory=0)
    small.encode_posters(sample.posters[:2])
    assert len(small._store) == 0, "no room, no memory"


def test_views_share_one_reading(lettered: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    through, read = MemoryStore._through, []

    def watched(self: MemoryStore, view: str, settings: Any, digests: Any, compute: Any, batch_size: int) -> Any:
        def counted(rows: list[int]) -> Any:
            read.extend((view, digests[row]) for row in rows)
            return compute(rows)

        return through(self, view, settings, digests, counted, batch_size)

    monkeypatch.setattr(MemoryStore, "_through", watched)
    poster = draw_poster(tmp_path / "7.png", ("HEAT", 20, 60, 50))
    opened: list[Poster] = []
    monkeypatch.setattr("cinealign.encoder.open_poster", lambda one: opened.append(one) or open_poster(one))
    found = fresh(lettered).encode_posters(poster.path)
    assert np.isfinite(found).all() and len(opened) == 1
    assert read.count(("lettering", poster.digest)) == 1, "two views read it"


def test_unit_rows_rank_as_the_run_does(finished: Run, sample: Catalogue) -> None:
    encoder = finished.encoder()
    posters, intros = sample.posters[:8], sample.intros[:8]
    P, Q = (encoder.encode_posters(posters, normalised=True), encoder.encode_intros(intros, normalised=True))
    np.testing.assert_allclose(np.linalg.norm(P, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(Q, axis=1), 1, atol=1e-6)
    products = encoder.encode_posters(posters) @ encoder.encode_intros(intros).T
    np.testing.assert_allclose(P @ Q.T, products / finished.model.distance.longest() ** 2, atol=1e-6)
    with pytest.raises(ModelError, match=r"a vector has length 3\.0000 and distance 'cosine'"):
        encoder.unit_rows(np.full((1, 9), 1, dtype=np.float32), "poster")


def test_a_picture_cut_short_leaves_the_encoder_whole(finished: Run, sample: Catalogue) -> None:
    encoder, buffer = fresh(finished), io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 48, 3), dtype=np.uint8)).save(buffer, "PNG")
    with pytest.raises(DataError, match="poster given as bytes is damaged"):
        encoder.encode_posters(buffer.getvalue()[:2000])
    assert encoder.encode_posters(sample.posters[0]).shape == (1, encoder.width)
