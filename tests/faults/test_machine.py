"""What the machine does to a user: no room, no right, no locks, another clock, files that change; see docs/reliability.md."""

from __future__ import annotations

import csv
import errno
import fcntl
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from safetensors.numpy import load_file

from cinealign.cli.app import main
from cinealign.data.catalogue import Catalogue
from cinealign.data.drawn.movies import draw_sample
from cinealign.data.importing.open_source import open_source
from cinealign.data.posters import open_poster
from cinealign.errors import CineAlignError, DataError
from cinealign.run import Run
from cinealign.search import index as indexes
from cinealign.search.check import check_index
from cinealign.search.index import Index
from tests.data.download.server import MovieSite
from tests.data.folders import make_folder
from tests.faults.readers import READERS
from tests.search.encoders import WordEncoder
from tests.search.folders import words_of, write_index

RECIPE: dict[str, Any] = {
    "name": "small",
    "views": {"pixels": {"view": "classical"}, "words": {"view": "tfidf", "min_df": 1}},
    "align": [{"expert": "cca", "poster": "pixels", "intro": "words", "dimensions": 8, "ridge": 3}],
    "fusion": {"folds": 2, "steps": 5},
    "evaluation": {"bootstrap": 100},
}


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    """Exit code and stderr of a command."""
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return int(ended.value.code or 0), capsys.readouterr().err


def refused(code: int, err: str, *words: str) -> None:
    """The last line says it, and there is no traceback."""
    last = err.rstrip().rpartition("\n")[2]
    assert code == 2 and "Traceback" not in err, err
    assert last.partition(":")[0] in ("Error", "DataError", "ConfigError", "ModelError")
    assert not words or any(word in last for word in words), last


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A drawn data set and a recipe."""
    place = tmp_path_factory.mktemp("machine")
    draw_sample(place / "data", movies=72, seed=1)
    (place / "small.yaml").write_text(yaml.safe_dump(RECIPE), encoding="utf-8")
    return place


@pytest.fixture
def kept(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CINEALIGN_CACHE", str(home / "store"))
    return home / "store"


def mounted(folder: Path, *options: str) -> bool:
    folder.mkdir(parents=True, exist_ok=True)
    return subprocess.run(["mount", *options, str(folder)], capture_output=True, check=False).returncode == 0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, whose size the test chooses; skipped where nothing may be mounted."""
    folder = tmp_path / "disk"
    if not mounted(folder, "-t", "tmpfs", "-o", "size=16k", "none"):
        pytest.skip("mounting is not allowed here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def grow(disk: Path, size: str) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", str(disk)], check=True)


NO_ROOM = ("No space left", "is full", "no room", "is there room", "File too large")


def test_a_run_on_a_full_disk_says_so_and_goes_on_once_there_is_room(
    home: Path, kept: Path, disk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ("run", "--recipe", home / "small.yaml", "--data", home / "data", "--out")
    assert call(capsys, *command, tmp_path / "right")[0] == 0
    for size in ("16k", "48k", "120k", "200k"):
        grow(disk, size)
        code, err = call(capsys, *command, disk / "run")
        if code == 0:
            break
        refused(code, err, *NO_ROOM)
        assert not (disk / "run").exists()
    grow(disk, "8m")
    if not (disk / "run").exists():
        assert call(capsys, *command, disk / "run")[0] == 0
    assert size != "16k"
    for name in ("metrics.json", "vectors.safetensors", "recipe.yaml", "catalogue.json", "history.jsonl"):
        assert (disk / "run" / name).read_bytes() == (tmp_path / "right" / name).read_bytes()


def test_a_full_disk_below_the_feature_store(
    home: Path, disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CINEALIGN_CACHE", str(disk / "store"))
    command = ("run", "--recipe", home / "small.yaml", "--data", home / "data", "--out", tmp_path / "run")
    for size in ("16k", "64k"):
        grow(disk, size)
        refused(*call(capsys, *command), *NO_ROOM)
    grow(disk, "8m")
    assert call(capsys, *command)[0] == 0


def writers(home: Path, out: Path) -> dict[str, tuple[object, ...]]:
    """Commands that write, each to a place below `out`."""
    run = home / "run"
    return {
        "distances": ("distances", run, "--out", out / "D.npy"),
        "distances as text": ("distances", run, "--out", out / "D.csv"),
        "import": (
            "data",
            "import",
            home / "table.csv",
            "--images",
            home / "data" / "poster",
            "--out",
            out / "imported",
            "--look",
            "0",
        ),
        "sample": ("data", "sample", out / "drawn", "--movies", "30"),
        "encode": ("encode", run, "--out", out / "v.npz", "--images", home / "data" / "poster"),
        "compare": ("compare", home / "small.yaml", "--seeds", "1", "--data", home / "data", "--out", out / "compared"),
        "tune": ("tune", home / "small.yaml", "--trials", "1", "--data", home / "data", "--out", out / "tuned"),
        "index": ("index", "make", run, "--data", home / "data", "--no-chances", "--out", out / "index"),
        "plot": ("plot", run, "--out", out / "curves.pdf"),
        "export": ("export", run, "--out", out / "v.safetensors"),
    }


@pytest.fixture
def made(home: Path, kept: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """`home` with a finished run and a table to import."""
    if not (home / "run").exists():
        assert (
            call(capsys, "run", "--recipe", home / "small.yaml", "--data", home / "data", "--out", home / "run")[0] == 0
        )
        with (home / "data" / "info.csv").open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file) if list((home / "data" / "poster").glob(f"{row['id']}.*"))]
        lines = [["id", "text"], *([row["id"], row["intro"]] for row in rows)]
        with (home / "table.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(lines)
    return home


WRITERS = list(writers(Path(), Path()))


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_below_what_is_written(
    name: str, made: Path, disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    grow(disk, "8k")
    (disk / "other").write_bytes(bytes(8192))
    refused(*call(capsys, *writers(made, disk)[name]), *NO_ROOM)
    (disk / "other").unlink()
    left = [path for path in disk.rglob("*") if path.is_file() and not path.name.endswith((".lock", ".part"))]
    finished = [
        path for path in left if path.suffix in (".npy", ".csv", ".npz", ".pdf", ".safetensors") and path.parent == disk
    ]
    assert not finished, "half a file under its final name"
    grow(disk, "20m")
    assert call(capsys, *writers(made, disk)[name])[0] == 0


@pytest.mark.parametrize("name", WRITERS)
def test_a_read_only_folder(name: str, made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "still"
    if not mounted(folder, "-t", "tmpfs", "-o", "ro", "none"):
        pytest.skip("mounting is not allowed here")
    try:
        refused(*call(capsys, *writers(made, folder)[name]), "Read-only file system")
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_download_on_a_full_disk_goes_on_once_there_is_room(disk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with MovieSite(12) as site:
        public = ["--grouplens", f"{site.base}/datasets", "--metadata", f"{site.base}/meta", "--poster-host", site.host]
        command = ["data", "download", disk / "ml", *public, "--rate", "500", "--yes", "--accept-licence"]
        for size in ("16k", "40k"):
            grow(disk, size)
            refused(*call(capsys, *command), *NO_ROOM)
        grow(disk, "8m")
        assert call(capsys, *command)[0] == 0
        assert {int(path.stem): path.read_bytes() for path in (disk / "ml" / "poster").iterdir()} == site.truth


def test_an_index_on_a_full_disk_stays_as_it_was(
    disk: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(indexes.Index, "_load_encoder", lambda self: WordEncoder())
    grow(disk, "1m")
    folder = write_index(disk / "index")
    used = shutil.disk_usage(disk).used // 1024
    (tmp_path / "new").mkdir()
    for number in range(100, 140):
        (tmp_path / "new" / f"{number}.txt").write_text(words_of(number))
    before = [hit.id for hit in Index.open(folder).search(text=words_of(3))]
    for more in (4, 12, 24):
        grow(disk, f"{used + more}k")
        code, err = call(capsys, "index", "add", folder, tmp_path / "new")
        refused(code, err, *NO_ROOM)
        index = Index.open(folder)
        assert [hit.id for hit in index.search(text=words_of(3))] == before
        assert all(check.passed for check in check_index(index, encode=False))
    grow(disk, "4m")
    assert call(capsys, "index", "add", folder, tmp_path / "new")[0] == 0
    assert len(Index.open(folder)) == 100


def test_a_clock_that_jumps_changes_nothing(
    home: Path, kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Forth and back by years between any two looks, as a machine without a battery does when it finds the network."""
    command = ("run", "--recipe", home / "small.yaml", "--data", home / "data", "--out")
    assert call(capsys, *command, tmp_path / "right")[0] == 0
    dice, real = random.Random(0), time.time
    monkeypatch.setattr(time, "time", lambda: real() + dice.uniform(-20, 20) * 365 * 86_400)
    monkeypatch.setenv("CINEALIGN_CACHE", str(tmp_path / "store"))  # computed again, by the jumping clock
    assert call(capsys, *command, tmp_path / "run")[0] == 0
    for name in ("metrics.json", "vectors.safetensors"):
        assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "right" / name).read_bytes()


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_folder_without_locks(
    code: int,
    home: Path,
    store: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A run goes on and says that nobody guards its folder; an index and a download refuse, as they may be written by two."""

    def no_locks(*_: Any) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", no_locks)
    ended, err = call(
        capsys, "run", "--recipe", home / "small.yaml", "--data", home / "data", "--out", tmp_path / "run"
    )
    assert ended == 0 and "keeps no locks, as some network folders do not; see that no other process writes" in err
    monkeypatch.setattr(indexes.Index, "_load_encoder", lambda self: WordEncoder())
    folder = write_index(tmp_path / "index")
    refused(*call(capsys, "index", "remove", folder, "3"), "keeps no locks, as some network folders do not")
    assert len(Index.open(folder)) == 60


def test_a_lock_that_is_held_is_told_from_one_that_cannot_be(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (tmp_path / "run.partial.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        command = ("run", "--recipe", home / "small.yaml", "--data", home / "data", "--out", tmp_path / "run")
        refused(*call(capsys, *command), "is being made by another process")


def test_a_table_that_grows_while_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("id,image,text\n1,a.png,one\n2,b.png,two\n")
    source = open_source(file)
    with file.open("a") as more:
        more.write('3,c.png,three\n4,d.png,"four')
    try:
        found = list(source.rows())
    except DataError as error:
        assert "any more" in str(error) or "changed" in str(error)
    else:
        assert len(found) == source.count


def test_a_poster_that_changes_while_it_is_read(tmp_path: Path) -> None:
    """Else the features of another picture would be kept under its digest, for every later run."""
    folder = make_folder(tmp_path / "data")
    catalogue = Catalogue.load(folder)
    shutil.copy(folder / "poster" / "20.jpg", folder / "poster" / "10.jpg")
    with pytest.raises(DataError, match=r"poster 10\.jpg has changed since the data were read; start again"):
        open_poster(catalogue.movies[0].poster)
    open_poster(catalogue.movies[1].poster)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.999])
def test_a_model_file_cut_short(finished: Run, tmp_path: Path, share: float) -> None:
    READERS["saved models"].make(tmp_path, finished.folder)
    for file in sorted((tmp_path / "run" / "model").iterdir()):
        sound = file.read_bytes()
        file.write_bytes(sound[: int(share * len(sound))])
        with pytest.raises(CineAlignError) as refusal:
            Run(tmp_path / "run").encoder().encode_intros(["A letter."])
        assert str(refusal.value).isprintable()
        file.write_bytes(sound)
    assert len(Run(tmp_path / "run").encoder().encode_intros(["A letter."])) == 1


PROGRAM = "from cinealign.cli.app import main; main()"


@pytest.mark.slow
@pytest.mark.parametrize("gigabytes", [2.0, 4.0])
def test_little_address_space(home: Path, tmp_path: Path, gigabytes: float) -> None:
    """As under `ulimit -v`: a run ends well or in one line; at 4 GB it ends well."""
    command = [
        "run",
        "--recipe",
        str(home / "small.yaml"),
        "--data",
        str(home / "data"),
        "--out",
        str(tmp_path / "run"),
    ]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *command],
        env={**os.environ, "CINEALIGN_CACHE": str(tmp_path / "store"), "OMP_NUM_THREADS": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (int(gigabytes * 2**30),) * 2),
        capture_output=True,
        text=True,
        check=False,
    )
    if gigabytes == 4.0:
        assert done.returncode == 0, done.stderr[-2000:]
    if done.returncode:
        refused(done.returncode, done.stderr, "memory")


def test_no_memory_is_one_line(
    monkeypatch: pytest.MonkeyPatch, finished: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    for error in (
        MemoryError("Unable to allocate 9 TiB"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you ..."),
        ImportError("libtorch_cpu.so: failed to map segment from shared object"),
        OSError("libgomp.so.1: failed to map segment from shared object"),
    ):

        def fail(self: Run, error: Exception = error) -> Any:
            raise error

        monkeypatch.setattr(Run, "metrics", property(fail))
        refused(*call(capsys, "show", finished.folder), "not enough memory")


def test_what_is_no_fault_of_the_machine_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch, finished: Run) -> None:
    for error in (OSError(errno.EINVAL, "Invalid argument"), RuntimeError("a bug"), ImportError("no module x")):

        def fail(self: Run, error: Exception = error) -> Any:
            raise error

        monkeypatch.setattr(Run, "metrics", property(fail))
        with pytest.raises(type(error)):
            main(["show", str(finished.folder)])
    assert json.loads((finished.folder / "metrics.json").read_text())
    assert load_file(finished.folder / "vectors.safetensors")["poster"].dtype == np.float32
