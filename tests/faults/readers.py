"""Every reader of foreign bytes, each with sound files to begin with and what is read of them.

A reader is given a folder of its own, whose files `make` has written; of one file at a time the bytes are changed. Where files
have nothing to do with each other, that file alone is read.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import pickle
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, is_dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast, get_args, get_origin, get_type_hints

import nbformat
import numpy as np
import pandas as pd
import torch
from PIL import Image
from scipy.io import savemat

from cinealign.analysis.analyse import FORMAT, Analysis
from cinealign.analysis.numbers import Numbers
from cinealign.cli.runs import show
from cinealign.data.catalogue import Catalogue
from cinealign.data.download import metadata
from cinealign.data.download.archive import read_archive
from cinealign.data.download.keyed import _record
from cinealign.data.download.web import RefusedError, UnavailableError
from cinealign.data.importing.open_source import open_source
from cinealign.data.importing.pictures import READABLE, fit_picture
from cinealign.data.importing.plan import ImportOptions, plan_import
from cinealign.data.one_side import read_texts
from cinealign.data.posters import decode_poster
from cinealign.data.ratings import read_ratings
from cinealign.data.split.train_file import read_train_file
from cinealign.distance.files import load_distances
from cinealign.errors import CineAlignError
from cinealign.experts.base import TrainingSet
from cinealign.grading.notebooks import passages
from cinealign.grading.recognition import claimed, recognise
from cinealign.grading.unpacking import Limits, unpack
from cinealign.grading.vectors import distances_of, holds_vectors
from cinealign.plain_json import to_json
from cinealign.recipe import Recipe
from cinealign.report.own_words import read_own_words
from cinealign.run import Run
from cinealign.search.answer import Answer
from cinealign.search.check import check_index
from cinealign.search.index import Index
from cinealign.state import State
from cinealign.studies import compare, tune
from cinealign.studies.space import Space
from cinealign.views.intro.word_files import vector_width, word_vectors
from cinealign.views.store import FeatureStore
from tests.data.download.server import archive
from tests.data.folders import make_folder
from tests.data.importing.tables import picture
from tests.search.encoders import WordEncoder
from tests.search.folders import words_of, write_index

Read = Callable[[Path, Path], Any]
"""Reads what lies in a folder, in which one file was changed."""


@dataclass(frozen=True)
class Reader:
    """One reader: what it reads, and how files that it likes are made (`run` is a finished run)."""

    make: Callable[[Path, Path], None]
    read: Read
    files: str = "*"
    """The files to change, as a pattern below the folder."""
    share: int = 1
    """How many of a thousand inputs of a long run it is given: more where an input takes little time."""


def _catalogue(home: Path, run: Path) -> None:
    make_folder(home / "data", ids=(10, 20, 30, 40, 50, 60), train="0\n2\n3\n")
    lines = [f"{user},{movie},{user % 5 + 1},0" for user in range(4) for movie in (10, 20, 30)]
    (home / "data" / "ratings.csv").write_text("\n".join(["user_id,movie_id,rating,timestamp", *lines]) + "\n")


def _read_catalogue(home: Path, file: Path) -> Any:
    catalogue = Catalogue.load(home / "data", missing_intro="drop")
    assert len(catalogue) == len(catalogue.intros) == len(set(catalogue.ids.tolist()))
    assert len(catalogue.train_rows) + len(catalogue.held_out_rows) == len(catalogue)
    read_ratings(catalogue)
    return catalogue.report.lines()


def _movies_csv(home: Path, run: Path) -> None:
    make_folder(home / "data", ids=(10, 20, 30, 40))
    (home / "data" / "info.csv").unlink()
    lines = [f'{i},"Movie, The {i} (1990)",Drama|Crime' for i in (10, 20, 30, 40)]
    (home / "data" / "movies.csv").write_text("\n".join(["movieId,title,genres", *lines]) + "\n")
    texts = [f'{i},"Intro of movie {i}."' for i in (10, 20, 30, 40)]
    (home / "data" / "intros.csv").write_text("\n".join(["movieId,intro", *texts]) + "\n")


def _train(home: Path, run: Path) -> None:
    (home / "train.txt").write_text("0\n2\n3\n\n7\n")


def _posters(home: Path, run: Path) -> None:
    image = Image.linear_gradient("L").resize((18, 26)).convert("RGB")
    for suffix, kind in (
        ("jpg", "JPEG"),
        ("png", "PNG"),
        ("webp", "WEBP"),
        ("gif", "GIF"),
        ("bmp", "BMP"),
        ("tif", "TIFF"),
    ):
        image.save(home / f"p.{suffix}", kind)
    image.save(
        home / "progressive.jpg",
        progressive=True,
        exif=b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0",
    )
    image.convert("P").save(home / "palette.png", transparency=3)
    image.save(home / "lzw.tif", compression="tiff_lzw")


def _read_poster(home: Path, file: Path) -> Any:
    content = file.read_bytes()
    for read in (
        lambda: decode_poster(file.name, content, READABLE),
        lambda: fit_picture(file.name, content, 20),
    ):
        try:
            read()
        except CineAlignError as error:
            told(error)


def told(error: CineAlignError) -> None:
    """A refusal is one line that a terminal shows."""
    assert str(error) and str(error).isprintable(), repr(error)


def _tables(home: Path, run: Path) -> None:
    rows = [
        {"id": i, "image": f"p{i}.png", "text": f"A story of {i}, told\nin two lines.", "genre": "a|b"}
        for i in range(4)
    ]
    frame = pd.DataFrame(rows)
    frame.to_csv(home / "t.csv", index=False)
    frame.to_csv(home / "t.tsv", index=False, sep="\t")
    frame.to_json(home / "t.jsonl", orient="records", lines=True)
    frame.to_json(home / "t.json", orient="records")
    frame.to_parquet(home / "t.parquet")
    frame.to_excel(home / "t.xlsx", index=False)
    for i in range(4):
        picture("red", (3 + i, 5)).save(home / f"p{i}.png")


def _read_table(home: Path, file: Path) -> Any:
    list(open_source(file).rows())
    return plan_import(file, ImportOptions(columns={"text": "text", "id": "id", "image": "image"}))


def _texts(home: Path, run: Path) -> None:
    (home / "texts.txt").write_text("One text.\nAnother one.\n")
    (home / "table.csv").write_text("id,text\n1,One text\n2,Another one\n")


def _read_texts(home: Path, file: Path) -> Any:
    return read_texts(file, "text" if file.suffix == ".csv" else None)


_D = np.random.default_rng(0).random((6, 6)) + 0.25


def _matrices(home: Path, run: Path) -> None:
    D = _D
    np.save(home / "D.npy", D)
    np.savez_compressed(home / "D.npz", D=D)
    np.savetxt(home / "D.csv", D, delimiter=",")
    State({"D": D}).save(home / "D.safetensors")
    labelled = pd.DataFrame(D, index=range(10, 16), columns=[f"{one}" for one in range(10, 16)])
    labelled.to_csv(home / "labelled.csv", sep=";")
    labelled.to_parquet(home / "D.parquet")
    labelled.reset_index().to_feather(home / "D.feather")
    torch.save({"D": torch.from_numpy(D)}, home / "D.pt")
    savemat(home / "D.mat", {"D": D})
    savemat(home / "compressed.mat", {"D": D}, do_compression=True)


def _read_matrices(home: Path, file: Path) -> Any:
    found = load_distances(file)
    assert found.ndim == 2 and found.shape[0] == found.shape[1] and not np.isnan(found).any()
    if file.suffix == ".npz":  # a zip file keeps a sum of what is in it
        assert np.array_equal(found, _D), "other values than were written"


def _recipes(home: Path, run: Path) -> None:
    shutil.copy(run / "recipe.yaml", home / "recipe.yaml")
    (home / "space.yaml").write_text(
        "align.0.ridge: {float: [0.5, 5], log: true}\nalign.0.dimensions: {int: [8, 32]}\n"
    )


def _read_recipes(home: Path, file: Path) -> Any:
    return Recipe.load(file) if file.name == "recipe.yaml" else Space.load(file, _CCA)


def _run(home: Path, run: Path) -> None:
    shutil.copytree(run, home / "run")


def _read_run(home: Path, file: Path) -> Any:
    """All that commands read of a run, each by itself, as one of them may be refused."""
    for read in (
        lambda run: run.recipe,
        lambda run: (run.ids, run.train_rows, run.catalogue["report"]),
        lambda run: run.distances(),
        lambda run: run.history,
        lambda run: run.data_folder,
        lambda run: run.width,
    ):
        try:
            read(Run(home / "run"))
        except CineAlignError as error:
            told(error)
    if file.suffix != ".safetensors":
        show(home / "run")


def _model(home: Path, run: Path) -> None:
    shutil.copytree(run / "model", home / "run" / "model")
    for name in ("metrics.json", "vectors.safetensors"):
        shutil.copy(run / name, home / "run" / name)


def _read_model(home: Path, file: Path) -> Any:
    rows = Run(home / "run").encoder().encode_intros(["A sailor finds a letter in a bottle on the beach."])
    assert np.isfinite(rows).all(), "no numbers"


def _index(home: Path, run: Path) -> None:
    write_index(home / "index", 30)
    (home / "sums.json").write_text(json.dumps(_sums(home / "index")))


def _read_index(home: Path, file: Path) -> Any:
    for read in (
        lambda index: _plausible(index.search(text=words_of(3), limit=5)),
        lambda index: index.search(like="3", where={"genre": "Drama"}),
        lambda index: _whole(index, home),
        lambda index: (index.card, index.metrics, index.recipe),
    ):
        try:
            read(Index.open(home / "index", encoder=WordEncoder()))
        except CineAlignError as error:
            told(error)


def _plausible(answer: Answer) -> None:
    assert all(abs(hit.score) <= 1.01 for hit in answer), "a score that no two vectors have"


def _whole(index: Index, home: Path) -> None:
    """What `index check` calls whole is what was written."""
    if all(check.passed for check in check_index(index, encode=False)):
        assert _sums(home / "index") == json.loads((home / "sums.json").read_text()), "a change that no check has seen"


def _sums(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _archives(home: Path, run: Path) -> None:
    (home / "ml-1m.zip").write_bytes(archive({1: "One (1990)", 2: "Two (1991)"}))


def _read_archive(home: Path, file: Path) -> Any:
    found = read_archive(file.read_bytes())
    assert [movie.title for movie in found.movies] == ["One (1990)", "Two (1991)"], "other movies than were packed"


def _records(home: Path, run: Path) -> None:
    facts = {"Title": "One", "Plot": "A plot.", "Poster": "http://h/1.jpg", "Genre": "A, B", "Released": "22 Nov 1995"}
    (home / "metadata.pkl").write_bytes(pickle.dumps([((1, "One", "0000001"), facts)] * 3))
    (home / "links.csv").write_text('movie_id,title,imdbId,tmdbId\n1,"One",0000001,1001\n')
    (home / "posters.csv").write_text("1,http://h/1.jpg\n2,http://h/2.jpg\n")
    (home / "omdb.json").write_text(json.dumps(facts))


def _read_records(home: Path, file: Path) -> Any:
    read: dict[str, Callable[[bytes], Any]] = {
        "metadata.pkl": metadata.read_records,
        "links.csv": metadata.read_links,
        "posters.csv": metadata.read_poster_addresses,
        "omdb.json": lambda content: _record(content.decode("utf-8", "replace")),
    }
    try:
        return read[file.name](file.read_bytes())
    except (RefusedError, UnavailableError) as error:  # said of one item, in a table of what is missing
        assert error.reason


def _notebook() -> str:
    own = nbformat.v4.new_markdown_cell(
        "**My analysis** ...\nLong words.", metadata={"tags": ["own-words"], "question": "relation"}
    )
    code = nbformat.v4.new_code_cell("print(0.61)", outputs=[nbformat.v4.new_output("stream", text="top-5 %: 0.61\n")])
    return str(nbformat.writes(nbformat.v4.new_notebook(cells=[own, code])))


def _submissions(home: Path, run: Path) -> None:
    (home / "n.ipynb").write_text(_notebook())
    with zipfile.ZipFile(home / "42.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("42/n.ipynb", _notebook())
        matrix = io.BytesIO()
        np.save(matrix, np.eye(5))
        packed.writestr("42/D.npy", matrix.getvalue())
        packed.writestr("../outside.txt", "x")
    unit = np.eye(5, dtype=np.float32)
    np.savez(home / "vectors.npz", poster=unit, intro=unit)


def _read_submissions(home: Path, file: Path) -> Any:
    reads: dict[str, tuple[Callable[[Path], Any], ...]] = {
        ".ipynb": (passages, claimed, read_own_words),
        ".zip": (read_own_words, lambda packed: _unpacked(packed, home / "unpacked")),
        ".npz": (lambda vectors: holds_vectors(vectors) and distances_of((vectors,), range(5)),),
    }
    for read in reads[file.suffix]:
        try:
            read(file)
        except CineAlignError as error:
            told(error)


def _unpacked(packed: Path, folder: Path) -> Any:
    folder.mkdir()
    try:
        unpack(packed, folder, Limits(size=10_000_000))
        return recognise(folder)
    finally:
        shutil.rmtree(folder)


def _words(home: Path, run: Path) -> None:
    (home / "v.txt").write_text("the 0.1 0.2 0.3\nsea 1 2 3\nThe 4 5 6\n")
    (home / "v.vec").write_text("2 3\nthe 0.1 0.2 0.3\nsea 1 2 3\n")
    values = np.arange(3, dtype="<f4").tobytes()
    (home / "v.bin").write_bytes(b"2 3\nthe " + values + b"\nsea " + values + b"\n")


def _read_words(home: Path, file: Path) -> Any:
    found = word_vectors(str(file), ["the", "sea", "land"])
    assert found.matrix.shape == (3, vector_width(str(file)))


def _store(home: Path, run: Path) -> None:
    store = FeatureStore(home)
    store.arrays("view", {"a": 1}, ["d1", "d2"], lambda at: np.ones((len(at), 4), np.float32))
    store.records("view", {"b": 1}, ["d1", "d2"], lambda at: [{"text": "x"} for _ in at])
    store.sequences("view", {"c": 1}, ["d1", "d2"], lambda at: [np.ones((2, 4), np.float32) for _ in at])


def _read_store(home: Path, file: Path) -> Any:
    store = FeatureStore(home)
    store.info()
    try:
        store.rate("view", {"a": 1})
    except CineAlignError as error:
        told(error)
    ones, record, digests = np.ones((2, 4), np.float32), {"text": "x"}, ["d1", "d2"]
    reads: tuple[tuple[Callable[[], Any], Any], ...] = (
        (lambda: store.arrays("view", {"a": 1}, digests, lambda at: ones[at]).tolist(), ones.tolist()),
        (lambda: store.records("view", {"b": 1}, digests, lambda at: [record for _ in at]), [record] * 2),
        (
            lambda: [
                rows.tolist() for rows in store.sequences("view", {"c": 1}, digests, lambda at: [ones for _ in at])
            ],
            [ones.tolist()] * 2,
        ),
    )
    for read, kept in reads:
        try:
            assert read() == kept, "another value than was kept"
        except CineAlignError as error:
            told(error)


def _analysis(home: Path, run: Path) -> None:
    numbers = replace(_smallest(Numbers), format=FORMAT)
    (home / "analysis.json").write_text(json.dumps(to_json(numbers)))


def _smallest(kind: Any) -> Any:
    """A value of a type that analysis.json holds, with one entry in each list and mapping."""
    inner = get_args(kind)
    if get_origin(kind) in (list, dict):
        return [_smallest(inner[0])] if get_origin(kind) is list else {"a": _smallest(inner[1])}
    if inner:  # the first of several, or of several words
        return inner[0] if isinstance(inner[0], str) else _smallest(inner[0])
    if is_dataclass(kind):
        return kind(**{name: _smallest(field) for name, field in get_type_hints(kind).items()})
    return kind(1)


def _study(home: Path, run: Path) -> None:
    with _SILENT(io.StringIO()):
        study = tune._open(home, *_STUDY, seed=0)
        study.set_user_attr("given", [0.4, 0.5])
        for score in (0.3, 0.6, 0.5):
            trial = study.ask()
            for path, axis in _STUDY[1].axes.items():
                axis.suggest(trial, path)
            trial.report(score, 0)
            study.tell(trial, score)


def _read_study(home: Path, file: Path) -> Any:
    with _SILENT(io.StringIO()), tune._sound(home / "study.db"):
        study = tune._open(home, *_STUDY, seed=0)
        return [trial.params for trial in tune._ended(study)], study.user_attrs


_SILENT = contextlib.redirect_stderr
_CCA = Recipe.load("cca")
_STUDY = (_CCA, Space.default(_CCA), TrainingSet({"look": np.eye(30)}, {"text": np.eye(30)}, 30))


def _compared(home: Path, run: Path) -> None:
    folder = home / "compared" / "seed-0"
    shutil.copytree(run, folder)
    (home / "compared" / "seed-0.json").write_text(json.dumps({"seconds": 1.5, "fit_seconds": 1.0, "store": "warm"}))
    shutil.copy(run / "recipe.yaml", home / "given.yaml")
    shutil.copy(run / "catalogue.json", home / "data.json")


def _read_compared(home: Path, file: Path) -> Any:
    """What a comparison reads of a run that it finds finished."""
    folder, recipe = home / "compared" / "seed-0", Recipe.load(home / "given.yaml")
    data = SimpleNamespace(digest=json.loads((home / "data.json").read_text())["digest"])
    for read in (
        lambda: compare._finished(folder, recipe, cast(Catalogue, data), False),
        lambda: compare._cost(folder),
        lambda: compare.learned_numbers(folder / "model"),
        lambda: compare._ranks(Run(folder)),
    ):
        try:
            read()
        except CineAlignError as error:
            told(error)


READERS: dict[str, Reader] = {
    "data folder": Reader(_catalogue, _read_catalogue, "data/**/*", share=4),
    "data folder with movies.csv": Reader(_movies_csv, _read_catalogue, "data/**/*", share=6),
    "train.txt": Reader(_train, lambda home, file: read_train_file(file), share=130),
    "posters": Reader(_posters, _read_poster, share=120),
    "tables to import": Reader(_tables, _read_table, "t.*", share=5),
    "texts to encode": Reader(_texts, _read_texts, share=110),
    "D files": Reader(_matrices, _read_matrices, share=80),
    "recipes and spaces": Reader(_recipes, _read_recipes, share=4),
    "run directories": Reader(_run, _read_run, "run/*.*", share=3),
    "saved models": Reader(_model, _read_model, "run/model/*", share=3),
    "indexes": Reader(_index, _read_index, "index/**/*", share=5),
    "ml-1m.zip": Reader(_archives, _read_archive, share=171),
    "answers of services": Reader(_records, _read_records, share=130),
    "submissions": Reader(_submissions, _read_submissions, share=25),
    "word vectors": Reader(_words, _read_words, share=120),
    "feature store": Reader(_store, _read_store, "*.*", share=20),
    "analyses": Reader(_analysis, lambda home, file: Analysis.load(home), share=60),
    "studies": Reader(_study, _read_study, "study.db", share=1),
    "runs of a comparison": Reader(_compared, _read_compared, "compared/**/*", share=3),
}
