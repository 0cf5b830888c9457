"""Ranks of random unit vectors against the plain way, a blocked torch product and topk: time, ratio and peak memory.

    python benchmarks/ranks.py [--gallery 200000] [--queries 8192] [--columns 256] [--rounds 3] [--k 10]

topk finds the ten best by default, far fewer than the 5 % that top-p accuracy asks for (`--k 10000`). Both work through
the same queries in blocks of 1,024 rows; the ratio is of the best rounds, which alternate. Time grows with the number of
queries, so a part of them is timed and the time for all is scaled up from it.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time

import torch

from cinealign.evaluation.ranks import retrieval_ranks

BLOCK = 1024


def unit_rows(rows: int, columns: int, generator: torch.Generator) -> torch.Tensor:
    return torch.nn.functional.normalize(torch.randn(rows, columns, generator=generator), dim=1)


def topk_loop(query: torch.Tensor, gallery: torch.Tensor, k: int) -> None:
    """The usual evaluation loop: products of a block of queries, then the k best. It gives recall@k, not ranks."""
    for start in range(0, len(query), BLOCK):
        torch.topk(query[start : start + BLOCK] @ gallery.T, k, dim=1)


def peak_gb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e9 if sys.platform == "darwin" else 1e6)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gallery", type=int, default=200_000)
    parser.add_argument("--queries", type=int, default=8192, help="how many queries to time; at most the gallery")
    parser.add_argument("--columns", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--k", type=int, default=10, help="how many topk finds")
    arguments = parser.parse_args()
    generator = torch.Generator().manual_seed(0)
    gallery = unit_rows(arguments.gallery, arguments.columns, generator)
    queries = min(arguments.queries, arguments.gallery)
    query = torch.nn.functional.normalize(
        0.2 * gallery[:queries] + unit_rows(queries, arguments.columns, generator), dim=1
    )
    ids = torch.arange(arguments.gallery)
    took: dict[str, list[float]] = {"ranks": [], "product and topk": []}
    peaks = {}
    for _ in range(arguments.rounds):
        began = time.perf_counter()
        ranks = retrieval_ranks(query, gallery, ids[:queries], ids, chunk_size=BLOCK)
        took["ranks"].append(time.perf_counter() - began)
        peaks.setdefault("ranks", peak_gb())
        began = time.perf_counter()
        topk_loop(query, gallery, arguments.k)
        took["product and topk"].append(time.perf_counter() - began)
        peaks.setdefault("product and topk", peak_gb())
    sizes = f"{queries} queries x {arguments.gallery} gallery x {arguments.columns} columns"
    median = sorted(ranks.tolist())[queries // 2]
    print(f"{sizes}, {torch.get_num_threads()} threads, best of {arguments.rounds}; median rank {median}")
    print(f"{'way':<18} {'seconds':>8} {'all queries':>12} {'peak so far':>12}")
    for way, times in took.items():
        whole = min(times) * arguments.gallery / queries
        print(f"{way:<18} {min(times):>8.2f} {whole:>10.0f} s {peaks[way]:>9.2f} GB")
    print(f"ratio ranks / product and top {arguments.k}: {min(took['ranks']) / min(took['product and topk']):.2f}")
    if queries < arguments.gallery:
        print(f"timed on {queries} of {arguments.gallery} queries; the time for all is scaled up from them")


if __name__ == "__main__":
    main()
