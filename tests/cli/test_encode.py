"""`cinealign encode`: one side or both in, a file of vectors out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cinealign.cli.app import main
from cinealign.data.catalogue import Catalogue
from cinealign.run import Run
from cinealign.vector_files import Named, save_vectors


def command(*arguments: object) -> int:
    with pytest.raises(SystemExit) as stopped:
        main(["encode", *map(str, arguments)])
    return int(stopped.value.code or 0)


@pytest.fixture
def texts(tmp_path: Path, sample: Catalogue) -> Path:
    path = tmp_path / "texts.txt"
    path.write_text("\n".join([sample.intros[0], "", sample.intros[1]]) + "\n", encoding="utf-8")
    return path


def test_both_sides(
    finished: Run, sample: Catalogue, tmp_path: Path, texts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "vectors.npz"
    folder = sample.folder / "poster"
    assert command(finished.folder, "--images", folder, "--texts", texts, "--out", out) == 0
    assert capsys.readouterr().out == f"{out}: vectors of 240 posters and 2 intros, {finished.width} numbers each\n"
    with np.load(out, allow_pickle=False) as found:
        row_of = {movie.poster.path.name: row for row, movie in enumerate(sample.movies) if movie.poster.path}
        rows = [row_of[name] for name in found["poster_names"]]
        assert np.abs(found["poster"] - finished.vectors[0][rows]).max() < 1e-5
        assert found["intro_names"].tolist() == ["1", "3"]
        assert np.abs(found["intro"] - finished.vectors[1][:2]).max() < 1e-5
        assert json.loads(str(found["facts"])) == {
            "recipe": "cheap",
            "distance": {"distance": "cosine"},
            "normalised": False,
        }
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")], "a half-made file was left"


def test_texts_alone_as_parquet(finished: Run, sample: Catalogue, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    (tmp_path / "table.csv").write_text('id,mine\nx7,"A shark, hungry"\nx8,A heist\n')
    out = tmp_path / "vectors.parquet"
    assert command(finished.folder, "--texts", tmp_path / "table.csv", "--column", "mine", "--out", out) == 0
    rows = parquet.read_table(out).to_pylist()
    assert [(row["side"], row["name"], len(row["vector"])) for row in rows] == [
        ("intro", "x7", finished.width),
        ("intro", "x8", finished.width),
    ]
    expected = finished.encoder().encode_intros(["A shark, hungry", "A heist"])
    assert np.abs(np.array([row["vector"] for row in rows]) - expected).max() < 1e-5


def test_pictures_alone_as_safetensors(finished: Run, sample: Catalogue, tmp_path: Path) -> None:
    from safetensors import safe_open

    out, paths = tmp_path / "vectors.safetensors", [poster.path for poster in sample.posters[:2]]
    given = [part for path in paths for part in ("--images", path)]
    assert command(finished.folder, *given, "--normalised", "--out", out) == 0
    with safe_open(out, framework="numpy") as file:
        assert list(file.keys()) == ["poster"]
        vectors, names = file.get_tensor("poster"), json.loads(file.metadata()["poster_names"])
    assert names == [str(path) for path in paths] and vectors.shape == (2, finished.width + 2)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_a_folder_of_texts(finished: Run, tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    for name, text in (("b", "two"), ("a", "one")):
        (tmp_path / "texts" / f"{name}.txt").write_text(text)
    assert command(finished.folder, "--texts", tmp_path / "texts", "--out", tmp_path / "v.npz") == 0
    with np.load(tmp_path / "v.npz") as found:
        assert found["intro_names"].tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "nothing to encode: pass --images, --texts or both"),
        (["--images", "gone"], "gone does not exist; give picture files"),
        (["--images", "empty"], r"empty holds no picture (.jpg, "),
        (["--texts", "gone.txt"], "gone.txt does not exist; give a file with one text per line"),
        (["--texts", "blank.txt"], "blank.txt holds no text"),
        (
            ["--texts", "table.csv"],
            "table.csv has none of the columns intro, text, plot, overview, description; its columns are: a, b",
        ),
        (["--texts", "table.csv", "--column", "c"], "table.csv has no column 'c'; its columns are: a, b"),
        (["--texts", "blank.txt", "--column", "c"], "blank.txt is no .csv table"),
        (
            ["--texts", "blank.txt", "--out", "v.csv"],
            "--out v.csv: vectors can be saved as .npz, .parquet, .safetensors",
        ),
        (["--texts", "blank.txt", "--out", "no/v.npz"], "--out no/v.npz: no folder no; make it first"),
        (["--images", "broken.jpg"], "poster broken.jpg is not a JPEG"),
    ],
)
def test_what_is_refused_in_one_line(
    finished: Run,
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    Path("blank.txt").write_text("\n \n")
    Path("table.csv").write_text("a,b\n1,2\n")
    Path("broken.jpg").write_text("no picture")
    out = [] if "--out" in arguments else ["--out", "v.npz"]
    assert command(finished.folder, *arguments, *out) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert words in said[-1] and not Path("v.npz").exists()


def test_an_old_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path, good = tmp_path / "v.npz", Named(["a"], np.ones((1, 3), dtype=np.float32))
    save_vectors(path, {"poster": good})
    before = path.read_bytes()
    with pytest.raises(TypeError):
        save_vectors(path, {"poster": good}, {"not JSON": object()})
    with pytest.raises(AttributeError):
        save_vectors(path, {"poster": good, "intro": None})  # type: ignore[dict-item]
    assert path.read_bytes() == before and [entry.name for entry in tmp_path.iterdir()] == ["v.npz"]
