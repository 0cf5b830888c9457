"""From a source to a table of vectors: blocks to workers, shards to one commit, ids compared with the source."""

from __future__ import annotations

import hashlib
import json
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cinealign.errors import CineAlignError, ConfigError, DataError
from cinealign.out import locked
from cinealign.progress import progress, say
from cinealign.run import Run
from cinealign.scale.cluster import cluster
from cinealign.scale.places import Place
from cinealign.scale.shards import SHARDS, finished
from cinealign.scale.source import Block, Source, blocks_of, open_source
from cinealign.scale.table import Difference, commit_table, compare_ids, mark, write_problems
from cinealign.scale.worker import BlockEncoder, Done, save_model

BLOCK = 256
"""Rows of a block: what a killed worker has to do again."""
ATTEMPTS = 10
"""A block that ends so many workers is at fault itself."""
PLAN, REPORT = "plan.json", "report.json"


@dataclass(frozen=True)
class Report:
    """What `encode` did, in all its calls together.

    Attributes:
        rows: of the source.
        items: rows of the table.
        problems: rows of problems.parquet; an item whose other side is good is in the table as well.
        posters, intros: vectors of each side.
        missing, strange, twice: ids by which source and result differ; all empty in a result that is whole.
        version: of the Lance table.
        workers: of the last call.
        warming: seconds until all workers of the last call had loaded the model and run it once.
        seconds: wall time of the last call's encoding after that.
        cpu: processor seconds of the blocks of the last call.
        encoded: rows that the last call encoded; the others were done before.
        read, written: bytes of pictures and of shards of the last call.
    """

    rows: int
    items: int
    problems: int
    posters: int
    intros: int
    missing: list[str]
    strange: list[str]
    twice: list[str]
    version: int
    workers: int
    warming: float
    seconds: float
    cpu: float
    encoded: int
    read: int
    written: int

    def lines(self) -> list[str]:
        """For the terminal."""
        told = [
            f"source: {self.rows:,} rows; table: {self.items:,} items, {self.posters:,} posters, {self.intros:,} intros"
        ]
        if self.problems:
            told.append(f"problems: {self.problems:,} rows, each with its reason in problems.parquet")
        told.append(
            f"ids compared with the source: {len(self.missing):,} missing, {len(self.twice):,} twice, "
            f"{len(self.strange):,} not in the source"
        )
        for what, ids in (("missing", self.missing), ("twice", self.twice), ("not in the source", self.strange)):
            if ids:
                told.append(f"  {what}: {', '.join(ids[:10])}{' ...' if len(ids) > 10 else ''}")
        if self.encoded:
            told.append(
                f"encoded now: {self.encoded:,} rows by {self.workers} workers in {self.seconds:.1f} s, "
                f"{self.cpu / self.encoded * 1000:.0f} ms of processor a row; loading the model took {self.warming:.1f} s"
            )
        return told

    @property
    def whole(self) -> bool:
        """Whether every row of the source is there once and nothing else."""
        return not (self.missing or self.strange or self.twice)


def encode(
    run: Path | str,
    source: Path | str,
    out: Path | str,
    *,
    columns: Mapping[str, str] | None = None,
    address: str = "auto",
    workers: int = 1,
    block: int = BLOCK,
    weights: Path | None = None,
) -> Report:
    """Encode a source with the model of a run; the same call goes on with what was interrupted.

    Args:
        run: the run directory, on this machine.
        source: see `open_source`.
        out: a folder or bucket that all workers reach. There come to lie: table.lance, problems.parquet, report.json, and the
            model; plan.json and shards/ while work is under way.
        columns: role -> column of a table.
        address: of the cluster, see `cluster`.
        workers: processes that encode, one processor each.
        block: rows of a block.
        weights: folder of model folders on every worker.
    Raises:
        ConfigError: `out` was begun with another source, model or block size, or another process is writing there.
        DataError: the source or the run cannot be read.
        ModelError: weights are missing on a worker.
    """
    if workers < 1 or block < 1:
        raise ConfigError(f"workers and block must be at least 1, got {workers} and {block}")
    place, model = Place.of(out), Run(run)
    if place.child(PLAN).is_file() is False and place.child(REPORT).is_file() is False:
        _refuse_foreign(place)
    with _alone(place), cluster(address, workers) as ray:
        given = open_source(source, columns)
        plan = _plan(model, given, block)
        if place.child(REPORT).is_file():
            return _done_before(place, plan)
        _begin(place, plan, model)
        blocks = blocks_of(given, block)
        repeated = _repeated(given, blocks)
        width = model.width
        task = BlockTask(given, place, width, repeated, None if weights is None else str(weights))
        done, warming, seconds = encode_blocks(ray, task, blocks, finished(place), workers)
        version = commit_table(ray, place, [each.number for each in blocks], width)
        difference, counts = compare_ids(place, given, blocks)
        problems = write_problems(place, [each.number for each in blocks])
        report = _report(plan, version, difference, counts, problems, workers, (warming, seconds), done)
        place.child(REPORT).write((json.dumps({**plan, **asdict(report)}, indent=1) + "\n").encode())
        if report.whole:
            place.child(SHARDS).remove_folder()
        return report


@dataclass(frozen=True)
class BlockTask:
    """What a worker is made of."""

    source: Source
    out: Place
    width: int
    repeated: Mapping[int, int]
    weights: str | None


def encode_blocks(
    ray: Any, task: BlockTask, blocks: list[Block], before: set[int], workers: int
) -> tuple[list[Done], float, float]:
    """Encode all blocks but those that are done; a worker that is lost is replaced and its block given to another.

    Returns:
        What became of each block, and the seconds until the workers were warm and from then to the end.
    Raises:
        CineAlignError: what a worker raises, such as weights that are missing there.
        DataError: one block ended `ATTEMPTS` workers.
    """
    waiting = deque(each for each in blocks if each.number not in before)
    total = sum(each.count for each in blocks)
    found = total - sum(each.count for each in waiting)
    kind = ray.remote(num_cpus=1, max_restarts=0, max_concurrency=1)(BlockEncoder)
    given = ray.put(task.source), ray.put(dict(task.repeated))

    def new_worker() -> Any:
        return kind.remote(given[0], task.out, task.width, given[1], task.weights)

    attempts: dict[int, int] = {}
    busy: dict[Any, tuple[Any, Block]] = {}
    done: list[Done] = []
    began = time.monotonic()
    crew = _warm(ray, [new_worker() for _ in range(min(workers, len(waiting)))])
    warm = time.monotonic()
    with progress("encode", total, found) as bar:
        for worker in crew:
            _give(busy, worker, waiting)
        while busy:
            ready, _ = ray.wait(list(busy), num_returns=1)
            worker, block = busy.pop(ready[0])
            try:
                done.append(ray.get(ready[0]))
                bar.advance(block.count)
            except ray.exceptions.RayTaskError as error:
                raise _cause(error) from None
            except (ray.exceptions.RayActorError, ray.exceptions.WorkerCrashedError):
                attempts[block.number] = attempts.get(block.number, 0) + 1
                if attempts[block.number] >= ATTEMPTS:
                    last = block.first + block.count - 1
                    raise DataError(
                        f"rows {block.first} to {last} of the source ended {ATTEMPTS} workers; is one of their pictures "
                        "too large for a worker's memory?"
                    ) from None
                say(f"encode: a worker was lost with block {block.number}; another one does it again")
                waiting.appendleft(block)
                worker = new_worker()
            _give(busy, worker, waiting)
    return done, warm - began, time.monotonic() - warm


def _warm(ray: Any, crew: list[Any]) -> list[Any]:
    """The workers, when all have loaded the model; one that was lost meanwhile is missed with its first block."""
    for loading in [worker.warm.remote() for worker in crew]:
        try:
            ray.get(loading)
        except ray.exceptions.RayTaskError as error:
            raise _cause(error) from None
        except (ray.exceptions.RayActorError, ray.exceptions.WorkerCrashedError):
            continue
    return crew


def _cause(error: Any) -> Exception:
    """What a worker raised for its user; else the error with the worker's stack, which is a bug."""
    return error.cause if isinstance(error.cause, CineAlignError) else error


def _give(busy: dict[Any, tuple[Any, Block]], worker: Any, waiting: deque[Block]) -> None:
    if waiting:
        block = waiting.popleft()
        busy[worker.encode.remote(block)] = (worker, block)


def _plan(run: Run, source: Source, block: int) -> dict[str, Any]:
    """What must be the same when the same command is given again."""
    digest = hashlib.sha256()
    for path in sorted((run.folder / "model").iterdir()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    rows = sum(source.parts())
    if not rows:
        raise DataError("the source has no rows")
    return {
        **{"format": 1, "source": source.digest, "model": digest.hexdigest(), "block": block, "source_rows": rows},
        **{"run": run.folder.name, "recipe": run.recipe.name, "width": run.width},
    }


def _begin(place: Place, plan: Mapping[str, Any], run: Run) -> None:
    """Write the plan, the model and what an index wants of the run, or find that they are those of this call."""
    if place.child(PLAN).is_file():
        _same(place, json.loads(place.child(PLAN).read()), plan)
        return
    place.child(SHARDS).make()
    save_model(run.folder, place)
    place.child(PLAN).write((json.dumps(dict(plan), indent=1) + "\n").encode())


def _same(place: Place, before: Mapping[str, Any], plan: Mapping[str, Any]) -> None:
    for what in ("source", "model", "block"):
        if before.get(what) != plan[what]:
            raise ConfigError(
                f"{place.uri} was begun with another {what}; give the same command again, or another --out"
            )


def _done_before(place: Place, plan: Mapping[str, Any]) -> Report:
    before = json.loads(place.child(REPORT).read())
    _same(place, before, plan)
    return Report(**{name: before[name] for name in Report.__dataclass_fields__})


def _refuse_foreign(place: Place) -> None:
    if place.is_folder() and place.files(deep=True):
        raise ConfigError(f"{place.uri} is not empty and no encoding was begun there; choose another --out")


@contextmanager
def _alone(place: Place) -> Iterator[None]:
    """One process at a time, where the file system can tell."""
    if not place.is_local:
        yield
        return
    place.make()
    with locked(Path(place.uri)):
        yield


def _repeated(source: Source, blocks: list[Block]) -> dict[int, int]:
    """Key of each row whose id an earlier row has -> key of that row; eight bytes a row of memory."""
    total = sum(block.count for block in blocks)
    marks = np.empty(total, dtype=np.uint64)
    for block in blocks:
        ids = source.ids(block)
        marks[block.first : block.first + block.count] = [mark(each) for each in ids]
    order = np.argsort(marks, kind="stable")
    starts = np.flatnonzero(np.r_[True, marks[order][1:] != marks[order][:-1]])
    found = {}
    for start, stop in zip(starts, np.r_[starts[1:], total], strict=True):
        same = order[start:stop]
        found.update({int(key): int(same[0]) for key in same[1:]})
    return found


def _report(
    plan: Mapping[str, Any],
    version: int,
    difference: Difference,
    counts: Mapping[str, int],
    problems: int,
    workers: int,
    seconds: tuple[float, float],
    done: list[Done],
) -> Report:
    return Report(
        rows=int(plan["source_rows"]),
        items=counts["items"],
        problems=problems,
        posters=counts["posters"],
        intros=counts["intros"],
        missing=difference.missing,
        strange=difference.strange,
        twice=difference.twice,
        version=version,
        workers=workers,
        warming=seconds[0],
        seconds=seconds[1],
        cpu=sum(each.cpu for each in done),
        encoded=sum(each.rows for each in done),
        read=sum(each.read for each in done),
        written=sum(each.written for each in done),
    )
