"""The numbers of `evaluate` over any N: each worker holds a block of queries and reads the gallery past them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cinealign.errors import ConfigError, DataError
from cinealign.evaluation.metrics import DIRECTIONS, Metrics, score
from cinealign.evaluation.ranks import TIE, as_near, full_precision, pair_products, rank_floors
from cinealign.evaluation.statistics import SAMPLES
from cinealign.progress import progress
from cinealign.scale.cluster import cluster
from cinealign.scale.pairs import Pairs, RunPairs, open_pairs

QUERIES = 16_384
"""Queries of a task: 64 MB at 1,024 numbers a vector."""
GALLERY = 32_768
"""Gallery rows that a task reads at a time."""
CHUNK = 1024
"""Queries of one product."""
BOOTSTRAP_UP_TO = 100_000
"""More queries get the large-sample forms of their intervals, which the bootstrap tends to."""
SIDES = {"poster_to_intro": ("poster", "intro"), "intro_to_poster": ("intro", "poster")}
"""Direction -> sides of query and gallery."""


@dataclass(frozen=True)
class BlockTask:
    """What the ranks of a block of queries need besides the queries."""

    pairs: Pairs
    direction: str
    longest: float
    """Length of the longest gallery vector."""
    held: NDArray[np.bool_]
    """(N,) which items are held out."""


def evaluate(
    target: str | Path,
    *,
    train_ids: list[str] | None = None,
    queries: int | None = None,
    address: str = "auto",
    workers: int = 1,
    samples: int = SAMPLES,
    seed: int = 0,
) -> Metrics:
    """metrics.json of the pairs at `target`; equal to `evaluate_vectors` where both can be computed.

    Ranks are equal one by one; intervals are those of the bootstrap up to 100,000 queries. A worker needs some 0.7 GB at
    1,024 numbers a vector, whatever N is; this process some 100 bytes an item.

    Args:
        target: a run directory, or what `encode` made: items with both sides count.
        train_ids: ids of the train items of a table; a run knows its own.
        queries: ask so many items in each direction, drawn at random, in the whole gallery; all where None.
        address, workers: of the cluster, and how many blocks are worked on at once.
        samples, seed: of the bootstrap; a run's recipe says its own.
    Raises:
        DataError: no pairs, or a vector that is not finite.
        ConfigError: an option is out of range.
    """
    if workers < 1 or (queries is not None and queries < 1):
        raise ConfigError(f"workers and queries must be at least 1, got {workers} and {queries}")
    with cluster(address, workers) as ray:
        pairs = open_pairs(target, train_ids or ())
        if isinstance(pairs, RunPairs):
            from cinealign.run import Run

            recipe = Run(target).recipe
            samples, seed = recipe.evaluation.bootstrap, recipe.seed
        rows = _asked(pairs.count, queries)
        held = np.ones(pairs.count, dtype=bool)
        held[pairs.train_rows] = False
        found = {name: ranks(ray, pairs, name, rows, held, workers) for name in DIRECTIONS}
    among = tuple(found[name][1][held[rows]] for name in DIRECTIONS)
    ranked = [found[name][0] for name in DIRECTIONS]
    return score(
        *ranked,
        train_rows=pairs.train_rows,
        n=pairs.count,
        seed=seed,
        samples=samples if len(rows) <= BOOTSTRAP_UP_TO else 0,
        held_out_ranks=among if len(among[0]) else None,  # type: ignore[arg-type]
        rows=None if queries is None else rows,
    )


def _asked(count: int, queries: int | None) -> NDArray[np.int64]:
    if queries is None or queries >= count:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).choice(count, queries, replace=False))


def ranks(
    ray: Any, pairs: Pairs, direction: str, rows: NDArray[np.int64], held: NDArray[np.bool_], workers: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Ranks of the items `rows` among all items, and among the held-out ones (of use for held-out queries only).

    Args:
        ray: the package, initialised.
        pairs: the vectors.
        direction: `poster_to_intro` or `intro_to_poster`.
        rows: (Q,) rising rows of the queries.
        held: (N,) which items are held out.
        workers: tasks at once.
    Raises:
        DataError: a vector is not finite.
    """
    _, target = SIDES[direction]
    given = ray.put(pairs)
    lengths = ray.remote(num_cpus=1)(longest_of)
    starts = range(0, pairs.count, max(GALLERY, -(-pairs.count // (4 * workers))))
    found = _all(
        ray, [lambda a=a: lengths.remote(given, target, a, min(a + starts.step, pairs.count)) for a in starts], workers
    )
    task = ray.put(BlockTask(pairs, direction, max(found), held))
    count = ray.remote(num_cpus=1)(count_block)
    size = max(1, min(QUERIES, -(-len(rows) // workers)))
    parts = [rows[at : at + size] for at in range(0, len(rows), size)]
    with progress(f"ranks {direction.replace('_', ' ')}", len(rows)) as bar:
        counted = _all(ray, [lambda part=part: count.remote(task, part) for part in parts], workers, parts, bar)
    every, among = (np.concatenate([each[side] for each in counted]) for side in (0, 1))
    return every, among


def _all(ray: Any, calls: list[Any], workers: int, parts: list[Any] | None = None, bar: Any = None) -> list[Any]:
    """Results of tasks in order, `workers` of them under way at a time; a DataError of a task is raised as it is."""
    results: list[Any] = [None] * len(calls)
    busy: dict[Any, int] = {}
    at = 0
    while at < len(calls) or busy:
        while at < len(calls) and len(busy) < workers:
            busy[calls[at]()] = at
            at += 1
        ready, _ = ray.wait(list(busy), num_returns=1)
        place = busy.pop(ready[0])
        try:
            results[place] = ray.get(ready[0])
        except ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, DataError):
                raise error.cause from None
            raise
        if bar is not None and parts is not None:
            bar.advance(len(parts[place]))
    return results


def longest_of(pairs: Pairs, side: str, start: int, stop: int) -> float:
    """Length of the longest vector of some rows.

    Raises:
        DataError: one is not finite.
    """
    longest = 0.0
    for first in range(start, stop, GALLERY):
        rows = np.arange(first, min(first + GALLERY, stop))
        vectors = pairs.read(side, rows)
        if not np.isfinite(vectors).all():
            row = int(rows[int((~np.isfinite(vectors).all(axis=1)).argmax())])
            raise DataError(f"the {side} vector of item {row} is not finite; encode it again")
        longest = max(longest, float(torch.from_numpy(vectors).norm(dim=1).max()))
    return longest


def count_block(task: BlockTask, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Ranks of the queries `rows` among all items and among the held-out ones; the gallery is read past them once."""
    torch.set_num_threads(1)
    source, target = SIDES[task.direction]
    queries = torch.from_numpy(task.pairs.read(source, rows))
    places = np.arange(len(rows))
    own = pair_products(queries, torch.from_numpy(task.pairs.read(target, rows)), (places, places))
    scale = queries.norm(dim=1).double() * task.longest
    floor = rank_floors(own, scale, queries.shape[1], TIE)
    among, others = np.zeros(len(rows), dtype=np.int64), np.zeros(len(rows), dtype=np.int64)
    with full_precision():
        for start in range(0, task.pairs.count, GALLERY):
            part = np.arange(start, min(start + GALLERY, task.pairs.count))
            gallery = torch.from_numpy(task.pairs.read(target, part))
            held = torch.from_numpy(task.held[part])
            for counts, some in ((among, gallery if bool(held.all()) else gallery[held]), (others, gallery[~held])):
                for first in range(0, len(rows) if len(some) else 0, CHUNK):
                    chunk = slice(first, first + CHUNK)
                    counts[chunk] += as_near(queries[chunk], some, floor[chunk], scale[chunk])
    return among + others, among  # the partner itself reaches the floor and counts as the 1 that ranks start at
