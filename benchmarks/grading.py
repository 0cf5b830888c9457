"""Makes sixty submissions, forty honest and twenty fakes, grades them, and says who was accused and who was found.

    python benchmarks/grading.py --data DIR --work DIR [--runs RUN ...] [--jobs 0]

Honest ones come from fast recipes that are trained here, from cross-encoders (full rank), and from the finished runs given,
in every form in which a student may hand them in. WORK/submissions holds what was made, WORK/out the tables and sheets.
Ends with 1 where an honest one FAILs or a fake is not found as it can be.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from audit_power import csls, first, pulled, sinkhorn, tied
from numpy.typing import NDArray
from safetensors.numpy import save_file
from scipy.io import savemat

from cinealign import Catalogue, Recipe, align
from cinealign.evaluation.metrics import DIRECTIONS, evaluate_distances, evaluate_vectors
from cinealign.grading.desk import alike_notebooks, grade
from cinealign.grading.order import known_orders
from cinealign.grading.resemblance import alike
from cinealign.grading.table import write_grades
from cinealign.run import Run

Matrix = NDArray[np.floating[Any]]
HONEST = 40
RECIPES = [
    ("cca", ["seed=1", "align.0.dimensions=24"]),
    ("cca", ["seed=2", "align.0.ridge=100"]),
    ("cca", ["seed=3", "views.intro={view: tfidf}"]),
    ("cca", ["seed=4", "views.intro={view: tfidf}", "align.0.dimensions=128"]),
    ("cca", ["seed=5", "align.0.dimensions=48", "align.0.ridge=10"]),
]
"""Trained in seconds once the frozen views are in the feature store."""
OWN_RUNS = 3
"""Trained ones that are handed in as runs of this program."""


@dataclass
class Model:
    """An honest model: vectors of both sides, or a D of full rank; and its run where it has one."""

    name: str
    sides: tuple[Matrix, Matrix] | None = None
    full: Matrix | None = None
    folder: Path | None = None

    def distances(self) -> Matrix:
        """(N, N) float64."""
        if self.full is not None:
            return self.full.copy()
        assert self.sides is not None
        return 1 - self.sides[0].astype(np.float64) @ self.sides[1].T.astype(np.float64)


@dataclass
class Made:
    """A submission: its name, what it is, and what has to be seen: "honest", FAIL, open, copy, claim or passages."""

    name: str
    kind: str
    expected: str


def unit(rows: Matrix) -> Matrix:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def trained(catalogue: Catalogue, work: Path) -> list[Model]:
    found = []
    for name, overrides in RECIPES:
        label = " ".join([name, *overrides])
        run = align(catalogue, Recipe.load(name, overrides), work / f"run-{len(found)}", force=True)
        found.append(Model(label, tuple(np.array(side) for side in run.vectors), None, run.folder))
    return found


def cross_encoder(model: Model, train: NDArray[np.int64], seed: int) -> Model:
    """A network that sees both sides at once, trained on train pairs against the others of a batch."""
    assert model.sides is not None
    torch.manual_seed(seed)
    poster, intro = (torch.tensor(unit(side[:, :128]), dtype=torch.float32) for side in model.sides)
    left, right = (torch.nn.Linear(poster.shape[1], 48, bias=bias) for bias in (True, False))
    head, scale = torch.nn.Linear(48, 1), torch.nn.Parameter(torch.tensor(5.0))
    parts = [*left.parameters(), *right.parameters(), *head.parameters(), scale]

    def scores(p: torch.Tensor, i: torch.Tensor) -> torch.Tensor:
        bent = torch.relu(8 * (left(p)[:, None] + right(i)[None]))
        return scale * (p @ i.T) + head(bent)[..., 0]

    optimiser = torch.optim.Adam(parts, 3e-3)
    random = np.random.default_rng(seed)
    for _ in range(120):
        rows = torch.from_numpy(random.choice(train, 128, replace=False))
        batch = scores(poster[rows], intro[rows])
        own = torch.arange(len(rows))
        loss = torch.nn.functional.cross_entropy(batch, own) + torch.nn.functional.cross_entropy(batch.T, own)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        D = -torch.cat([scores(poster[at : at + 64], intro) for at in range(0, len(poster), 64)])
    return Model(f"cross-encoder {seed} on {model.name}", full=D.numpy().astype(np.float64))


def part_of(model: Model, seed: int) -> Model:
    """The same recipe with fewer dimensions: a random 40 to 80 % of the coordinates."""
    assert model.sides is not None
    random = np.random.default_rng(seed)
    width = model.sides[0].shape[1]
    kept = random.permutation(width)[: max(8, int(width * random.uniform(0.4, 0.8)))]
    return Model(f"part {seed} of {model.name}", tuple(unit(side[:, kept]) for side in model.sides))


def save_D(write: Callable[[Path, Matrix, Catalogue], None]) -> Callable[[Path, Model, Catalogue], None]:  # noqa: N802
    return lambda folder, model, catalogue: write(folder, model.distances(), catalogue)


def labelled(folder: Path, D: Matrix, catalogue: Catalogue) -> None:
    order = np.random.default_rng(1).permutation(len(D))
    ids = catalogue.ids[order]
    pd.DataFrame(D[np.ix_(order, order)].round(5), index=ids, columns=ids).to_csv(folder / "distances.csv")


def by_file_name(folder: Path, D: Matrix, catalogue: Catalogue) -> None:
    order = known_orders(catalogue).get("of their ids sorted as text", np.arange(len(D)))
    np.save(folder / "D.npy", D[order].astype(np.float32))


def vectors(folder: Path, model: Model, form: str) -> None:
    if model.sides is None:
        np.save(folder / "D.npy", model.distances().astype(np.float32))
        return
    poster, intro = (np.asarray(side, dtype=np.float32) for side in model.sides)
    if form == "npz":
        np.savez(folder / "embeddings.npz", image=poster, text=intro)
    elif form == "pt":
        torch.save({"image": torch.from_numpy(poster), "text": torch.from_numpy(intro)}, folder / "embeddings.pt")
    elif form == "csv":
        for name, side in (("poster", poster[:, :256]), ("intro", intro[:, :256])):
            np.savetxt(folder / f"{name}_vectors.csv", side, delimiter=",", fmt="%.6f")
    else:
        np.save(folder / "img_features.npy", poster)
        np.save(folder / "txt_features.npy", intro)


FORMS: dict[str, Callable[[Path, Model, Catalogue], None]] = {
    "float32 .npy": save_D(lambda to, D, _: np.save(to / "D.npy", D.astype(np.float32))),
    "float16 .npy": save_D(lambda to, D, _: np.save(to / "D.npy", D.astype(np.float16))),
    "CSV of 4 decimals": save_D(lambda to, D, _: np.savetxt(to / "D.csv", D, delimiter=",", fmt="%.4f")),
    "vectors .npy": lambda to, model, _: vectors(to, model, "npy"),
    ".npz": save_D(lambda to, D, c: np.savez(to / "dist.npz", D=D.astype(np.float32), ids=c.ids)),
    ".pt": save_D(lambda to, D, _: torch.save(torch.from_numpy(D.astype(np.float32)), to / "D.pt")),
    "Euclidean without root": save_D(lambda to, D, _: np.save(to / "D.npy", (2 * D).astype(np.float32))),
    "Euclidean": save_D(lambda to, D, _: np.save(to / "D.npy", np.sqrt(np.maximum(2 * (D - min(0, D.min())), 0)))),
    "Sinkhorn": save_D(lambda to, D, _: np.save(to / "D.npy", sinkhorn(D / (10 * D.std())).astype(np.float32))),
    "CSLS": save_D(lambda to, D, _: np.save(to / "D.npy", csls(D).astype(np.float32))),
    "vectors .pt": lambda to, model, _: vectors(to, model, "pt"),
    ".safetensors": save_D(lambda to, D, _: save_file({"D": D.astype(np.float32)}, to / "D.safetensors")),
    ".mat": save_D(lambda to, D, _: savemat(to / "D.mat", {"D": D.astype(np.float32)})),
    "transposed": save_D(lambda to, D, _: np.save(to / "D.npy", np.ascontiguousarray(D.T).astype(np.float32))),
    "similarities": save_D(lambda to, D, _: np.save(to / "D.npy", (1 - D).astype(np.float32))),
    "rows by file name": save_D(by_file_name),
    "vectors .npz": lambda to, model, _: vectors(to, model, "npz"),
    "CSV with ids, mixed": save_D(labelled),
    "vectors .csv": lambda to, model, _: vectors(to, model, "csv"),
    "3 decimals": save_D(lambda to, D, _: np.save(to / "D.npy", np.round(D, 3).astype(np.float32))),
}


def notebook(folder: Path, claims: list[float], seed: int) -> None:
    """A notebook with kept outputs and with words and code of its own."""
    random = np.random.default_rng(seed)
    words = ["".join(random.choice(list("abcdefghijklmnoprstuvw"), 7)) for _ in range(60)]
    code = [
        f"{words[at]} = {words[at + 1]}.{words[at + 2]}({random.integers(9999)}, {words[at + 3]!r}) "
        f"+ {words[at + 4]}({random.integers(9999)}, rate={random.random():.6f}, steps={random.integers(9999)})\n"
        for at in range(0, 40, 5)
    ]
    prose = " ".join(words[40:52]) + ".\n" + " ".join(words[50:60]) + "."
    told = "".join(f"acc {claim:.4f}\n" for claim in claims)
    cells = [{"cell_type": "markdown", "source": prose}]
    cells += [{"cell_type": "code", "source": line, "outputs": []} for line in code]
    cells[-1]["outputs"] = [{"output_type": "stream", "text": told}]
    (folder / "work.ipynb").write_text(json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {}}))
    (folder / "report.pdf").write_bytes(b"%PDF-1.4")


def accuracies(D: Matrix, catalogue: Catalogue) -> list[float]:
    scored = evaluate_distances(D, None, catalogue.train_rows, samples=10)
    return [float(scored[direction]["all"]) for direction in DIRECTIONS]


def copy_run(model: Model, folder: Path, *, with_vectors: bool = False) -> Path:
    assert model.folder is not None
    left_out = () if with_vectors else ("vectors.safetensors",)
    return Path(shutil.copytree(model.folder, folder / "run", ignore=shutil.ignore_patterns(*left_out)))


def make_honest(models: list[Model], catalogue: Catalogue, to: Path) -> list[Made]:
    made, forms = [], list(FORMS.items())
    for number, model in enumerate(models):
        name = f"h{number + 1:02d}"
        folder = to / name
        folder.mkdir(parents=True)
        if number < OWN_RUNS:
            copy_run(model, folder)
            form = "run of this program"
        else:
            form, write = forms[(number - OWN_RUNS) % len(forms)]
            write(folder, model, catalogue)
        notebook(folder, accuracies(model.distances(), catalogue), number)
        if number % 3 == 0:
            shutil.make_archive(str(to / name), "zip", to, name)
            shutil.rmtree(folder)
        made.append(Made(name, f"{form}: {model.name}", "honest"))
    return made


def lower(amount: float, share: float = 1.0) -> Callable[[Matrix, NDArray[np.int64], np.random.Generator], None]:
    def change(D: Matrix, held_out: NDArray[np.int64], random: np.random.Generator) -> None:
        rows = random.permutation(held_out)[: int(share * len(held_out))]
        D[rows, rows] -= amount * D.std()

    return change


def unset(D: Matrix, held_out: NDArray[np.int64], random: np.random.Generator) -> None:
    D[held_out, held_out] = np.nan


def make_fakes(
    models: list[Model], full: list[Model], spare: list[Model], catalogue: Catalogue, to: Path
) -> list[Made]:
    random, held_out, n = np.random.default_rng(7), catalogue.held_out_rows, len(catalogue)
    made: list[Made] = []

    def begin(kind: str, expected: str) -> Path:
        made.append(Made(f"f{len(made) + 1:02d}", kind, expected))
        folder = to / made[-1].name
        folder.mkdir(parents=True)
        return folder

    def matrix(kind: str, expected: str, D: Matrix, claims: list[float] | None = None) -> None:
        folder = begin(kind, expected)
        np.save(folder / "D.npy", D.astype(np.float32))
        finite = np.isfinite(D).all()
        notebook(folder, claims or (accuracies(D, catalogue) if finite else [0.9, 0.9]), 900 + len(made))

    half = np.array(random.permutation(held_out)[: len(held_out) // 2])
    for kind, expected, model, change in (
        ("low rank: held-out lowered by 1 sd", "FAIL", spare[0], lower(1)),
        ("low rank: half of held-out lowered by 0.3 sd", "FAIL", spare[1], lower(0.3, 0.5)),
        ("low rank: a tenth of held-out lowered by 0.1 sd", "FAIL", spare[2], lower(0.1, 0.1)),
        ("full rank: held-out lowered by 1 sd", "open", full[0], lower(1)),
        ("full rank: held-out lowered by 4 sd", "open", full[1], lower(4)),
        ("full rank: half of held-out put on rank k / 2", "FAIL", full[2], lambda D, _, r: tied(D, half, r)),
        ("full rank: half of held-out pulled inside k", "open", full[3], lambda D, _, r: pulled(D, half, r)),
        ("full rank: held-out put first", "FAIL", full[4], first),
        ("NaN on the held-out diagonal", "FAIL", spare[3], unset),
    ):
        D = model.distances()
        change(D, held_out, random)
        matrix(kind, expected, D)
    sides = spare[4].sides
    assert sides is not None
    matrix("one side twice", "FAIL", 1 - sides[0] @ sides[0].T)
    D = spare[4].distances()
    np.fill_diagonal(D, D.min())
    matrix("diagonal of one value", "FAIL", D)
    everything = replace(catalogue, train_rows=np.arange(n), held_out_rows=np.array([], dtype=np.int64))
    cheat = align(everything, Recipe.load("cca", ["seed=9", "align.0.ridge=1"]), to.parent / "run-cheat", force=True)
    poster, intro = cheat.vectors
    matrix("trained on held-out pairs, D alone", "open", 1 - poster @ intro.T)
    forged = copy_run(
        Model("", folder=cheat.folder), begin("trained on held-out pairs, run with the split forged", "FAIL")
    )
    honest = models[0].folder
    assert honest is not None
    shutil.copy(honest / "catalogue.json", forged / "catalogue.json")
    told = json.loads((forged / "metrics.json").read_text())
    scored = evaluate_vectors(poster, intro, catalogue.ids, catalogue.train_rows, samples=100)
    (forged / "metrics.json").write_text(json.dumps({**told, **scored}))
    raised = copy_run(models[1], begin("metrics.json raised", "FAIL"))
    told = json.loads((raised / "metrics.json").read_text())
    told["poster_to_intro"]["all"] = 0.93
    (raised / "metrics.json").write_text(json.dumps(told))
    moved = copy_run(models[2], begin("vectors of held-out pairs moved together", "FAIL"), with_vectors=True)
    poster, intro = (np.array(side) for side in Run(moved).vectors)
    intro[held_out] = unit(intro[held_out] + 2 * poster[held_out])
    save_file({"poster": poster, "intro": intro.astype(np.float32)}, moved / "vectors.safetensors")
    source, noise = models[8].distances(), random.normal(size=(2, n, n))
    matrix("copy with noise of 0.05 sd", "copy", source + 0.05 * source.std() * noise[0])
    matrix("second copy with noise of 0.2 sd, scaled", "copy", 3 * source + 0.6 * source.std() * noise[1] + 1)
    order, source = random.permutation(n), models[9].distances()
    matrix("copy with items in another order", "copy", source[np.ix_(order, order)])
    matrix("accuracies claimed that D does not give", "claim", spare[5].distances(), [0.97, 0.98])
    matrix("another's notebook with names changed", "passages", spare[6].distances())
    copied = json.loads((to / "h05" / "work.ipynb").read_text())
    for cell in copied["cells"][1:]:
        head, _, tail = cell["source"].partition(" = ")
        cell["source"] = f"renamed_{len(head)} = {tail}" if tail else cell["source"]
    copied["cells"] = [copied["cells"][0], *copied["cells"][:0:-1]]
    (to / made[-1].name / "work.ipynb").write_text(json.dumps(copied))
    return made


def judge_all(made: list[Made], submissions: Path, out: Path, catalogue: Catalogue, jobs: int) -> bool:
    begun = time.monotonic()
    rows = grade(submissions, catalogue, jobs=jobs)
    pairs, notebooks = list(alike(rows)), alike_notebooks(rows)
    for lang in ("en", "zh"):
        write_grades(rows, pairs, out / lang, lang, notebooks)
    seconds = time.monotonic() - begun
    by_name = {row.name: row for row in rows}
    copies = {row.name for one, other, _ in pairs for row in (one, other)}
    shared = {row.name for one, other, _ in notebooks for row in (one, other)}
    print(f"{'':<5}{'sum':>7}{'audit':>7}  {'seen':<6}what was handed in")
    right = 0
    for one in made:
        row = by_name[one.name]
        seen = {
            "honest": row.verdict != "FAIL" and bool(row.metrics),
            "FAIL": row.verdict == "FAIL",
            "open": row.verdict in ("FAIL", "NOTE"),
            "copy": one.name in copies,
            "claim": any(line.startswith("claims") for line in row.remarks),
            "passages": one.name in shared,
        }[one.expected]
        right += seen
        score = f"{row.metrics['acc_sum']:.3f}" if row.metrics else "-"
        print(f"{one.name:<5}{score:>7}{row.verdict:>7}  {'yes' if seen else 'NO':<6}{one.kind}")
        if not seen:
            print("     ", *row.remarks, *(found.line() for found in row.findings), sep="\n      ")
    for one, other, said in pairs:
        print(f"{one.name} ~ {other.name}: {said}")
    for one, other, said in notebooks:
        print(f"{one.name} ~ {other.name}: {said.line()}")
    honest = [one for one in made if one.expected == "honest"]
    accused = sum(by_name[one.name].verdict == "FAIL" for one in honest)
    print(f"{len(honest)} honest, {accused} accused; {right} of {len(made)} seen as they should be; {seconds:.0f} s")
    return right == len(made)


def main(given: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True, help="folder to make; its submissions are made anew")
    parser.add_argument(
        "--runs", type=Path, nargs="*", default=[], help="finished runs on this data, as further models"
    )
    parser.add_argument("--jobs", type=int, default=0)
    arguments = parser.parse_args(given)
    catalogue = Catalogue.load(arguments.data)
    submissions = arguments.work / "submissions"
    shutil.rmtree(submissions, ignore_errors=True)
    submissions.mkdir(parents=True)
    ours = trained(catalogue, arguments.work)
    runs = [Model(run.recipe.name, tuple(np.array(side) for side in run.vectors)) for run in map(Run, arguments.runs)]
    bases = [*runs, *ours]
    full = [cross_encoder(bases[seed % len(bases)], catalogue.train_rows, seed) for seed in range(10)]
    honest = [*ours, *runs, *full[:5]]
    parts = [part_of(bases[seed % len(bases)], seed) for seed in range(HONEST)]
    made = make_honest([*honest, *parts[: HONEST - len(honest)]], catalogue, submissions)
    made += make_fakes(honest, full[5:], parts[-7:], catalogue, submissions)
    return 0 if judge_all(made, submissions, arguments.work / "out", catalogue, arguments.jobs) else 1


if __name__ == "__main__":
    sys.exit(main())
