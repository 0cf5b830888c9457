"""A fair comparison: every recipe with the same seeds on the same movies, and which differences are real.

| file in the comparison's folder | what |
|---|---|
| NAME/seed-S/ | the run of recipe NAME with seed S |
| NAME/seed-S.json | what that run cost: seconds, and how much of it was looking at items for the first time |
| comparison.json | everything |
| comparison.csv, differences.csv | a row a recipe; a row a pair of recipes |
| comparison.md | both as tables for a report |
| comparison.pdf, comparison.png | held-out accuracy of every recipe with interval, seeds and chance |
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cinealign.data.catalogue import Catalogue
from cinealign.errors import ConfigError, DataError, damage_refused
from cinealign.evaluation.accuracy import course_score, top_k
from cinealign.evaluation.comparison import holm
from cinealign.evaluation.metrics import DIRECTIONS, TASK_RATIO, ranks_both_ways, split_rows
from cinealign.evaluation.statistics import LEVEL, SAMPLES, bootstrap, percentiles
from cinealign.out import partial
from cinealign.pipeline import align
from cinealign.progress import say
from cinealign.recipe import Recipe
from cinealign.run import Run
from cinealign.studies.watched_store import WatchedStore
from cinealign.version import __version__
from cinealign.views.store import FeatureStore

_DELETE = "delete this run, and it is made again"
Hits = NDArray[np.int64]
"""(N, 2): in how many of the seeds movie i is found, poster to intro and intro to poster."""


def compare(
    catalogue: Catalogue,
    recipes: Sequence[Recipe],
    out: Path,
    *,
    seeds: int = 5,
    store: FeatureStore | None = None,
    force: bool = False,
) -> dict[str, Any]:
    """Run every recipe with every seed, where that is not done yet, and compare them.

    Seeds are the recipe's own and the next ones. A movie's hit is averaged over seeds before anything is drawn again, so
    intervals and tests are about movies; what the seed changes is shown beside them as a spread. An interrupted comparison
    goes on where it stopped. Times are as seen, on a machine that may have had other work.

    Args:
        catalogue: movies and split, the same for all.
        recipes: one at least, no two of one name.
        out: folder of the comparison, made here.
        seeds: runs of each recipe.
        store: of features; the user's own where None.
        force: replace runs in `out` that are of another recipe or other data.
    Returns:
        What comparison.json holds: `n`, `k`, `ratio`, `chance`, `split` (movies of each), `seeds`; `recipes`, one dict
        each as `summary` gives it; `differences`, one dict a pair as `differences` gives it.
    Raises:
        ConfigError: no recipe, two of one name, or a run of something else at a place that is needed.
    """
    _check(recipes, seeds)
    store = store or FeatureStore()
    planned = {r.name: [r.model_copy(update={"seed": r.seed + s}) for s in range(seeds)] for r in recipes}
    reusable = {
        (name, recipe.seed): _finished(_folder(out, recipe), recipe, catalogue, force)
        for name, runs in planned.items()
        for recipe in runs
    }
    splits = split_rows(catalogue.train_rows, len(catalogue))
    k, entries, hits = top_k(TASK_RATIO, len(catalogue)), [], {}
    for name, variants in planned.items():
        found, costs = [], []
        for recipe in variants:
            folder = _folder(out, recipe)
            run = reusable[name, recipe.seed]
            if run is None:
                run = _make(catalogue, recipe, folder, store, force)
            else:
                say(f"{folder}: finished before, used again")
            ranks = _ranks(run)
            found.append(ranks <= k)
            costs.append(_cost(folder))
            parameters = learned_numbers(run.folder / "model")
        hits[name] = np.sum(found, axis=0)
        entries.append(
            {
                "recipe": name,
                "description": variants[0].description,
                "seeds": [recipe.seed for recipe in variants],
                **summary(np.stack(found), splits),
                "parameters": parameters,
                "seconds": _mean([cost["fit_seconds"] for cost in costs if cost]),
                "runs": [
                    {"folder": str(_folder(out, recipe)), **(cost or {})}
                    for recipe, cost in zip(variants, costs, strict=True)
                ],
            }
        )
    return {
        "n": len(catalogue),
        "k": k,
        "ratio": TASK_RATIO,
        "chance": k / len(catalogue),
        "split": {split: len(rows) for split, rows in splits.items()},
        "seeds": seeds,
        "data": {
            "source": catalogue.source,
            "digest": catalogue.digest,
            "assignment": catalogue.report.assignment,
        },
        "recipes": entries,
        "differences": differences({name: each[splits["held_out"]] for name, each in hits.items()}, seeds),
    }


def summary(hits: NDArray[np.bool_], splits: dict[str, NDArray[np.int64]], samples: int = SAMPLES) -> dict[str, Any]:
    """Accuracies of one recipe.

    Args:
        hits: (S, N, 2) which movies each seed finds, poster to intro and intro to poster.
        splits: name -> rows.
        samples: of the bootstrap over movies.
    Returns:
        `accuracy[direction][split]`: `mean` over seeds, `interval` (95 %, by movie, of hits averaged over seeds), `spread`
        (standard deviation over seeds, None for one), `seeds` (each one's accuracy); None for a split without movies.
        `acc_sum` (both directions, all movies) likewise; `held_out_sum` likewise; `course_score`, the mean over seeds.
    """
    accuracy: dict[str, Any] = {direction: {} for direction in DIRECTIONS}
    sums: dict[str, Any] = {}
    for split, rows in splits.items():
        if not len(rows):
            sums[split] = None
            for direction in DIRECTIONS:
                accuracy[direction][split] = None
            continue
        chosen = hits[:, rows]  # (S, Q, 2)
        drawn = bootstrap(chosen.mean(axis=0), samples=samples)  # (samples, 2)
        of_seeds = chosen.mean(axis=1)  # (S, 2)
        for side, direction in enumerate(DIRECTIONS):
            accuracy[direction][split] = _measure(of_seeds[:, side], drawn[:, side])
        sums[split] = _measure(of_seeds.sum(axis=1), drawn.sum(axis=1))
    course = [course_score(*pair) for pair in hits.mean(axis=1).tolist()]
    return {
        "accuracy": accuracy,
        "acc_sum": sums["all"],
        "held_out_sum": sums["held_out"],
        "course_score": float(np.mean(course)),
    }


def differences(hits: dict[str, Hits], seeds: int) -> list[dict[str, Any]]:
    """Every pair of recipes on the same movies, as `comparison.paired_bootstrap` would judge it.

    The tests are about the sum of both directions, corrected by Holm over all pairs; the directions' own are corrected
    among themselves. The more pairs, the more samples are drawn, else no p-value could survive the correction.

    Args:
        hits: name -> (Q, 2) number of seeds that find the movie.
        seeds: of each recipe.
    Returns:
        One dict a pair: `first`, `second`, and for `sum` and each direction `difference` (second - first), `interval`,
        `p`, `p_holm`, `real` (p_holm < 0.05).
    """
    pairs = list(combinations(hits, 2))
    movies = len(next(iter(hits.values())))
    if not pairs or not movies:
        return []
    samples = max(SAMPLES, 200 * 2 * len(pairs))
    # Whole numbers of hits: a drawn difference of exactly 0 must not become 1e-17.
    columns = [
        np.column_stack([hits[second] - hits[first], (hits[second] - hits[first]).sum(axis=1)])
        for first, second in pairs
    ]
    drawn = bootstrap(np.concatenate(columns, axis=1), samples=samples).reshape(samples, len(pairs), 3)
    intervals = percentiles(drawn.reshape(samples, -1)).reshape(len(pairs), 3, 2) / seeds
    found: list[dict[str, Any]] = []
    for at, (first, second) in enumerate(pairs):
        pair: dict[str, Any] = {"first": first, "second": second, "movies": movies, "samples": samples}
        for column, name in enumerate((*DIRECTIONS, "sum")):
            below, above = (drawn[:, at, column] <= 0).sum(), (drawn[:, at, column] >= 0).sum()
            pair[name] = {
                "difference": float(columns[at][:, column].mean()) / seeds,
                "interval": intervals[at, column].tolist(),
                "p": min(1.0, 2 * (1 + int(min(below, above))) / (samples + 1)),
            }
        found.append(pair)
    for family in ([pair["sum"] for pair in found], [pair[d] for pair in found for d in DIRECTIONS]):
        for test, adjusted in zip(family, holm([test["p"] for test in family]), strict=True):
            test["p_holm"], test["real"] = adjusted, adjusted < 1 - LEVEL
    return found


def learned_numbers(model: Path) -> int:
    """How many real numbers a saved model holds in all, kept train items of `memory` included; whole numbers (columns of
    a hash, say) are not learned and not counted, nor are frozen weights, which no model folder holds.
    """
    from safetensors import safe_open

    count = 0
    for file in sorted(model.glob("*.safetensors")):
        with damage_refused(DataError, file, _DELETE), safe_open(file, framework="numpy") as opened:
            for name in opened.keys():  # noqa: SIM118
                part = opened.get_slice(name)
                if part.get_dtype().startswith(("F", "BF")):
                    count += math.prod(part.get_shape())
    return count


def _check(recipes: Sequence[Recipe], seeds: int) -> None:
    if not recipes:
        raise ConfigError("name a recipe to compare; `cinealign recipes` lists them")
    if seeds < 1:
        raise ConfigError(f"seeds must be >= 1, got {seeds}")
    names = [recipe.name for recipe in recipes]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"two recipes are named {name!r}; give one of them another `name`")


def _folder(out: Path, recipe: Recipe) -> Path:
    return out / recipe.name / f"seed-{recipe.seed}"


def _finished(folder: Path, recipe: Recipe, catalogue: Catalogue, force: bool) -> Run | None:
    """The finished run of this recipe on this data at `folder`; None where one has to be made."""
    if not (folder / "metrics.json").is_file():
        return None
    run = Run(folder)
    with damage_refused(DataError, folder, _DELETE):
        made_by = json.loads((folder / "environment.json").read_text(encoding="utf-8")).get("cinealign")
        kept = (folder / "recipe.yaml").read_text(encoding="utf-8"), run.catalogue["digest"], made_by
    if kept == (recipe.to_yaml(), catalogue.digest, __version__):
        return run
    if force:
        return None
    raise ConfigError(
        f"{folder} is a run of another recipe, data or version; pass --force to replace it, or another --out"
    )


def _make(catalogue: Catalogue, recipe: Recipe, folder: Path, store: FeatureStore, force: bool) -> Run:
    """Make the run and keep beside it what it cost; of an interrupted run only the last part is known."""
    say(f"{folder}: running")
    cost_file = folder.with_name(f"{folder.name}.json")
    cost_file.unlink(missing_ok=True)
    resumed, watched, began = (partial(folder) / "identity").is_file(), WatchedStore(store), time.monotonic()
    run = align(catalogue, recipe, folder, store=watched, force=force)
    total = time.monotonic() - began
    cost = {
        "seconds": total,
        "feature_seconds": watched.seconds,
        "fit_seconds": None if resumed else total - watched.seconds,
        "store": "cold" if watched.computed else "warm",
        "computed_items": watched.computed,
        "resumed": resumed,
    }
    cost_file.write_text(json.dumps(cost, indent=1) + "\n", encoding="utf-8")
    return run


def _cost(folder: Path) -> dict[str, Any] | None:
    file = folder.with_name(f"{folder.name}.json")
    if not file.is_file():
        return None
    with damage_refused(DataError, file, "delete it; the run itself stays"):
        cost: dict[str, Any] = {**json.loads(file.read_text(encoding="utf-8"))}
        cost["fit_seconds"] = None if cost["fit_seconds"] is None else float(cost["fit_seconds"])
    return cost


def _ranks(run: Run) -> NDArray[np.int64]:
    """(N, 2) ranks of both directions."""
    return np.stack(list(ranks_both_ways(*run.vectors, run.ids).values()), axis=1)


def _measure(of_seeds: NDArray[np.float64], drawn: NDArray[np.float64]) -> dict[str, Any]:
    return {
        "mean": float(of_seeds.mean()),
        "interval": percentiles(drawn).tolist()[0],
        "spread": float(of_seeds.std(ddof=1)) if len(of_seeds) > 1 else None,
        "seeds": of_seeds.tolist(),
    }


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
