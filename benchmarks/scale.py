"""What scaling costs and survives: encoding by one and two workers, kills, evaluation by blocks, an IVF index made by workers.

    python benchmarks/scale.py encode --items 2000             # speed-up of two workers, cost beside the plain loop
    python benchmarks/scale.py kills --items 1000 --kills 20   # worker, node, driver in turns, on a cluster of two raylets
    python benchmarks/scale.py evaluate --pairs 1000000 --queries 8192
    python benchmarks/scale.py ivf --rows 500000

Items are drawn as the sample is; 1 % of the pictures are cut short. faiss-cpu is measured where it can be imported. Processor
seconds are what to read on a machine that works on other things too.
"""

from __future__ import annotations

import argparse
import importlib
import os
import random
import resource
import shutil
import signal
import statistics
import subprocess
import sys
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
BLOCK = 32
WIDTH = 128


def prepared(work: Path, items: int) -> tuple[Path, Path]:
    """A run on the sample, and a folder of `items` drawn items of which 1 % cannot be read."""
    from cinealign.data.catalogue import Catalogue
    from cinealign.data.sample import draw_sample
    from cinealign.pipeline import align
    from cinealign.recipe import Recipe

    run, source = work / "run", work / f"items-{items}"
    if not (run / "metrics.json").is_file():
        (work / "recipe.yaml").write_text(RECIPE)
        draw_sample(work / "sample", movies=240, force=True)
        align(Catalogue.load(work / "sample"), Recipe.load(work / "recipe.yaml"), run, force=True)
    if not source.is_dir():
        draw_sample(work / "drawing", movies=items, seed=1, force=True)
        for picture in sorted((work / "drawing" / "poster").iterdir())[::100]:
            picture.write_bytes(picture.read_bytes()[:500])
        (work / "drawing").rename(source)
    return run, source


def bench_encode(work: Path, items: int) -> None:
    """The plain loop of one process, then one worker, then two."""
    import torch

    from cinealign.scale.cluster import cluster
    from cinealign.scale.encode import encode
    from cinealign.scale.places import Place
    from cinealign.scale.source import blocks_of, open_source
    from cinealign.scale.worker import encode_rows, load_model, save_model

    run, source = prepared(work, items)
    from cinealign.run import Run

    torch.set_num_threads(1)
    given = open_source(source)
    out = Place.of(work / "plain")
    save_model(run, out)
    encoder = load_model(out, Run(run).width)
    encoder.warm()
    wall, cpu = time.perf_counter(), time.process_time()
    for block in blocks_of(given, BLOCK):
        encode_rows(encoder, given.rows(block))
    wall, cpu, rows = time.perf_counter() - wall, time.process_time() - cpu, sum(given.parts())
    print(f"plain loop   {rows:6,} rows {wall:8.1f} s  {cpu / rows * 1e3:7.1f} ms CPU a row", flush=True)
    for workers in (1, 2, 1, 2):
        out_folder = work / "out"
        shutil.rmtree(out_folder, ignore_errors=True)
        with cluster("local", workers):
            start = time.perf_counter()
            report = encode(run, source, out_folder, workers=workers, block=BLOCK)
            whole = time.perf_counter() - start
        print(
            f"{workers} worker{'s' * (workers > 1)}    {report.rows:6,} rows {report.seconds:8.1f} s  "
            f"{report.cpu / report.encoded * 1e3:7.1f} ms CPU a row; with start, commit and comparison {whole:.1f} s; "
            f"{report.problems} problems, whole {report.whole}, {report.read / report.rows:,.0f} bytes read and "
            f"{report.written / report.rows:,.0f} written a row; load {os.getloadavg()[0]:.1f}",
            flush=True,
        )


class Cluster:
    """Two raylets of one processor each beside a head without any; each can be killed and replaced."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster as RayCluster

        options = {"num_cpus": 0, "include_dashboard": False, "object_store_memory": 128 * 2**20}
        self.cluster = RayCluster(initialize_head=True, head_node_args=options)
        self.nodes = [self._node() for _ in range(2)]

    def _node(self) -> Any:
        return self.cluster.add_node(num_cpus=1, object_store_memory=128 * 2**20)

    def kill_node(self, dice: random.Random) -> None:
        node = self.nodes.pop(dice.randrange(len(self.nodes)))
        self.cluster.remove_node(node, allow_graceful=False)
        self.nodes.append(self._node())

    def kill_worker(self, dice: random.Random) -> bool:
        raylets = {node.all_processes["raylet"][0].process.pid for node in self.nodes}
        found = []
        for home in Path("/proc").iterdir():
            if home.name.isdigit():
                try:
                    parent = int((home / "stat").read_text().rpartition(")")[2].split()[1])
                    if parent in raylets and b"BlockEncoder" in (home / "cmdline").read_bytes():
                        found.append(int(home.name))
                except OSError:
                    continue
        if found:
            os.kill(dice.choice(sorted(found)), signal.SIGKILL)
        return bool(found)


def bench_kills(work: Path, items: int, kills: int) -> None:
    """The result after all kills beside that of an undisturbed call."""
    from cinealign.scale.encode import encode
    from cinealign.scale.places import Place
    from cinealign.scale.shards import vectors_of
    from cinealign.scale.table import open_table, problems

    run, source = prepared(work, items)
    quiet, hurt = work / f"undisturbed-{items}", work / "hurt"
    encode(run, source, quiet, workers=2, block=16, address="local")
    shutil.rmtree(hurt, ignore_errors=True)
    place, dice, done = Cluster(), random.Random(0), []
    command = [
        sys.executable,
        "-c",
        "from cinealign.cli.app import main; main()",
        "scale",
        "encode",
        str(run),
        "--source",
        str(source),
    ]
    command += ["--out", str(hurt), "--workers", "2", "--block", "16", "--address", place.cluster.address]
    log = (work / "kills.log").open("a")
    driver = subprocess.Popen(command, stderr=log, stdout=log)
    start = time.monotonic()
    while True:
        before = len(list((hurt / "shards").glob("*.parquet")))
        while driver.poll() is None and len(list((hurt / "shards").glob("*.parquet"))) == before:
            time.sleep(0.2)
        if driver.poll() is not None:
            break
        if len(done) >= kills:
            driver.wait()
            break
        time.sleep(3 * dice.random())
        kind = ("worker", "node", "driver")[len(done) % 3]
        if kind == "worker" and not place.kill_worker(dice):
            continue
        if kind == "node":
            place.kill_node(dice)
        if kind == "driver":
            driver.kill()
            driver.wait()
            driver = subprocess.Popen(command, stderr=log, stdout=log)
        done.append(kind)
        print(
            f"{time.monotonic() - start:7.1f} s  killed a {kind} ({len(done)} of {kills}), {before} shards", flush=True
        )
    print(f"driver ended with {driver.returncode} after {time.monotonic() - start:.0f} s and {len(done)} kills")
    tables = [open_table(Place.of(each)).to_table().sort_by("key") for each in (quiet, hurt)]
    ids = [table["id"].to_pylist() for table in tables]
    same = ids[0] == ids[1] and len(set(ids[1])) == len(ids[1])
    worst = 0.0
    for side in ("poster", "intro"):
        width = tables[0].schema.field(f"{side}_vector").type.list_size
        (first, there), (second, here) = (vectors_of(table[f"{side}_vector"], width) for table in tables)
        same = same and bool((there == here).all())
        worst = max(worst, float(np.abs(first - second).max()))
    told = [problems(Place.of(each)) for each in (quiet, hurt)]
    print(
        f"{len(ids[1]):,} items, each id once and equal to the undisturbed run: {same}; vectors differ by {worst:.1e}; "
        f"{len(told[1])} problems, equal: {told[0] == told[1]}"
    )


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=("encode", "kills", "evaluate", "ivf"), default="encode")
    parser.add_argument("--work", type=Path, help="folder for what is drawn and made; a new one where absent")
    parser.add_argument("--items", type=int, default=200)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--pairs", type=int, default=50_000)
    parser.add_argument("--queries", type=int, default=2048)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--width", type=int, default=WIDTH)
    given = parser.parse_args()
    work = given.work or Path(tempfile.mkdtemp(prefix="cinealign-scale-"))
    work.mkdir(parents=True, exist_ok=True)
    if given.what == "encode":
        bench_encode(work, given.items)
    elif given.what == "kills":
        bench_kills(work, given.items, given.kills)
    elif given.what == "evaluate":
        bench_evaluate(work, given.pairs, given.queries, given.width)
    else:
        bench_ivf(work, given.rows, given.width)


if __name__ == "__main__":
    main()
