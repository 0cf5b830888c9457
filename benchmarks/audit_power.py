"""What the audit of a foreign D catches and what it takes for a fake: verdicts on random matrices, or on D of real runs.

    python benchmarks/audit_power.py [--movies 600] [--repeats 10] [--faked 5] [--kinds low,words] [--parts held-out,half]
    python benchmarks/audit_power.py --run RUN [--amounts 0,0.001,0.01,0.1]
    python benchmarks/audit_power.py --forms RUN [RUN ...]

A cell is the share of matrices that FAIL, and after a + the share that are left open (NOTE); the rest PASS. The column honest
is the rate of false accusations, over all `--repeats`; the others are fakes of the first `--faked` matrices. Train pairs of the
matrices are remembered, held-out ones partly related. Amounts are standard deviations of D, random between 0 and twice the
amount for each pair; with --run they are distances, the same for each pair. `pulled` puts partners just behind the entry at a
random rank from 5 to k, `tied` on the entry at rank k / 2, `first` before all others. `--forms` takes the D of real runs in
every form in which a student may hand it in; all of these are honest.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cinealign.audit.diagonal import bind_diagonal
from cinealign.audit.findings import Finding, worst
from cinealign.audit.matrix import audit_matrix
from cinealign.evaluation.accuracy import top_k
from cinealign.run import Run

Matrix = NDArray[np.float64]
Rows = NDArray[np.int64]
AMOUNTS = (1e-3, 1e-2, 0.1, 0.3, 0.5, 1.0, 2.0, 4.0)
OF_A_RUN = (0.0, 0.001, 0.003, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5)
PARTS = ("held-out", "half", "tenth", "all")
"""Which pairs are changed: all held-out ones, a random half or tenth of them, or train pairs too."""


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


FORMS: dict[str, Callable[[Matrix], NDArray[np.floating]]] = {
    "float32": single,
    "float16": lambda D: D.astype(np.float16),
    "CSV, 4 dec.": lambda D: np.round(D, 4),
    "3 dec.": lambda D: np.round(D, 3),
    "Euclidean": lambda D: single(np.sqrt(np.maximum(2 * D, 0))),
    "no root": lambda D: single(2 * D),
    "angle": lambda D: single(np.arccos(np.clip(1 - D, -1, 1))),
    "CSLS": lambda D: single(csls(D)),
    "Sinkhorn": lambda D: single(sinkhorn(D)),
    "1 - softmax": lambda D: single(1 - np.exp(-D / 0.05) / np.exp(-D / 0.05).sum(axis=1, keepdims=True)),
    "rows to 0-1": lambda D: single((D - D.min(axis=1, keepdims=True)) / np.ptp(D, axis=1, keepdims=True)),
    "ranks": lambda D: single(np.argsort(np.argsort(D, axis=1), axis=1) / len(D)),
}
"""Forms in which a D of vectors may be handed in."""


def pulled(D: NDArray[np.floating], rows: Rows, random: np.random.Generator) -> None:
    """Partners that are farther are put just behind the entry at a random rank of their row, inside k."""
    k = top_k(0.05, len(D))
    near = np.sort(D[rows], axis=1)
    at = random.integers(5, max(6, k - 1), len(rows))
    here, beyond = near[np.arange(len(rows)), at], near[np.arange(len(rows)), at + 1]
    D[rows, rows] = np.minimum(D[rows, rows], here + (beyond - here) * random.random(len(rows)))


def tied(D: NDArray[np.floating], rows: Rows, random: np.random.Generator) -> None:
    """Partners that are farther get the entry at rank k / 2 of their row."""
    D[rows, rows] = np.minimum(D[rows, rows], np.sort(D[rows], axis=1)[:, top_k(0.05, len(D)) // 2])


def first(D: NDArray[np.floating], rows: Rows, random: np.random.Generator) -> None:
    """Partners get a distance below every other one."""
    D[rows, rows] = float(D.min()) - float(D.astype(np.float64).std()) * (0.1 + random.random(len(rows)))


FAKES = {"pulled": pulled, "tied": tied, "first": first}


def lowered(D: NDArray[np.floating], rows: Rows, random: np.random.Generator, amount: float) -> None:
    by = amount * float(D.astype(np.float64).std()) * 2 * random.random(len(rows))
    D[rows, rows] -= by.astype(D.dtype)


def chosen(part: str, held_out: Rows, n: int, random: np.random.Generator) -> Rows:
    if part == "all":
        return np.arange(n)
    share = {"held-out": 1.0, "half": 0.5, "tenth": 0.1}[part]
    return random.permutation(held_out)[: round(share * len(held_out))]


def cell(found: Counter[str]) -> str:
    total = sum(found.values())
    if not total:
        return "-"
    fail, left_open = found["FAIL"] / total, found["NOTE"] / total
    return f"{fail:.2f}" + (f"+{left_open:.2f}" if left_open else "")


def failing(findings: list[Finding]) -> str:
    return ", ".join(one.check for one in findings if one.verdict == "FAIL")


def of_random(arguments: argparse.Namespace) -> None:
    n = arguments.movies
    train, held_out = np.arange(int(0.6 * n)), np.arange(int(0.6 * n), n)
    amounts, parts = arguments.amounts or AMOUNTS, arguments.parts.split(",")
    print(f"N = {n}, {arguments.repeats} honest matrices a kind, {arguments.faked} of each faked: share FAIL+NOTE")
    print(f"{'matrix':<34}{'changed':<10}{'honest':>10}" + "".join(f"{amount:>10g}" for amount in amounts), end="")
    print("".join(f"{name:>10}" for name in FAKES))
    for name, make in KINDS.items():
        if arguments.kinds and not any(word in name for word in arguments.kinds.split(",")):
            continue
        honest: Counter[str] = Counter()
        found = {(part, fake): Counter() for part in parts for fake in (*amounts, *FAKES)}
        for repeat in range(arguments.repeats):
            D = make(n, np.random.default_rng(repeat))
            bound = bind_diagonal(D)
            findings = audit_matrix(D, train, bound)
            honest[worst(findings)] += 1
            if worst(findings) == "FAIL":
                print(f"# {name}, seed {repeat}, is honest and FAILs: {failing(findings)}", flush=True)
            for part, fake in found if repeat < arguments.faked else ():
                changed, random = D.copy(), np.random.default_rng(repeat)
                rows = chosen(part, held_out, n, random)
                if isinstance(fake, str):
                    FAKES[fake](changed, rows, random)
                else:
                    lowered(changed, rows, random, fake)
                found[part, fake][worst(audit_matrix(changed, train, bound))] += 1
        for part in parts:
            print(f"{name:<34}{part:<10}{cell(honest):>10}", end="")
            print("".join(f"{cell(found[part, fake]):>10}" for fake in (*amounts, *FAKES)), flush=True)


def honest_distances(folder: Path) -> tuple[Matrix, Run]:
    run = Run(folder)
    poster, intro = run.vectors
    return 1 - poster.astype(np.float64) @ intro.T.astype(np.float64), run


def of_forms(folders: list[Path]) -> None:
    print(
        "verdicts on the honest D of real runs, by the form in which it is handed in (of what: the diagonal's binding)"
    )
    print(f"{'recipe':<20}" + "".join(f"{name:>13}" for name in FORMS))
    for folder in folders:
        D, run = honest_distances(folder)
        print(f"{run.recipe.name:<20}", end="", flush=True)
        accused = []
        for name, form in FORMS.items():
            findings = audit_matrix(form(D), run.train_rows)
            print(f"{worst(findings):>13}", end="", flush=True)
            accused += [f"# {name}: {one.line()}" for one in findings if one.verdict == "FAIL"]
        print("", *accused, sep="\n", flush=True)


def of_run(arguments: argparse.Namespace) -> None:
    exact, run = honest_distances(arguments.run)
    honest = single(exact)
    held_out = np.setdiff1d(np.arange(len(honest)), run.train_rows)
    bound = bind_diagonal(honest)
    print(f"{run.recipe.name}: verdicts on its D, N = {len(honest)}, by how much entries are lowered")
    print(f"{'lowered':<10}" + "".join(f"{amount:>7g}" for amount in arguments.amounts or OF_A_RUN))
    for part in arguments.parts.split(","):
        print(f"{part:<10}", end="", flush=True)
        for amount in arguments.amounts or OF_A_RUN:
            D, rows = honest.copy(), chosen(part, held_out, len(honest), np.random.default_rng(0))
            D[rows, rows] -= amount
            print(f"{worst(audit_matrix(D, run.train_rows, bound)):>7}", end="", flush=True)
        print(flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--movies", type=int, default=600)
    parser.add_argument("--repeats", type=int, default=10, help="honest matrices of each kind")
    parser.add_argument("--faked", type=int, default=5, help="how many of them are faked as well")
    parser.add_argument("--kinds", default="", help="words of names of matrices, with commas between; all without it")
    parser.add_argument("--parts", default="held-out,half,tenth", help=f"some of {','.join(PARTS)}")
    parser.add_argument("--amounts", type=lambda text: tuple(float(one) for one in text.split(",")))
    parser.add_argument("--run", type=Path, help="lower the diagonal of this run's D in place of random ones")
    parser.add_argument("--forms", type=Path, nargs="+", metavar="RUN", help="judge the D of these runs in every form")
    arguments = parser.parse_args()
    if arguments.forms:
        of_forms(arguments.forms)
    else:
        (of_random if arguments.run is None else of_run)(arguments)


if __name__ == "__main__":
    main()
