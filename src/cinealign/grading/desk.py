"""A folder of submissions, one row each: every one is judged in a process of its own, so that it can only break its row."""

from __future__ import annotations

import multiprocessing
import tempfile
from multiprocessing.connection import Connection
from pathlib import Path

from cinealign.data.catalogue import Catalogue
from cinealign.errors import DataError
from cinealign.grading.judging import Judged, judge
from cinealign.grading.notebooks import Shared, compare
from cinealign.grading.unpacking import Limits
from cinealign.progress import progress

SECONDS = 900
"""Longest time for one submission."""
MEMORY = 8_000_000_000
"""Bytes of data that the process of one submission may hold."""


def submissions(folder: Path) -> list[Path]:
    """Zips, folders and files directly in `folder`, by name; hidden ones are left aside.

    Raises:
        DataError: no folder, or nothing in it.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder; give the folder that holds the submissions")
    found = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    if not found:
        raise DataError(f"{folder} is empty; put one zip, folder or file of D a student into it")
    return found


def grade(
    folder: Path,
    catalogue: Catalogue,
    *,
    limits: Limits | None = None,
    seconds: float = SECONDS,
    memory: int = MEMORY,
) -> list[Judged]:
    """Every submission of a folder, judged.

    Args:
        folder: the submissions.
        catalogue: the data of the course.
        limits: what a zip may hold.
        seconds, memory: what the judging of one submission may take.
    """
    paths, rows = submissions(folder), []
    with progress("submissions", len(paths)) as bar:
        for path in paths:
            rows.append(_apart(path, catalogue, limits or Limits(), seconds, memory))
            bar.advance()
    return rows


def alike_notebooks(rows: list[Judged]) -> list[tuple[Judged, Judged, Shared]]:
    """Pairs of submissions whose notebooks share passages; never a verdict."""
    return [(rows[one], rows[other], shared) for one, other, shared in compare([row.notebooks for row in rows])]


def _apart(path: Path, catalogue: Catalogue, limits: Limits, seconds: float, memory: int) -> Judged:
    """Judge one submission in a process of its own."""
    name = path.stem if path.is_file() else path.name
    if path.is_symlink():
        return Judged(name, remarks=["a link is not followed"])
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["cinealign.grading.judging"])
    with tempfile.TemporaryDirectory(prefix="cinealign-grade-") as scratch:
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_work, args=(theirs, path, Path(scratch), catalogue, limits, memory))
        process.start()
        theirs.close()
        try:
            judged: Judged = (
                ours.recv() if ours.poll(seconds) else Judged(name, remarks=[f"took more than {seconds:g} s"])
            )
        except EOFError:  # it ended without a word: a crash in compiled code, or out of memory
            process.join()
            judged = Judged(name, remarks=[f"its reader broke (exit code {process.exitcode}); look at it by hand"])
        finally:
            process.kill()
            process.join()
        return judged


def _work(to: Connection, path: Path, scratch: Path, catalogue: Catalogue, limits: Limits, memory: int) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    try:
        judged = judge(path, scratch, catalogue, limits)
    except Exception as error:  # a bug of ours, or out of memory: the row says so, the others go on
        judged = Judged(
            path.stem if path.is_file() else path.name,
            remarks=[f"could not be judged ({type(error).__name__}: {' '.join(str(error).split())[:200]})"],
        )
    to.send(judged)
