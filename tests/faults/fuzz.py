"""A million damaged files: `python -m tests.faults.fuzz --inputs 1000000 --seed 7 --report build/fuzz-bytes.md` (`make fuzz`).

Input i of a reader is drawn from the seed, the reader's name and i alone, so that it can be made again whatever was read before
(`--only "D files" --from 1234 --inputs 1`). Packages are loaded once; each reader is a fork of that process, and this one
looks on: a reader that dies or takes more than 30 s for one input is ended, and the next fork goes on behind that input.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import mmap
import os
import random
import resource
import shutil
import signal
import struct
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cinealign.data.catalogue import Catalogue
from cinealign.data.drawn.movies import draw_sample
from cinealign.errors import CineAlignError
from cinealign.pipeline import align
from cinealign.recipe import Recipe
from cinealign.views.store import FeatureStore
from tests.faults.damage import damaged, drawn
from tests.faults.kills import RECIPE
from tests.faults.readers import READERS, Reader, told

LONGEST_S = 30.0
MOST_BYTES = 2 * 2**30
MOVIES = 24
LOOK_EVERY = 256
"""Inputs after which every file around is compared; what Python itself opens to write is seen at once."""
NOWHERE = Path(os.devnull)
_WRITES = {"os.mkdir", "os.rename", "os.remove", "os.link", "os.symlink", "os.truncate", "shutil.move", "os.rmdir"}
_TO_WRITE = os.O_WRONLY | os.O_RDWR | os.O_CREAT


@dataclass
class Tried:
    """What one reader was given and did."""

    reader: str
    inputs: int = 0
    seconds: float = 0.0
    peak: int = 0
    findings: dict[str, list[int]] = field(default_factory=dict)
    """What went wrong -> the first inputs that showed it."""

    def found(self, what: str, at: int) -> None:
        places = self.findings.setdefault(what, [])
        if len(places) < 5:
            places.append(at)


class Watched:
    """Sees every file that Python opens to write, makes or removes outside the places where that is allowed."""

    def __init__(self) -> None:
        self.allowed: tuple[Path, ...] | None = None
        self.strayed: list[str] = []
        sys.addaudithook(self._hook)

    def _hook(self, event: str, given: tuple[Any, ...]) -> None:
        if self.allowed is None or not (event in _WRITES or event == "open"):
            return
        if event == "open" and not (isinstance(given[0], str | bytes) and given[2] & _TO_WRITE):
            return
        path = Path(os.fsdecode(given[0]))
        if event in ("os.rmdir", "os.remove") and given[1] >= 0:  # a name in a folder that is open
            path = Path(f"/proc/self/fd/{given[1]}").readlink() / path
        if not any(path.resolve().is_relative_to(place) for place in self.allowed):
            self.strayed.append(f"{event} {path}")


def changed(corpus: list[tuple[Path, bytes]], seed: int, name: str, at: int) -> tuple[Path, bytes]:
    """The file that input `at` of a reader changes, and its bytes."""
    dice = random.Random(f"{seed} {name} {at}")
    path, content = dice.choice(corpus)
    alike = [other for where, other in corpus if where.suffix == path.suffix]
    return path, damaged(content, drawn(dice, alike))


def _around(home: Path, name: str) -> dict[Path, tuple[int, int]]:
    """Size and time of every file that the reader may not touch."""
    files = (path for path in home.parent.rglob("*") if path.is_file())
    return {
        path: (path.stat().st_size, path.stat().st_mtime_ns)
        for path in files
        if not (name == "feature store" and path.parent == home)  # keeps files of its own beside
    }


def read_all(
    name: str, reader: Reader, home: Path, seed: int, numbers: range, tell: Callable[[int, Tried], None]
) -> None:
    """Give `reader` the inputs of these numbers; `tell` hears of each before it is read, and of the last state after all."""
    watched, tried = Watched(), Tried(name)
    corpus = [(path, path.read_bytes()) for path in sorted(home.glob(reader.files)) if path.is_file()]
    sound = dict(corpus)
    before = {path: facts for path, facts in _around(home, name).items() if path not in sound}
    for at in numbers:
        tell(at, tried)
        path, content = changed(corpus, seed, name, at)
        path.write_bytes(content)
        watched.allowed = (home, NOWHERE) if name in ("feature store", "submissions") else (NOWHERE,)
        said = io.StringIO()
        try:
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                reader.read(home, path)
        except CineAlignError as error:
            try:
                told(error)
            except AssertionError:
                tried.found(f"not one line: {str(error)[:80]!r}", at)
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            tried.found(f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}: {str(error)[:80]!r}", at)
        finally:
            watched.allowed = None
        for stray in watched.strayed:
            tried.found(f"wrote: {stray[:100]}", at)
        watched.strayed.clear()
        path.write_bytes(sound[path])
        tried.inputs += 1
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        if peak > MOST_BYTES >= tried.peak:
            tried.found(f"{peak / 2**30:.1f} GB of memory", at)
        tried.peak = peak
        if tried.inputs % LOOK_EVERY == 0 or at == numbers[-1]:
            after = {path: facts for path, facts in _around(home, name).items() if path not in sound}
            if after != before:
                tried.found(
                    f"files changed: {sorted(str(p) for p, _ in set(after.items()) ^ set(before.items()))[:3]}", at
                )
                before = after
    tell(numbers[-1] + 1, tried)


def fuzzed(name: str, reader: Reader, run: Path, work: Path, seed: int, numbers: range) -> Tried:
    """Give one reader its inputs in forks of this process; a fork that is lost is a finding."""
    total, began = Tried(name), time.monotonic()
    while numbers:
        home = (work / "around" / "home").resolve()
        shutil.rmtree(work, ignore_errors=True)
        home.mkdir(parents=True)
        reader.make(home, run)
        shared = mmap.mmap(-1, 1 << 20)

        def tell(at: int, tried: Tried, shared: mmap.mmap = shared) -> None:
            findings = json.dumps(tried.findings).encode() if tried.findings else b""
            shared[: 32 + len(findings)] = struct.pack("<4q", at, tried.inputs, tried.peak, len(findings)) + findings

        process = os.fork()
        if not process:
            code = 1
            try:
                read_all(name, reader, home, seed, numbers, tell)
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        status = _ended(process, shared)
        at, inputs, peak, size = struct.unpack("<4q", shared[:32])
        total.inputs, total.peak = total.inputs + inputs, max(total.peak, peak)
        for what, places in json.loads(shared[32 : 32 + size] or b"{}").items():
            total.findings.setdefault(what, []).extend(places)
        if status:
            total.inputs += 1
            total.found(f"ended by {status}", at)
            at += 1
        numbers = range(at, numbers.stop)
    total.seconds = time.monotonic() - began
    return total


def _ended(process: int, shared: mmap.mmap) -> str:
    """How a fork ended, "" where it read all; one that reads the same input for too long is ended."""
    last, since = -1, time.monotonic()
    while True:
        done, status = os.waitpid(process, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            return "" if code == 0 else signal.Signals(-code).name if code < 0 else "an error of the harness"
        time.sleep(0.05)
        (at,) = struct.unpack("<q", shared[:8])
        if at != last:
            last, since = at, time.monotonic()
        elif time.monotonic() - since > LONGEST_S:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            return f"more than {LONGEST_S:.0f} s"


def table(results: list[Tried], seed: int) -> str:
    """As docs/reliability.md shows it."""
    lines = ["| reader | inputs | seconds | findings |", "|---|---|---|---|"]
    lines += [f"| {each.reader} | {each.inputs:,} | {each.seconds:.0f} | {len(each.findings)} |" for each in results]
    inputs, seconds = sum(each.inputs for each in results), sum(each.seconds for each in results)
    lines += [f"| all | {inputs:,} | {seconds:.0f} | {sum(len(each.findings) for each in results)} |", ""]
    lines += [f"seed {seed}; peak memory {max(each.peak for each in results) / 2**30:.2f} GB"]
    for each in results:
        lines += [f"- {each.reader}: {what}; inputs {places[:5]}" for what, places in each.findings.items()]
    return "\n".join(lines) + "\n"


@contextlib.contextmanager
def prepared() -> Iterator[tuple[Path, Path]]:
    """A finished run, and a folder to work in, in memory where the system has such a place."""
    fast = Path("/dev/shm")
    top = Path(tempfile.mkdtemp(prefix="fuzz-", dir=fast if os.access(fast, os.W_OK) else None))
    try:
        draw_sample(top / "data", movies=MOVIES, seed=3)
        align(Catalogue.load(top / "data"), Recipe.parse(RECIPE), top / "run", store=FeatureStore(top / "store"))
        yield top / "run", top / "work"
    finally:
        shutil.rmtree(top, ignore_errors=True)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--inputs", type=int, default=10_000, help="of all readers together, by their shares")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--from", type=int, default=0, dest="first", help="number of the first input of each reader")
    options.add_argument("--only", nargs="*", default=list(READERS), choices=list(READERS))
    options.add_argument("--report", type=Path, help="a Markdown file to write the table to")
    given = options.parse_args()
    warnings.simplefilter("ignore")
    shares = sum(READERS[name].share for name in given.only)
    results = []
    with prepared() as (run, work):
        for name in given.only:
            count = max(1, round(given.inputs * READERS[name].share / shares))
            numbers = range(given.first, given.first + count)
            results.append(fuzzed(name, READERS[name], run, work, given.seed, numbers))
            print(json.dumps(vars(results[-1])), flush=True)
            if given.report:
                given.report.parent.mkdir(parents=True, exist_ok=True)
                given.report.write_text(table(results, given.seed), encoding="utf-8")
    print(table(results, given.seed))
    return int(any(each.findings for each in results))


if __name__ == "__main__":
    sys.exit(main())
