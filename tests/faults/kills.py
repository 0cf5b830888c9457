"""End long commands with SIGKILL at random moments, again and again until they finish, and compare what they made.

`python -m tests.faults.kills --kills 100` (`make kill-test`). Packages are loaded once; every try is a fork of that process, so
that a kill falls into the work and not into imports. A finished result is compared with an undisturbed one, byte for byte but
for what says how long something took; then the place is cleared and the next round begins, until there were enough kills.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cinealign.cli.app import main as cinealign
from cinealign.data.drawn.movies import draw_sample
from cinealign.run import Run
from cinealign.search import index as indexes
from cinealign.search.check import check_index
from cinealign.search.index import Index
from tests.data.download.server import MovieSite
from tests.search.encoders import WordEncoder
from tests.search.folders import words_of, write_index

RECIPE: dict[str, Any] = {
    "name": "killed",
    "views": {"pixels": {"view": "classical"}, "words": {"view": "tfidf", "min_df": 1}},
    "align": [
        {"expert": "cca", "poster": "pixels", "intro": "words", "dimensions": 8, "ridge": 3},
        {
            "expert": "contrastive",
            "poster": "pixels",
            "intro": "words",
            "dimensions": 8,
            "training": {"epochs": 4, "batch_size": 32},
        },
        {"expert": "memory", "poster": "pixels", "intro": "words"},
    ],
    "fusion": {"folds": 2, "steps": 20},
    "evaluation": {"bootstrap": 100},
}
MOVIES = 80
TIMED = ("seconds", "feature_seconds", "fit_seconds", "store", "computed_items", "resumed", "folder", "runs")
"""Keys of a comparison that say how long something took, and what was there before."""


@dataclass(frozen=True)
class Long:
    """A command that takes long.

    Attributes:
        arguments: of cinealign, for a result in a folder.
        prepare: lays out what the command finds there.
        result: of a finished command, what must be the same as without any kill.
        half: raises where something looks finished and is not.
    """

    arguments: Callable[[Path, Path], list[object]]
    result: Callable[[Path], Any]
    prepare: Callable[[Path, Path], None] = lambda home, out: None
    half: Callable[[Path], None] = lambda out: None


def files(folder: Path, *, but: tuple[str, ...] = ()) -> dict[str, bytes]:
    """Content by name."""
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {name: content for name, content in found.items() if name not in but and not name.endswith(".lock")}


def _whole_run(out: Path) -> None:
    if (out / "run").exists():
        assert Run(out / "run").metrics["n"] == MOVIES and Run(out / "run").vectors[0].shape[0] == MOVIES
    for file in (out / "run.partial" / "steps").glob("*.safetensors"):
        assert file.stat().st_size > 8


def _new_texts(home: Path, out: Path) -> None:
    write_index(out / "index")
    (out / "new").mkdir()
    for number in range(100, 400):
        (out / "new" / f"{number}.txt").write_text(words_of(number))


def _indexed(out: Path) -> Any:
    index = Index.open(out / "index", encoder=WordEncoder())
    assert all(check.passed for check in check_index(index, encode=False))
    items = {item.item_id: (item.intro_digest, item.poster_digest) for item in index.items.all()}
    assert len(items) == len(index) == 360, "an item is lost or doubled"
    found = index.search(text=words_of(123), limit=50)
    return items, [(hit.id, round(hit.score, 6)) for hit in found]


def _whole_index(out: Path) -> None:
    index = Index.open(out / "index")
    assert all(check.passed for check in check_index(index, encode=False))
    ids = [item.item_id for item in index.items.all()]
    assert len(ids) == len(set(ids)) == len(index)


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(inner) for key, inner in value.items() if key not in TIMED}
    return [_timeless(inner) for inner in value] if isinstance(value, list) else value


def _compared(out: Path) -> Any:
    runs = {
        name: content
        for name, content in files(out / "compared").items()
        if name.endswith(("metrics.json", "vectors.safetensors"))
    }
    assert len(runs) == 4
    return _timeless(json.loads((out / "compared" / "comparison.json").read_text())), runs


def _tuned(out: Path) -> Any:
    names = ("chosen.yaml", "tune.json", "trials.csv")
    found = {name: (out / "tuned" / name).read_bytes() for name in names if (out / "tuned" / name).exists()}
    assert "chosen.yaml" in found
    return {
        name: _timeless(json.loads(content)) if name == "tune.json" else _untimed(name, content)
        for name, content in found.items()
    }


def _untimed(name: str, content: bytes) -> Any:
    if not name.endswith(".csv"):
        return content
    rows = csv.DictReader(content.decode().splitlines())
    return [{key: cell for key, cell in row.items() if key not in TIMED} for row in rows]


def _small_posters(out: Path) -> None:
    for path in (out / "ml" / "poster").glob("*"):
        assert path.read_bytes() == _SITE.truth[int(path.stem)], "half a poster"


_SITE = MovieSite(90, {7: "500 once", 33: "cut once", 61: "silent cut once"})


def _download(home: Path, out: Path) -> list[object]:
    options = ["--grouplens", f"{_SITE.base}/datasets", "--metadata", f"{_SITE.base}/meta", "--poster-host", _SITE.host]
    return ["data", "download", out / "ml", *options, "--rate", "200", "--yes", "--accept-licence"]


def _with_run(home: Path, out: Path) -> None:
    shutil.copytree(home / "run", out / "run")


COMMANDS: dict[str, Long] = {
    "run": Long(
        lambda home, out: ["run", "--recipe", home / "killed.yaml", "--data", home / "data", "--out", out / "run"],
        lambda out: files(out / "run", but=("environment.json",)),
        half=_whole_run,
    ),
    "index add": Long(
        lambda home, out: ["index", "add", out / "index", out / "new"], _indexed, _new_texts, _whole_index
    ),
    "data import": Long(
        lambda home, out: [
            "data",
            "import",
            home / "table.csv",
            "--images",
            home / "data" / "poster",
            "--out",
            out / "in",
            "--look",
            "0",
        ],
        lambda out: files(out / "in"),
        half=lambda out: None if not (out / "in").exists() else _is_catalogue(out / "in"),
    ),
    "data download": Long(
        _download,
        lambda out: files(out / "ml", but=(".download/lock",)) and _downloaded(out / "ml"),
        half=_small_posters,
    ),
    "tune": Long(
        lambda home, out: [
            "tune",
            home / "killed.yaml",
            "--trials",
            "3",
            "--data",
            home / "data",
            "--out",
            out / "tuned",
        ],
        _tuned,
    ),
    "compare": Long(
        lambda home, out: [
            *("compare", home / "killed.yaml", "--seeds", "2", "--data", home / "data", "--out", out / "compared")
        ],
        _compared,
    ),
    "submit": Long(
        lambda home, out: [
            "submit",
            out / "run",
            "--student-id",
            "7",
            "--data",
            home / "data",
            "--out",
            out / "handed",
        ],
        lambda out: sorted(files(out / "handed")),
        _with_run,
    ),
}
"""Every command that the user is told to give again where it was interrupted, and submit, which begins anew."""


def _is_catalogue(folder: Path) -> None:
    from cinealign.data.catalogue import Catalogue

    assert len(Catalogue.load(folder)) == MOVIES


def _downloaded(folder: Path) -> dict[str, bytes]:
    return {name: content for name, content in files(folder).items() if not name.startswith(".download")}


def child(arguments: list[str], environment: dict[str, str], log: Path) -> int:
    """A fork that gives the command; returns its process id. Its own group, so that what it starts ends with it."""
    process = os.fork()
    if process:
        return process
    code = 70
    try:
        os.setsid()
        os.environ.update(environment)
        with log.open("ab", buffering=0) as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        try:
            cinealign(arguments)
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def ended(process: int, seconds: float) -> int | None:
    """Exit code of a child; None once so many seconds have gone by, and the child then is dead."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        done, status = os.waitpid(process, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)
    return None if os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) < 0 else 0


@contextlib.contextmanager
def prepared() -> Iterator[Path]:
    """A folder with data, a recipe, a table to import and a finished run."""
    os.environ["OMP_NUM_THREADS"] = "1"
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        os.environ.pop(name, None)
    import optuna  # noqa: F401  (loaded once, before the forks)
    import sklearn.decomposition  # noqa: F401
    import torch

    torch.set_num_threads(1)
    indexes.Index._load_encoder = lambda self: WordEncoder()  # type: ignore[method-assign, assignment]
    home = Path(tempfile.mkdtemp(prefix="kills-"))
    try:
        draw_sample(home / "data", movies=MOVIES, seed=3)
        (home / "killed.yaml").write_text(yaml.safe_dump(RECIPE), encoding="utf-8")
        with (home / "data" / "info.csv").open(encoding="utf-8", newline="") as file:
            there = {path.stem for path in (home / "data" / "poster").iterdir()}
            rows = [[row["id"], row["intro"]] for row in csv.DictReader(file) if row["id"] in there]
        with (home / "table.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([["id", "text"], *rows])
        with _SITE:
            yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


def killed(name: str, home: Path, kills: int, dice: random.Random) -> dict[str, Any]:
    """End `name` so many times; counts of kills, finished rounds and results that differ, and the seconds it took."""
    long, began = COMMANDS[name], time.monotonic()
    log = home / f"{name}.log"

    def fresh(what: str) -> Path:
        out = home / what
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        long.prepare(home, out)
        return out

    def attempt(out: Path, seconds: float) -> int | None:
        arguments = [str(argument) for argument in long.arguments(home, out)]
        return ended(child(arguments, {"CINEALIGN_CACHE": str(out / "store")}, log), seconds)

    if name == "submit" and not (home / "run").exists():
        place = home / "first"
        made = COMMANDS["run"].arguments(home, place)
        assert ended(child([str(a) for a in made], {"CINEALIGN_CACHE": str(home / "kept")}, log), 600) == 0, (
            log.read_text()
        )
        (place / "run").rename(home / "run")
    right, start = fresh("right"), time.monotonic()
    assert attempt(right, 1800) == 0, log.read_text()[-3000:]
    lasts, expected = time.monotonic() - start, long.result(right)
    done = {"command": name, "kills": 0, "finished": 0, "different": 0, "half": 0, "lasts": lasts}
    while done["kills"] < kills:
        out = fresh("out")
        while True:
            # Often early, sometimes late: what goes on from earlier steps is short.
            code = attempt(out, lasts * dice.random() ** 2 if done["kills"] < kills else 1800)
            if code is None:
                done["kills"] += 1
                try:
                    long.half(out)
                except Exception:
                    done["half"] += 1
                    traceback.print_exc()
                continue
            assert code == 0, log.read_text()[-3000:]
            done["finished"] += 1
            if long.result(out) != expected:
                done["different"] += 1
                shutil.copytree(
                    out, home.with_name(f"{home.name}-different-{name.replace(' ', '-')}"), dirs_exist_ok=True
                )
            break
    return {**done, "seconds": time.monotonic() - began}


def table(results: list[dict[str, Any]], seed: int) -> str:
    """As docs/reliability.md shows it."""
    lines = [
        "| command | SIGKILLs | finished rounds | different results | half results seen |",
        "|---|---|---|---|---|",
    ]
    lines += [f"| {r['command']} | {r['kills']} | {r['finished']} | {r['different']} | {r['half']} |" for r in results]
    return "\n".join([*lines, f"\nseed {seed}; {sum(r['seconds'] for r in results):.0f} s"])


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--kills", type=int, default=100, help="of each command")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--commands", nargs="*", default=list(COMMANDS), choices=list(COMMANDS))
    options.add_argument("--report", type=Path, help="a Markdown file to write the table to")
    given = options.parse_args()
    results = []
    with prepared() as home:
        for name in given.commands:
            results.append(killed(name, home, given.kills, random.Random(f"{given.seed} {name}")))
            print(json.dumps(results[-1]), flush=True)
    print(table(results, given.seed))
    if given.report:
        given.report.parent.mkdir(parents=True, exist_ok=True)
        given.report.write_text(table(results, given.seed) + "\n", encoding="utf-8")
    return int(any(result["different"] or result["half"] for result in results))


if __name__ == "__main__":
    sys.exit(main())
