"""Search measured: latency of an index of a run, and a million vectors beside faiss, usearch and sentence-transformers.

    python benchmarks/search.py INDEX                     # latency, and ratios on its own vectors
    python benchmarks/search.py INDEX --million 1000000   # synthetic unit vectors drawn around the real ones

faiss-cpu, usearch and sentence-transformers are measured where they can be imported, in the same process and in turns; they
are no dependencies of the package. Times are wall clock of one query after another; run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from cinealign.search.engines import engine_kind
from cinealign.search.index import Index

QUERIES = 60
K = 10
Array = np.ndarray[Any, Any]


def optional(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def times(ask: Callable[[int], object], count: int) -> list[float]:
    ask(0)
    taken = []
    for at in range(count):
        start = time.perf_counter()
        ask(at)
        taken.append(time.perf_counter() - start)
    return taken


def said(name: str, taken: list[float], more: str = "") -> None:
    ordered = sorted(taken)
    p99 = ordered[min(len(ordered) - 1, round(0.99 * (len(ordered) - 1)))]
    print(f"{name:44} p50 {statistics.median(taken) * 1e3:9.2f} ms   p99 {p99 * 1e3:9.2f} ms   {more}", flush=True)


def latency(folder: Path) -> None:
    """A warm process, and one from the shell."""
    index = Index.open(folder)
    items = [item for item in index.items.all() if item.split == "held_out" and item.intro]
    texts = [str(item.intro) for item in items[:QUERIES]]
    pictures = [Path(item.picture) for item in items[:QUERIES] if item.picture and Path(item.picture).is_file()]
    index.encoder.warm()
    fresh = [f"{text} {at}" for at, text in enumerate(texts)]  # none that a cache may know
    said("text query, encoding included", times(lambda at: index.search(text=fresh[at]), len(fresh)))
    said("  with reasons for 20 hits", times(lambda at: _why(index, f"{texts[at]} x{at}"), 10))
    if pictures:
        said(
            "poster query, reading included", times(lambda at: index.search(image=pictures[at]), min(20, len(pictures)))
        )
    said("like an item (no encoding)", times(lambda at: index.search(like=items[at].item_id), len(texts)))
    command = [sys.executable, "-c", "from cinealign.cli.app import main; main()", "search", str(folder), texts[0]]
    cold = [_timed(lambda: subprocess.run(command, capture_output=True, check=True)) for _ in range(3)]
    print(f"{'cold: cinealign search from the shell':44} {min(cold):.2f} to {max(cold):.2f} s")


def _why(index: Index, text: str) -> None:
    from cinealign.search.reasons import reasons

    reasons(index, index.search(text=text, limit=20))


def _timed(do: Callable[[], object]) -> float:
    start = time.perf_counter()
    do()
    return time.perf_counter() - start


def beside(index: Index) -> None:
    """The index's search alone, without encoding, beside what others do with the same vectors."""
    asked = index.space.as_query(index.background("intro")[:500], "poster")
    engine = index.engines["poster"]
    rows = engine.take(engine.keys())
    own = times(lambda at: engine.search(asked[at : at + 1], K), 300)
    said(f"{index.manifest.engine}: {len(rows):,} x {rows.shape[1]}", own)
    compare(rows, asked, own)


def compare(rows: Array, asked: Array, own: list[float]) -> None:
    middle = statistics.median(own)
    if (faiss := optional("faiss")) is not None:
        flat = faiss.IndexFlatIP(rows.shape[1])
        flat.add(rows)
        taken = times(lambda at: flat.search(asked[at : at + 1], K), min(300, len(own)))
        said("faiss IndexFlatIP", taken, f"ours / theirs {middle / statistics.median(taken):.2f}")
    util = optional("sentence_transformers.util")
    if util is not None and len(rows) <= 200_000:
        import torch

        corpus, queries = torch.from_numpy(rows), torch.from_numpy(asked)
        taken = times(
            lambda at: util.semantic_search(queries[at : at + 1], corpus, top_k=K, score_function=util.dot_score),
            min(300, len(own)),
        )
        said("sentence-transformers semantic_search", taken, f"ours / theirs {middle / statistics.median(taken):.2f}")


def million(index: Index, count: int, home: Path) -> None:
    """Build time, bytes, latency and recall@10 across sides of `count` vectors drawn around the real ones."""
    rows = drawn(index.background("poster"), count, 1)
    asked = drawn(index.background("intro"), 200, 2)
    print(f"{count:,} unit vectors of {rows.shape[1]} numbers, queries drawn around the other side")
    true = truth(rows, asked)
    for name, kind, options in (
        ("exact float32", "exact", {"dtype": "float32"}),
        ("exact float16", "exact", {"dtype": "float16"}),
        ("lance IVF_PQ, re-scored", "lance", {"compression": "pq"}),
    ):
        own(name, kind, options, rows, asked, true, home)
        gc.collect()
    others(rows, asked, true, home)


def own(name: str, kind: str, options: dict[str, Any], rows: Array, asked: Array, true: Array, home: Path) -> None:
    folder = home / name.replace(" ", "-").replace(",", "")
    start = time.perf_counter()
    engine = engine_kind(kind).new(folder, rows.shape[1], options)
    for at, first in enumerate(range(0, len(rows), 200_000)):
        part = rows[first : first + 200_000]
        engine = engine.add(f"{at:06}", np.arange(first, first + len(part), dtype=np.int64), part)
    engine = engine.compact("compact")
    built, found = time.perf_counter() - start, 0.0
    while True:
        found = recall(engine.search(asked, K).keys, true)
        harder = engine.harder() if found < 0.95 else None
        if harder is None:
            break
        engine = harder
    taken = times(lambda at: engine.search(asked[at : at + 1], K), 100)
    files = [folder / file for file in engine.files] or [file for file in folder.rglob("*") if file.is_file()]
    size = sum(file.stat().st_size for file in files)
    effort = ", ".join(f"{key} {engine.state[key]}" for key in ("probes", "refine") if key in engine.state)
    said(name, taken, f"built {built:6.1f} s, {size / 1e6:6.0f} MB, recall@10 {found:.3f} {effort}")


def others(rows: Array, asked: Array, true: Array, home: Path) -> None:
    if (faiss := optional("faiss")) is not None:
        start = time.perf_counter()
        flat = faiss.IndexFlatIP(rows.shape[1])
        flat.add(rows)
        built = time.perf_counter() - start
        taken = times(lambda at: flat.search(asked[at : at + 1], K), 50)
        size = rows.nbytes / 1e6
        said(
            "faiss IndexFlatIP",
            taken,
            f"built {built:6.1f} s, {size:6.0f} MB, recall@10 {recall(flat.search(asked, K)[1], true):.3f}",
        )
        del flat
        gc.collect()
    if (usearch := optional("usearch.index")) is not None:
        start = time.perf_counter()
        graph = usearch.Index(ndim=rows.shape[1], metric="ip", dtype="f16")
        graph.add(np.arange(len(rows)), rows)
        built = time.perf_counter() - start
        graph.save(str(home / "usearch"))
        taken = times(lambda at: graph.search(asked[at], K), 100)
        keys = np.stack([np.pad(graph.search(query, K).keys.astype(np.int64), (0, K))[:K] for query in asked])
        size = (home / "usearch").stat().st_size / 1e6
        said("usearch HNSW float16", taken, f"built {built:6.1f} s, {size:6.0f} MB, recall@10 {recall(keys, true):.3f}")


def drawn(around: Array, count: int, seed: int) -> Array:
    """Unit rows: a real one each, and a step in a random direction half as long as rows lie apart."""
    dice = np.random.default_rng(seed)
    width = around.shape[1]
    rows = np.empty((count, width), dtype=np.float32)
    centre = around.mean(axis=0)
    spread = float(np.sqrt(((around - centre) ** 2).sum(axis=1).mean()))
    for first in range(0, count, 50_000):
        part = around[dice.integers(0, len(around), min(50_000, count - first))]
        step = dice.standard_normal(part.shape, dtype=np.float32) * np.float32(0.5 * spread / np.sqrt(width))
        moved = part + step
        rows[first : first + len(part)] = moved / np.linalg.norm(moved, axis=1, keepdims=True)
    return rows


def truth(rows: Array, asked: Array) -> Array:
    best: list[tuple[Array, Array]] = []
    for first in range(0, len(rows), 100_000):
        scores = asked @ rows[first : first + 100_000].T
        near = np.argpartition(-scores, K, axis=1)[:, :K]
        best.append((np.take_along_axis(scores, near, 1), near + first))
    scores, keys = (np.concatenate(parts, axis=1) for parts in zip(*best, strict=True))
    return np.take_along_axis(keys, np.argsort(-scores, axis=1)[:, :K], 1)


def recall(found: Array, true: Array) -> float:
    return float(
        np.mean([len(set(one.tolist()) & set(other.tolist())) / K for one, other in zip(found, true, strict=True)])
    )


def memory() -> str:
    anonymous = next(
        int(line.split()[1])
        for line in Path("/proc/self/status").read_text().splitlines()
        if line.startswith("RssAnon")
    )
    return f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB, now anonymous {anonymous / 1e6:.2f} GB"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("index", type=Path, nargs="?")
    parser.add_argument("--million", type=int, metavar="N")
    parser.add_argument("--skip-latency", action="store_true")
    given = parser.parse_args()
    if given.index is None:
        print("search: no INDEX given, nothing measured; cinealign index RUN makes one")
        return
    index = Index.open(given.index)
    if given.million:
        home = Path(tempfile.mkdtemp(prefix="cinealign-bench-"))
        try:
            million(index, given.million, home)
        finally:
            shutil.rmtree(home, ignore_errors=True)
    else:
        if not given.skip_latency:
            latency(given.index)
        beside(index)
    print(memory())


if __name__ == "__main__":
    main()
