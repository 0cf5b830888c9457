from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cinealign.errors import ModelError
from cinealign.views.intro.word_files import vector_width, word_vectors
from cinealign.views.intro.word_vectors import WordVectorsView
from cinealign.views.registry import VIEWS
from cinealign.views.store import FeatureStore

VECTORS = {"the": (1, 0, 0), "shark": (0, 2, 0), "Boat": (0, 0, 4), "new york": (5, 5, 5)}


def write(path: Path, *, header: bool) -> str:
    lines = [" ".join([word, *map(str, numbers)]) for word, numbers in VECTORS.items()]
    path.write_text("\n".join(([f"{len(VECTORS)} 3"] if header else []) + lines) + "\n", encoding="utf-8")
    return str(path)


def write_binary(path: Path) -> str:
    body = b"".join(
        word.replace(" ", "_").encode() + b" " + struct.pack("<3f", *n) + b"\n" for word, n in VECTORS.items()
    )
    path.write_bytes(f"{len(VECTORS)} 3\n".encode() + body)
    return str(path)


def view(**options: Any) -> WordVectorsView:
    built = VIEWS.build("word_vectors", options)
    assert isinstance(built, WordVectorsView)
    return built


def test_files_of_every_form(tmp_path: Path) -> None:
    sources = [
        write(tmp_path / "glove.txt", header=False),
        write(tmp_path / "fast.vec", header=True),
        write_binary(tmp_path / "word2vec.bin"),
    ]
    for source in sources:
        found = word_vectors(source, ["shark", "boat", "lawyer"])
        assert found.matrix.tolist() == [[0, 2, 0], [0, 0, 4], [0, 0, 0]], source
        assert found.known.tolist() == [True, True, False]
        assert vector_width(source) == 3


def test_the_exact_word_wins(tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_text("Rose 1 1\nROSE 2 2\nrose 3 3\nROse 4 4\n")
    assert word_vectors(str(tmp_path / "v.txt"), ["rose", "ROSE"]).matrix.tolist() == [[3, 3], [2, 2]]


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("v.txt", "the 1 2\nshark 1\n", "line 2 has not one word and 2 numbers"),
        ("v.txt", "the 1 2\nshark 1 nan\n", "'shark' are not 2 finite ones"),
        ("v.txt", "the\n", "neither two counts nor a word"),
        ("v.bin", "2 3\nthe 123456789012", "ends or goes astray"),
        pytest.param("v.bin", f"{'9' * 5001} 1\nthe 1234\n", "ends or goes astray", id="more words than int() reads"),
        ("v.bin", "1 1\nthe 1234\nshark 1234\n", "goes on after the 1 words of its first line"),
    ],
)
def test_strange_files(tmp_path: Path, name: str, content: str, match: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(ModelError, match=match):
        word_vectors(str(tmp_path / name), ["shark"])


def test_a_missing_file() -> None:
    with pytest.raises(ModelError, match=r"no/such\.vec are not on this machine; give 'wordllama' or the path"):
        word_vectors("no/such.vec", ["shark"])


def test_wordllama_knows_meanings() -> None:
    rows = word_vectors("wordllama", ["shark", "whale", "lawyer"]).matrix
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    cosine = rows @ rows.T
    assert rows.shape == (3, 256) and cosine[0, 1] > cosine[0, 2] + 0.1


def test_mean_and_sif_by_hand(tmp_path: Path) -> None:
    source, store = write(tmp_path / "v.txt", header=False), FeatureStore(tmp_path)
    texts = ["the shark", "the the boat", "lawyer"]
    plain = view(vectors=source, weighting="mean")
    extracted = plain.extract(texts, store)
    np.testing.assert_allclose(plain.fit(extracted).transform(extracted), [[0.5, 1, 0], [2 / 3, 0, 4 / 3], [0, 0, 0]])
    sif = view(vectors=source, smoothing=0.2, remove_common=False).fit(extracted)
    the, shark = 0.2 / (0.2 + 3 / 5), 0.2 / (0.2 + 1 / 5)
    np.testing.assert_allclose(sif.transform(extracted)[0], [the / 2, shark, 0], rtol=1e-6)
    new = sif.extract(["shark"], store)
    np.testing.assert_array_equal(sif.load_state(sif.state()).transform(new), sif.transform(new))


def test_the_common_direction_is_taken_away(tmp_path: Path) -> None:
    source, store = write(tmp_path / "v.txt", header=False), FeatureStore(tmp_path)
    sif = view(vectors=source)
    train = sif.fit(sif.extract(["the shark", "the boat", "the"], store))
    common = sif.state().arrays["common"]
    assert np.linalg.norm(common) == pytest.approx(1)
    held_out = train.transform(train.extract(["shark boat boat", "lawyer"], store))
    np.testing.assert_allclose(held_out @ common, 0, atol=1e-6)
    assert view(vectors=source).extract([], store) == []
