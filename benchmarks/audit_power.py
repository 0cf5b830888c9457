"""What the audit of a foreign D catches and what it takes for a fake: shares of random matrices that FAIL.

    python benchmarks/audit_power.py [--movies 600] [--repeats 20] [--run RUN]

Matrices are products of random vectors whose partners share a part, as of a fitted model: remembered train pairs, partly
related held-out ones. Full-rank ones get a sparse part beside, as of words that both sides hold. With --run the same fakes are
made of that run's D.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cinealign.audit.findings import worst
from cinealign.audit.matrix import audit_matrix
from cinealign.run import Run

Matrix = NDArray[np.float64]
AMOUNTS = (0.0, 1e-4, 1e-3, 1e-2, 0.1, 0.5, 1.0, 2.0)
"""By how much held-out diagonals are lowered, in standard deviations of D; 0 is honest."""


def unit(rows: Matrix) -> Matrix:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def products(n: int, dimensions: int, random: np.random.Generator) -> Matrix:
    spectrum = np.linspace(1, 0.1, dimensions)
    poster = random.normal(size=(n, dimensions)) * spectrum
    share = np.where(np.arange(n) < int(0.6 * n), 2.0, random.gamma(1.0, 0.5, n))[:, None]
    return unit(poster) @ unit(share * poster + random.normal(size=(n, dimensions)) * spectrum).T


def low_rank(n: int, random: np.random.Generator) -> Matrix:
    return 1 - products(n, 64, random)


def full_rank(n: int, random: np.random.Generator) -> Matrix:
    """Words of a long vocabulary; a held-out pair shares one in half of the cases."""
    words, poster, intro = 6 * n, np.zeros((n, 6 * n)), np.zeros((n, 6 * n))
    for row in range(n):
        poster[row, random.zipf(1.3, 8) % words] = 1
        intro[row, random.zipf(1.3, 20) % words] = 1
        if random.random() < 0.5:
            own = random.integers(0, words)
            poster[row, own] = intro[row, own] = 2
    return low_rank(n, random) - 0.3 * unit(poster) @ unit(intro).T


FORMS: dict[str, Callable[[Matrix], Matrix]] = {
    "float32": lambda D: D.astype(np.float32),
    "float16": lambda D: D.astype(np.float16),
    "3 decimals": lambda D: np.round(D, 3),
    "Euclidean": lambda D: np.sqrt(np.maximum(2 * D, 1e-6)).astype(np.float32),
}


def lowered(D: Matrix, held_out: NDArray[np.int64], amount: float, random: np.random.Generator) -> Matrix:
    """Each held-out diagonal less a random part of twice `amount` standard deviations: `amount` on average."""
    faked = D.copy()
    faked[held_out, held_out] -= amount * D.std() * 2 * random.random(len(held_out))
    return faked


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--movies", type=int, default=600)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--run", type=Path)
    arguments = parser.parse_args()
    print("share of matrices that FAIL, by how much held-out diagonals are lowered (mean, in standard deviations of D)")
    print(f"{'matrix':<22}" + "".join(f"{amount:>8g}" for amount in AMOUNTS))
    if arguments.run is not None:
        run = Run(arguments.run)
        poster, intro = run.vectors
        D, train = 1 - poster.astype(np.float64) @ intro.T, run.train_rows
        row(f"{arguments.run.name}", lambda _: D, FORMS["float32"], train, 1)
        return
    train = np.arange(int(0.6 * arguments.movies))
    for name, make in (("low rank", low_rank), ("full rank", full_rank)):
        for form, change in FORMS.items() if name == "low rank" else [("float32", FORMS["float32"])]:
            row(f"{name}, {form}", lambda r, make=make: make(arguments.movies, r), change, train, arguments.repeats)


def row(
    name: str, make: Callable[..., Matrix], form: Callable[[Matrix], Matrix], train: NDArray[np.int64], repeats: int
) -> None:
    shares = []
    for amount in AMOUNTS:
        caught = 0
        for repeat in range(repeats):
            random = np.random.default_rng(repeat)
            D = make(random)
            held_out = np.setdiff1d(np.arange(len(D)), train)
            caught += worst(audit_matrix(form(lowered(D, held_out, amount, random)), train)) == "FAIL"
        shares.append(caught / repeats)
    print(f"{name:<22}" + "".join(f"{share:>8.2f}" for share in shares), flush=True)


if __name__ == "__main__":
    main()
