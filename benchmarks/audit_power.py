"""What the audit of a foreign D catches and what it takes for a fake: verdicts on random matrices, or on a run's own D.

    python benchmarks/audit_power.py [--movies 600] [--repeats 10] [--kinds low,words] [--parts held-out,half] [--honest]
    python benchmarks/audit_power.py --run RUN [--amounts 0,0.001,0.01,0.1]

A cell is the share of matrices that FAIL, and after a + the share that are left open (NOTE); the rest PASS. The column 0 is
honest: its FAIL is the rate of false accusations. Train pairs of the matrices are remembered, held-out ones partly related.
Amounts are standard deviations of D, random between 0 and twice the amount for each pair; with --run they are distances,
the same for each pair.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cinealign.audit.findings import worst
from cinealign.audit.matrix import audit_matrix
from cinealign.run import Run

Matrix = NDArray[np.float64]
Rows = NDArray[np.int64]
AMOUNTS = (0.0, 1e-3, 1e-2, 0.1, 0.5, 1.0, 2.0, 4.0)
OF_A_RUN = (0.0, 0.001, 0.003, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5)
PARTS = ("held-out", "half", "tenth", "all")
"""Which pairs are lowered: all held-out ones, a random half or tenth of them, or train pairs too."""


def unit(rows: Matrix) -> Matrix:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def sides(n: int, dimensions: int, random: np.random.Generator) -> tuple[Matrix, Matrix]:
    spectrum = np.linspace(1, 0.1, dimensions)
    poster = random.normal(size=(n, dimensions)) * spectrum
    share = np.where(np.arange(n) < int(0.6 * n), 2.0, random.gamma(1.0, 0.5, n))[:, None]
    return unit(poster), unit(share * poster + random.normal(size=(n, dimensions)) * spectrum)


def low(n: int, random: np.random.Generator, dimensions: int = 64) -> Matrix:
    poster, intro = sides(n, dimensions, random)
    return 1 - poster @ intro.T


def words(n: int, random: np.random.Generator) -> Matrix:
    """Words of a long vocabulary; a held-out pair shares one in half of the cases."""
    poster, intro = np.zeros((n, 6 * n), dtype=np.float32), np.zeros((n, 6 * n), dtype=np.float32)
    for row in range(n):
        poster[row, random.zipf(1.3, 8) % (6 * n)] = 1
        intro[row, random.zipf(1.3, 20) % (6 * n)] = 1
        if random.random() < 0.5:
            own = random.integers(0, 6 * n)
            poster[row, own] = intro[row, own] = 2
    return low(n, random) - 0.3 * unit(poster) @ unit(intro).T


def cross_encoder(n: int, random: np.random.Generator) -> Matrix:
    """A network that sees both sides at once: its bends leave no number of dimensions that would do."""
    poster, intro = sides(n, 64, random)
    D = 1 - poster @ intro.T
    for _ in range(32):
        left, right = 4 * poster @ random.normal(size=64), 4 * intro @ random.normal(size=64)
        D += 0.01 * random.normal() * np.maximum(0, left[:, None] + right + random.normal())
    return D


def csls(D: Matrix) -> Matrix:
    return 2 * D - np.sort(D, axis=0)[:10].mean(axis=0) - np.sort(D, axis=1)[:, :10].mean(axis=1)[:, None]


def sinkhorn(D: Matrix) -> Matrix:
    plan = np.exp(-D / 0.1)
    for _ in range(20):
        plan /= plan.sum(axis=1, keepdims=True)
        plan /= plan.sum(axis=0)
    return 1 - plan


def single(D: Matrix) -> NDArray[np.float32]:
    return D.astype(np.float32)


KINDS: dict[str, Callable[[int, np.random.Generator], NDArray[np.floating]]] = {
    "64 dimensions, float32": lambda n, r: single(low(n, r)),
    "the same, float16": lambda n, r: low(n, r).astype(np.float16),
    "the same, 3 decimals": lambda n, r: np.round(low(n, r), 3),
    "the same, CSV of 4 decimals": lambda n, r: np.round(low(n, r), 4),
    "the same, Euclidean": lambda n, r: single(np.sqrt(2 * low(n, r))),
    "the same, Euclidean without root": lambda n, r: single(2 * low(n, r)),
    "the same, CSLS": lambda n, r: single(csls(low(n, r))),
    "the same, Sinkhorn": lambda n, r: single(sinkhorn(low(n, r))),
    "768 dimensions (fine-tuned)": lambda n, r: single(low(n, r, 768)),
    "words, full rank": lambda n, r: single(words(n, r)),
    "cross-encoder, full rank": lambda n, r: single(cross_encoder(n, r)),
    "words, CSLS, float16": lambda n, r: csls(words(n, r)).astype(np.float16),
}


def chosen(part: str, held_out: Rows, n: int, random: np.random.Generator) -> Rows:
    if part == "all":
        return np.arange(n)
    share = {"held-out": 1.0, "half": 0.5, "tenth": 0.1}[part]
    return random.permutation(held_out)[: round(share * len(held_out))]


def verdicts(
    make: Callable[[np.random.Generator], Matrix], train: Rows, amount: float, part: str, repeats: int
) -> Counter:
    found: Counter[str] = Counter()
    for repeat in range(repeats):
        random = np.random.default_rng(repeat)
        D = make(random)
        rows = chosen(part, np.setdiff1d(np.arange(len(D)), train), len(D), random)
        if amount:
            by = amount * float(D.astype(np.float64).std()) * 2 * random.random(len(rows))
            D[rows, rows] -= by.astype(D.dtype)
        found[worst(audit_matrix(D, train))] += 1
    return found


def cell(found: Counter) -> str:
    total = sum(found.values())
    fail, left_open = found["FAIL"] / total, found["NOTE"] / total
    return f"{fail:.2f}" + (f"+{left_open:.2f}" if left_open else "")


def of_random(arguments: argparse.Namespace) -> None:
    train = np.arange(int(0.6 * arguments.movies))
    amounts = (0.0,) if arguments.honest else arguments.amounts or AMOUNTS
    print(f"N = {arguments.movies}, {arguments.repeats} matrices a cell: share FAIL+NOTE, by mean lowering in sd of D")
    print(f"{'matrix':<34}{'lowered':<10}" + "".join(f"{amount:>10g}" for amount in amounts))
    for name, make in KINDS.items():
        if arguments.kinds and not any(word in name for word in arguments.kinds.split(",")):
            continue
        for part in ("-",) if arguments.honest else arguments.parts.split(","):
            print(f"{name:<34}{part:<10}", end="", flush=True)
            for amount in amounts:
                found = verdicts(
                    lambda r, make=make: make(arguments.movies, r),
                    train,
                    amount,
                    part if amount else "held-out",
                    arguments.repeats,
                )
                print(f"{cell(found):>10}", end="", flush=True)
            print(flush=True)


def of_run(arguments: argparse.Namespace) -> None:
    run = Run(arguments.run)
    poster, intro = run.vectors
    honest = single(1 - poster.astype(np.float64) @ intro.T)
    held_out = np.setdiff1d(np.arange(len(honest)), run.train_rows)
    print(f"{arguments.run.name}: verdicts on its D, N = {len(honest)}, by how much entries are lowered")
    print(f"{'lowered':<10}" + "".join(f"{amount:>7g}" for amount in arguments.amounts or OF_A_RUN))
    for part in arguments.parts.split(","):
        print(f"{part:<10}", end="", flush=True)
        for amount in arguments.amounts or OF_A_RUN:
            D, rows = honest.copy(), chosen(part, held_out, len(honest), np.random.default_rng(0))
            D[rows, rows] -= amount
            print(f"{worst(audit_matrix(D, run.train_rows)):>7}", end="", flush=True)
        print(flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--movies", type=int, default=600)
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--kinds", default="", help="words of names of matrices, with commas between; all without it")
    parser.add_argument("--parts", default="held-out,half", help=f"some of {','.join(PARTS)}")
    parser.add_argument("--amounts", type=lambda text: tuple(float(one) for one in text.split(",")))
    parser.add_argument("--honest", action="store_true", help="honest matrices only: the rate of false accusations")
    parser.add_argument("--run", type=Path, help="take this run's D in place of random ones")
    arguments = parser.parse_args()
    (of_random if arguments.run is None else of_run)(arguments)


if __name__ == "__main__":
    main()
