"""What scaling costs: encoding by one and two workers, evaluation by blocks, an IVF index made by workers.

    python benchmarks/scale.py encode --items 2000             # speed-up of two workers, cost beside the plain loop
    python benchmarks/scale.py evaluate --pairs 1000000 --queries 8192
    python benchmarks/scale.py ivf --rows 500000
    python benchmarks/scale.py cost                            # hours of many workers, some of which are lost, by simulation

Items are drawn as the sample is; 1 % of the pictures are cut short. faiss-cpu is measured where it can be imported. Processor
seconds are what to read on a machine that works on other things too. What it survives is a test: tests/scale/test_losses.py.
"""

from __future__ import annotations

import argparse
import heapq
import importlib
import os
import resource
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

RECIPE = """
name: scaled
views:
  appearance: {view: appearance}
  sentences: {view: language_model}
align:
  - {expert: cca, poster: appearance, intro: sentences, dimensions: 64, ridge: 3}
evaluation: {bootstrap: 100}
"""
BLOCK = 128
WIDTH = 128
DRAWN_AT_ONCE = 5000


def prepared(work: Path, items: int) -> tuple[Path, Path]:
    """A run on the sample, and a folder of tables of drawn pictures and texts; 1 % of the pictures cannot be read."""
    from cinealign.data.catalogue import Catalogue
    from cinealign.data.drawn.movies import draw_sample
    from cinealign.pipeline import align
    from cinealign.recipe import Recipe

    run, source = work / "run", work / f"items-{items}"
    if not (run / "metrics.json").is_file():
        (work / "recipe.yaml").write_text(RECIPE)
        draw_sample(work / "sample", movies=240, force=True)
        align(Catalogue.load(work / "sample"), Recipe.load(work / "recipe.yaml"), run, force=True)
    if not source.is_dir():
        drawn = work / "drawing"
        drawn.mkdir(exist_ok=True)
        for seed, first in enumerate(range(0, items, DRAWN_AT_ONCE), start=1):
            folder = work / "drawn"
            draw_sample(folder, movies=min(DRAWN_AT_ONCE, items - first), seed=seed, force=True)
            write_table(drawn / f"part-{seed}.parquet", folder, f"{seed}-")
        drawn.rename(source)
    return run, source


def write_table(path: Path, drawn: Path, prefix: str) -> None:
    """The pictures and texts of a drawn catalogue as a Parquet file; every hundredth picture is cut short."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from cinealign.data.catalogue import Catalogue

    catalogue = Catalogue.load(drawn)
    pictures = [(drawn / "poster" / f"{item}.jpg").read_bytes() for item in catalogue.ids]
    table = pa.table(
        {
            "id": [f"{prefix}{item}" for item in catalogue.ids],
            "image": [picture[:500] if row % 100 == 0 else picture for row, picture in enumerate(pictures)],
            "text": list(catalogue.intros),
        }
    )
    pq.write_table(table, path, row_group_size=BLOCK)


def bench_encode(work: Path, items: int, size: int) -> None:
    """The plain loop of one process, then one worker, then two, in blocks of `size` rows; all of them warm."""
    from cinealign.scale.cluster import cluster
    from cinealign.scale.encode import encode
    from cinealign.scale.places import Place
    from cinealign.scale.source import blocks_of, open_source
    from cinealign.scale.worker import encode_rows, load_model, one_thread, save_model

    run, source = prepared(work, items)
    from cinealign.run import Run

    one_thread()
    given = open_source(source)
    out = Place.of(work / "plain")
    save_model(run, out)
    encoder = load_model(out, Run(run).width)
    encoder.warm()
    wall, cpu = time.perf_counter(), time.process_time()
    for block in blocks_of(given, size):
        encode_rows(encoder, given.rows(block))
    wall, cpu, rows = time.perf_counter() - wall, time.process_time() - cpu, sum(given.parts())
    print(f"plain loop   {rows:6,} rows {wall:8.1f} s  {cpu / rows * 1e3:7.1f} ms CPU a row", flush=True)
    taken = {}
    for workers in (1, 2):
        out_folder = work / "out"
        shutil.rmtree(out_folder, ignore_errors=True)
        with cluster("local", workers):
            start = time.perf_counter()
            report = encode(run, source, out_folder, workers=workers, block=size)
            whole = time.perf_counter() - start
        print(
            f"{workers} worker{'s' * (workers > 1)}    {report.rows:6,} rows {report.seconds:8.1f} s  "
            f"{report.cpu / report.encoded * 1e3:7.1f} ms CPU a row ({report.cpu / cpu - 1:+.0%}); warm after "
            f"{report.warming:.1f} s; with start, commit and comparison {whole:.1f} s; "
            f"{report.problems} problems, whole {report.whole}, {report.read / report.rows:,.0f} bytes read and "
            f"{report.written / report.rows:,.0f} written a row; load {os.getloadavg()[0]:.1f}",
            flush=True,
        )
        taken[workers] = report.seconds
    print(f"speed-up of two workers: {taken[1] / taken[2]:.2f}", flush=True)


def synthetic(rows: int, width: int, seed: int) -> tuple[Any, Any]:
    """Unit vectors of two sides that share a low-dimensional part and differ in a mean, as posters and intros do."""
    dice = np.random.default_rng(seed)
    basis = dice.standard_normal((32, width)).astype(np.float32)
    sides = [np.empty((rows, width), dtype=np.float32) for _ in range(2)]
    gaps = [dice.standard_normal(width).astype(np.float32) * 2 for _ in range(2)]
    for start in range(0, rows, 65_536):
        count = min(65_536, rows - start)
        shared = dice.standard_normal((count, 32), dtype=np.float32) @ basis
        for side, gap in zip(sides, gaps, strict=True):
            part = shared + gap + 3 * dice.standard_normal((count, width), dtype=np.float32)
            side[start : start + count] = part / np.linalg.norm(part, axis=1, keepdims=True)
    return sides[0], sides[1]


def bench_evaluate(work: Path, count: int, queries: int, width: int) -> None:
    """A sample of the queries in the whole gallery beside the products alone, in one thread each, in turns."""
    import torch
    from safetensors.numpy import save_file

    from cinealign.scale.cluster import cluster
    from cinealign.scale.evaluate import BlockTask, count_block, longest_of, ranks
    from cinealign.scale.pairs import RunPairs

    torch.set_num_threads(1)
    path = work / f"pairs-{count}-{width}.safetensors"
    if not path.is_file():
        poster, intro = synthetic(count, width, 0)
        save_file({"poster": poster, "intro": intro}, path)
        del poster, intro
    pairs = RunPairs(path, count, np.arange(0, count, 2))
    held = np.ones(count, dtype=bool)
    held[pairs.train_rows] = False
    rows = np.sort(np.random.default_rng(0).choice(count, queries, replace=False))
    asked = torch.from_numpy(pairs.read("poster", rows))
    ours, bare = [], []
    task = BlockTask(pairs, "poster_to_intro", longest_of(pairs, "intro", 0, count), held)
    for _ in range(2):
        start = time.process_time()
        for at in range(0, count, 32_768):
            gallery = torch.from_numpy(pairs.read("intro", np.arange(at, min(at + 32_768, count))))
            for first in range(0, queries, 1024):
                for tile in range(0, len(gallery), 2048):
                    asked[first : first + 1024] @ gallery[tile : tile + 2048].T
        bare.append(time.process_time() - start)
        start = time.process_time()
        count_block(task, rows)
        ours.append(time.process_time() - start)
        flops = 2 * queries * count * width
        print(
            f"{queries:,} queries, gallery {count:,} x {width}: products alone {bare[-1]:.1f} s CPU "
            f"({flops / bare[-1] / 1e9:.0f} GFLOP/s), ranks {ours[-1]:.1f} s CPU: {bare[-1] / ours[-1]:.0%} of their speed",
            flush=True,
        )
    with cluster("local", 2) as ray:
        start = time.perf_counter()
        ranks(ray, pairs, "poster_to_intro", rows, held, 2)
        seconds = time.perf_counter() - start
        peak = ray.remote(_peak)
        print(
            f"two workers on Ray: {seconds:.1f} s; largest worker {max(ray.get([peak.remote() for _ in range(4)])):.2f} GB"
        )


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def bench_ivf(work: Path, rows: int, width: int) -> None:
    """An index made by one and by two workers, its recall and latency, and faiss's IVF-PQ on the same rows."""
    import lance

    from cinealign.scale.cluster import cluster
    from cinealign.scale.index import build_ivf
    from cinealign.search.lance import LanceKind, as_arrow

    poster, intro = synthetic(rows, width, 0)
    queries = intro[np.sort(np.random.default_rng(1).choice(rows, 500, replace=False))]
    exact = np.concatenate(
        [np.argpartition(-(part @ poster.T), 10, axis=1)[:, :10] for part in np.array_split(queries, 20)]
    )
    home = work / "ivf"
    shutil.rmtree(home, ignore_errors=True)
    for workers in (1, 2):
        fresh = LanceKind().new(home / str(workers), width, {"compression": "pq"})
        table = str(fresh.table)  # type: ignore[attr-defined]
        lance.write_dataset(as_arrow(np.arange(rows), poster), table, max_rows_per_file=-(-rows // 4))
        with cluster("local", workers):
            start = time.perf_counter()
            build_ivf(table, fresh.state, rows, workers)
            built = time.perf_counter() - start
        size = sum(path.stat().st_size for path in Path(table).rglob("*") if path.is_file())
        print(f"lance, {workers} worker(s): built in {built:.1f} s, {size / rows:,.0f} bytes a row on disk", flush=True)
        engine: Any = fresh.adopted(rows)  # type: ignore[attr-defined]
        while engine is not None:
            ask(
                f"lance probes {engine.state['probes']}, refine {engine.state['refine']}",
                exact,
                queries,
                _by_engine(engine),
            )
            engine = engine.harder() if workers == 2 else None
    try:
        faiss = importlib.import_module("faiss")
    except ImportError:
        print("faiss-cpu is not installed")
        return
    faiss.omp_set_num_threads(1)
    start = time.perf_counter()
    index = faiss.index_factory(width, f"IVF{max(1, rows // 1024)},PQ{width // 8}", faiss.METRIC_INNER_PRODUCT)
    index.train(poster[: min(rows, 256 * (rows // 1024))])
    index.add(poster)
    print(f"faiss IVF-PQ, 1 thread: built in {time.perf_counter() - start:.1f} s", flush=True)
    refined = faiss.IndexRefineFlat(index, faiss.swig_ptr(poster))
    for probes in (20, 40, 80, 160):
        index.nprobe = probes
        refined.k_factor = 20
        ask(f"faiss probes {probes}, exact re-scoring of 200", exact, queries, lambda q: refined.search(q, 10)[1])


def _by_engine(engine: Any) -> Any:
    return lambda query: engine.search(query, 10).keys


def ask(name: str, exact: Any, queries: Any, search: Any) -> None:
    """Recall@10 and latency of one query after another."""
    search(queries[:1])
    taken, hits = [], 0
    for at in range(len(queries)):
        start = time.perf_counter()
        found = search(queries[at : at + 1])
        taken.append(time.perf_counter() - start)
        hits += len(np.intersect1d(found[0], exact[at]))
    p99 = sorted(taken)[int(0.99 * (len(taken) - 1))]
    print(
        f"  {name:44} recall@10 {hits / exact.size:.3f}   p50 {statistics.median(taken) * 1e3:6.1f} ms   "
        f"p99 {p99 * 1e3:6.1f} ms   load {os.getloadavg()[0]:.1f}",
        flush=True,
    )


def bench_cost() -> None:
    """Blocks go to whoever is free, times vary from block to block, and workers are lost and come back."""
    for rows, block, workers in ((1e6, 256, 16), (1e6, 256, 64), (1e8, 2000, 256), (1e9, 2000, 1024)):
        for lost in (0.0, 0.05, 0.5):
            hours, repeated = simulated(int(rows), block, workers, 0.2, lost)
            ideal = rows * 0.2 / workers / 3600
            print(
                f"{rows:>13,.0f} rows in blocks of {block:,}, {workers:>5,} workers, {lost:.0%} of them lost an hour: "
                f"{hours:8.2f} h, {hours / ideal - 1:.1%} more than rows x seconds / workers; {repeated:.2%} done twice",
                flush=True,
            )


def simulated(rows: int, block: int, workers: int, seconds: float, lost: float) -> tuple[float, float]:
    """Hours until the last block is done, and the share of the work that was done twice.

    Args:
        rows, block, workers: of the encoding.
        seconds: of processor a row; a block takes that times its rows, times a factor about 1 that varies by a fifth.
        lost: chance of a worker to be lost within an hour; its block is done again, and it is replaced after five minutes.
    """
    dice = np.random.default_rng(0)
    left, wasted, last = -(-rows // block), 0.0, 0.0
    whole = left * block * seconds
    free = [60.0] * workers  # when each has loaded the model
    heapq.heapify(free)
    dies = lost / 3600
    while left:
        start = heapq.heappop(free)
        takes = block * seconds * float(dice.lognormal(-0.02, 0.2))
        until = float(dice.exponential(1 / dies)) if dies else np.inf
        if until < takes:
            wasted += until
            heapq.heappush(free, start + until + 300)
            continue
        left -= 1
        last = max(last, start + takes)
        heapq.heappush(free, start + takes)
    return last / 3600, wasted / whole


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=("encode", "evaluate", "ivf", "cost"), default="encode")
    parser.add_argument("--work", type=Path, help="folder for what is drawn and made; a new one where absent")
    parser.add_argument("--items", type=int, default=200)
    parser.add_argument("--block", type=int, default=BLOCK)
    parser.add_argument("--prepare", action="store_true", help="encode: draw the items only")
    parser.add_argument("--pairs", type=int, default=50_000)
    parser.add_argument("--queries", type=int, default=2048)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--width", type=int, default=WIDTH)
    given = parser.parse_args()
    if given.what == "cost":
        bench_cost()
        return
    work = given.work or Path(tempfile.mkdtemp(prefix="cinealign-scale-"))
    work.mkdir(parents=True, exist_ok=True)
    if given.what == "encode":
        prepared(work, given.items) if given.prepare else bench_encode(work, given.items, given.block)
    elif given.what == "evaluate":
        bench_evaluate(work, given.pairs, given.queries, given.width)
    else:
        bench_ivf(work, given.rows, given.width)


if __name__ == "__main__":
    main()
