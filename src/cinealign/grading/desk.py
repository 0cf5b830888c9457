"""A folder of submissions, one row each: every one is judged in a process of its own, so that it can only break its row."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from cinealign.data.catalogue import Catalogue
from cinealign.data.system_files import left_by_a_system
from cinealign.errors import DataError
from cinealign.grading.judging import Judged, judge
from cinealign.grading.notebooks import Shared, compare
from cinealign.grading.unpacking import Limits
from cinealign.progress import progress

MOST_JOBS = 4
SECONDS = 900
"""Longest time for one submission."""
MEMORY = 8_000_000_000
"""Bytes of data that the process of one submission may hold."""


def submissions(folder: Path) -> list[Path]:
    """Zips, folders and files directly in `folder`, by name; those of a system or an open document are left aside.

    Raises:
        DataError: no folder, or nothing in it.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder; give the folder that holds the submissions")
    found = sorted(path for path in folder.iterdir() if not left_by_a_system(path.name))
    if not found:
        raise DataError(f"{folder} is empty; put one zip, folder, notebook or file of D a student into it")
    return found


def grade(
    folder: Path,
    catalogue: Catalogue,
    *,
    limits: Limits | None = None,
    seconds: float = SECONDS,
    memory: int = MEMORY,
    jobs: int = 0,
) -> list[Judged]:
    """Every submission of a folder, judged.

    Args:
        folder: the submissions.
        catalogue: the data of the course.
        limits: what a zip may hold.
        seconds, memory: what the judging of one submission may take.
        jobs: submissions judged at a time; 0 is one for each core, four at most.
    """
    paths, rows = submissions(folder), []
    cores = os.cpu_count() or 1
    jobs = jobs or min(MOST_JOBS, cores)
    room = _Room(limits or Limits(), seconds, memory, max(1, cores // jobs))
    with progress("submissions", len(paths)) as bar, ThreadPoolExecutor(jobs) as pool:
        judged_in_order = pool.map(lambda path: _apart(path, catalogue, room), paths)
        for name, judged in zip(_names(paths), judged_in_order, strict=True):
            judged.name = name
            rows.append(judged)
            bar.advance()
    return rows


def _names(paths: list[Path]) -> list[str]:
    """What each row is called: without suffix, but with it where another is called so: points are kept by name."""
    short = [path.stem if path.is_file() else path.name for path in paths]
    return [name if short.count(name) == 1 else path.name for name, path in zip(short, paths, strict=True)]


def alike_notebooks(rows: list[Judged]) -> list[tuple[Judged, Judged, Shared]]:
    """Pairs of submissions whose notebooks share passages; never a verdict."""
    return [(rows[one], rows[other], shared) for one, other, shared in compare([row.notebooks for row in rows])]


@dataclass(frozen=True)
class _Room:
    """What one submission may take: of a zip, in seconds, bytes and threads."""

    limits: Limits
    seconds: float
    memory: int
    threads: int


def _apart(path: Path, catalogue: Catalogue, room: _Room) -> Judged:
    """Judge one submission in a process of its own."""
    name = path.stem if path.is_file() else path.name
    if path.is_symlink():
        return Judged(name, remarks=["a link is not followed"])
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["cinealign.grading.judging"])
    with tempfile.TemporaryDirectory(prefix="cinealign-grade-") as scratch:
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_work, args=(theirs, path, Path(scratch), catalogue, room))
        process.start()
        theirs.close()
        try:
            in_time = ours.poll(room.seconds)
            judged: Judged = ours.recv() if in_time else Judged(name, remarks=[f"took more than {room.seconds:g} s"])
        except EOFError:  # it ended without a word: a crash in compiled code, or out of memory
            process.join()
            judged = Judged(name, remarks=[f"its reader broke (exit code {process.exitcode}); look at it by hand"])
        finally:
            process.kill()
            process.join()
        return judged


def _work(to: Connection, path: Path, scratch: Path, catalogue: Catalogue, room: _Room) -> None:
    import resource

    import torch
    from threadpoolctl import threadpool_limits

    resource.setrlimit(resource.RLIMIT_DATA, (room.memory, room.memory))
    torch.set_num_threads(room.threads)
    try:
        with threadpool_limits(room.threads):
            judged = judge(path, scratch, catalogue, room.limits)
    except Exception as error:  # a bug of ours, or out of memory: the row says so, the others go on
        judged = Judged(
            path.stem if path.is_file() else path.name,
            remarks=[f"could not be judged ({type(error).__name__}: {' '.join(str(error).split())[:200]})"],
        )
    to.send(judged)
