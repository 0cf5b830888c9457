"""The ladder to the recipe `closed-forms-best`: what each part adds on folds inside the train movies.

python benchmarks/ladder.py --data DIR               what the choices were made on
python benchmarks/ladder.py --data DIR --held-out    and, afterwards, what the steps give on held-out movies
python benchmarks/ladder.py --data DIR --csv FILE    the steps as a file for cinealign report RUN --ladder FILE

Every candidate expert is fitted on four fifths of the train movies and encodes the last fifth, five times over. The weights
of a step's experts are learned on four of these fifths and judged on the fifth, so neither experts nor weights have seen the
pairs that they are judged on. Needs the extra `mpnet`.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cinealign import Catalogue, Recipe
from cinealign.data.labels import train_labels
from cinealign.distance.options import SinkhornOptions
from cinealign.distance.transductive import Sinkhorn
from cinealign.evaluation.accuracy import get_acc
from cinealign.evaluation.metrics import evaluate_vectors
from cinealign.experts.base import TrainingSet
from cinealign.experts.fusion import OutOfFold, fuse, fusion_weights
from cinealign.fitting import Checkpoint, cross_fit, fit_parts
from cinealign.model import Extracts
from cinealign.report.ladder import write_ladder_file
from cinealign.state import State
from cinealign.studies.inner_score import training_digest
from cinealign.views.store import FeatureStore

MPNET = {"view": "language_model", "model": "mpnet"}
CALLED = "A movie called {title}. {rest}"
ABOUT = "A movie about {title}. {rest}"
THIS = "A movie about this: {}"
ASKED = "What is the title of this movie? {}"
TEMPERATURES = (0.005, 0.01, 0.02, 0.03, 0.05)


def lettering(*, twice: bool = True, **options: Any) -> dict[str, Any]:
    return {"view": "lettering", "looks": ["as_is", "local"] if twice else ["as_is"], **options}


VIEWS: dict[str, dict[str, Any]] = {
    "appearance": {"view": "appearance"},
    "earlier": {"view": "appearance", "output": "earlier"},
    "intro": {"view": "language_model"},
    "intro_asked": {"view": "language_model", "prompt": ASKED},
    "intro_mpnet": MPNET,
    "intro_mpnet_this": {**MPNET, "prompt": THIS},
    "intro_mpnet_asked": {**MPNET, "prompt": ASKED},
    "intro_words": {"view": "text"},
    "all": lettering(twice=False),
    "tallest": lettering(twice=False, lines="tallest"),
    "parted": lettering(twice=False, parted=True),
    "called_once": lettering(twice=False, parted=True, text=CALLED),
    "called": lettering(parted=True, text=CALLED),
    "about": lettering(parted=True, text=ABOUT),
    "unsure": lettering(parted=True, text=ABOUT, min_confidence=0.35),
    "mpnet_all": lettering(twice=False, encoder=MPNET),
    "mpnet_called_once": lettering(twice=False, parted=True, text=CALLED, encoder=MPNET),
    "mpnet_called": lettering(parted=True, text=CALLED, encoder=MPNET),
    "mpnet_about": lettering(parted=True, text=ABOUT, encoder=MPNET),
    "mpnet_title": lettering(parted=True, text="A movie called {title}.", encoder=MPNET),
    "words_once": lettering(twice=False, encoder={"view": "text"}),
    "words": lettering(parted=True, encoder={"view": "text"}),
    "title_words": lettering(parted=True, text="{title}", encoder={"view": "text"}),
}


def shared(poster: str, intro: str) -> dict[str, Any]:
    return {"expert": "shared_space", "poster": poster, "intro": intro}


def ridge(poster: str, intro: str, pull: float) -> dict[str, Any]:
    return {"expert": "residual_ridge", "poster": poster, "intro": intro, "ridge": pull}


def cca(poster: str | list[str], intro: str | list[str], dimensions: int, pull: float) -> dict[str, Any]:
    return {"expert": "cca", "poster": poster, "intro": intro, "dimensions": dimensions, "ridge": pull}


BOTH = ["intro_asked", "intro_mpnet_asked"]
EXPERTS: dict[str, dict[str, Any]] = {
    "all": shared("all", "intro"),
    "tallest": shared("tallest", "intro"),
    "parted": shared("parted", "intro"),
    "called once": shared("called_once", "intro"),
    "called": shared("called", "intro"),
    "about": shared("about", "intro"),
    "asked": shared("about", "intro_asked"),
    "unsure": shared("unsure", "intro_asked"),
    "mpnet all": shared("mpnet_all", "intro_mpnet"),
    "mpnet called once": shared("mpnet_called_once", "intro_mpnet"),
    "mpnet called": shared("mpnet_called", "intro_mpnet"),
    "mpnet about": shared("mpnet_about", "intro_mpnet"),
    "mpnet this": shared("mpnet_about", "intro_mpnet_this"),
    "mpnet asked": shared("mpnet_about", "intro_mpnet_asked"),
    "mpnet title": shared("mpnet_title", "intro_mpnet_asked"),
    "ridge": ridge("about", "intro_asked", 6),
    **{f"ridge mpnet {pull}": ridge("mpnet_about", "intro_mpnet_asked", pull) for pull in (5, 10, 20)},
    "words once": {"expert": "lexical", "poster": "words_once", "intro": "intro_words"},
    "words": {"expert": "lexical", "poster": "words", "intro": "intro_words"},
    "title words": {"expert": "lexical", "poster": "title_words", "intro": "intro_words"},
    "appearance MiniLM": cca("appearance", "intro", 64, 30),
    "appearance": cca("appearance", BOTH, 64, 30),
    "appearance at two depths": cca(["appearance", "earlier"], BOTH, 64, 30),
    "lettering MiniLM": cca("all", "intro", 128, 3),
    "lettering": cca(["about", "mpnet_about"], BOTH, 128, 3),
}
MEANT = ["asked", "mpnet asked"]
TITLED = [*MEANT, "mpnet title"]
RIDGED = [*TITLED, "ridge", "ridge mpnet 10"]
WORDED = [*RIDGED, "words"]
BEST = [*WORDED, "appearance at two depths"]
STEPS: list[tuple[str, list[str]]] = [
    ("MiniLM, all lines", ["all"]),
    ("  words parted", ["parted"]),
    ("  title told from the rest", ["called once"]),
    ("  a second look", ["called"]),
    ("  another wording", ["about"]),
    ("  intro asked for its title", ["asked"]),
    ("  less sure lines too (not kept)", ["unsure"]),
    ("mpnet, all lines", ["mpnet all"]),
    ("  words parted, title told from the rest", ["mpnet called once"]),
    ("  a second look", ["mpnet called"]),
    ("  another wording", ["mpnet about"]),
    ("  another prompt of the intro (not kept)", ["mpnet this"]),
    ("  intro asked for its title", ["mpnet asked"]),
    ("MiniLM and mpnet", MEANT),
    ("  the title alone beside", TITLED),
    ("  ridge of 5 to the identity (not kept)", [*TITLED, "ridge", "ridge mpnet 5"]),
    ("  ridge of 20 to the identity (not kept)", [*TITLED, "ridge", "ridge mpnet 20"]),
    ("  ridge of 10 to the identity", RIDGED),
    ("  character n-grams", WORDED),
    ("  n-grams of the title beside (not kept)", [*WORDED, "title words"]),
    ("  appearance", [*WORDED, "appearance"]),
    ("  its earlier maps: closed-forms-best", BEST),
    ("  CCA of the lettering beside (not kept)", [*BEST, "lettering"]),
    ("for comparison: closed-forms", ["all", "tallest", "words once", "lettering MiniLM", "appearance MiniLM"]),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument(
        "--work", type=Path, default=Path("runs/ladder"), help="fitted experts, so that a killed call goes on"
    )
    parser.add_argument(
        "--held-out", action="store_true", help="read held-out accuracies too, after every choice was made"
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the steps' inner accuracies to this file too")
    given = parser.parse_args()
    recipe = Recipe.parse({"name": "ladder", "views": VIEWS, "align": list(EXPERTS.values())})
    catalogue = Catalogue.load(given.data)
    rows = catalogue.train_rows if not given.held_out else np.arange(len(catalogue.ids))
    posters, intros = [catalogue.posters[row] for row in rows], [catalogue.intros[row] for row in rows]
    extracts = Extracts.of(recipe, posters, intros, FeatureStore())
    train = np.flatnonzero(np.isin(rows, catalogue.train_rows))
    training = extracts.training_set(train, train_labels(catalogue))
    # Experts of another ladder or of other movies lie in a folder of their own.
    what = f"{recipe.to_yaml()}{training_digest(training)}"
    work = given.work / hashlib.sha256(what.encode()).hexdigest()[:12]
    work.mkdir(parents=True, exist_ok=True)

    def checkpoint(name: str, compute: Callable[[], State]) -> State:
        place = work / f"{name}.safetensors"
        if not place.is_file():
            compute().save(place)
        return State.load(place)

    folds = cross_fit(recipe, training, checkpoint)
    pairs = min(len(fold.poster[0]) for fold in folds)
    k = int(0.05 * pairs)
    print(f"{training.size} train movies, 5 folds of {pairs} or more, k = {k}, chance {k / pairs:.3f}")
    steps = [(name, *score(folds, experts, recipe)) for name, experts in STEPS]
    for step in steps:
        print(line(*step))
    if given.csv is not None:
        write_ladder_file(given.csv, [(name.replace("  ", "+ "), *found) for name, *found in steps])
    print("closed-forms-best with Sinkhorn over each fold (transductive: looks at the other pairs of the fold)")
    for temperature in TEMPERATURES:
        correction = Sinkhorn(SinkhornOptions(temperature=temperature))
        print(line(f"temperature {temperature}", *score(folds, BEST, recipe, correction.distances)))
    if given.held_out:
        print_held_out(recipe, extracts, training, checkpoint, folds, train)


def line(name: str, there: float, back: float) -> str:
    return f"{name:45s} {there:.3f} {back:.3f} {there + back:.3f}"


def print_held_out(
    recipe: Recipe,
    extracts: Extracts,
    training: TrainingSet,
    checkpoint: Checkpoint,
    folds: Sequence[OutOfFold],
    train: NDArray[np.int64],
) -> None:
    """Held-out accuracies of every step with experts fitted on all train pairs, by cosine and without `memory`."""
    views, experts = fit_parts(recipe, training, checkpoint, "all")
    seen = [
        {name: views[name].transform(rows) for name, rows in side.items()} for side in (extracts.poster, extracts.intro)
    ]
    ids = np.arange(extracts.size)
    held_out = np.setdiff1d(ids, train)
    print(f"{len(held_out)} held-out movies among {len(ids)}, 95 % bootstrap intervals by movie")
    for name, names in STEPS:
        chosen = [list(EXPERTS).index(expert) for expert in names]
        parts = [OutOfFold([f.poster[e] for e in chosen], [f.intro[e] for e in chosen]) for f in folds]
        weights = learned(parts, recipe)
        poster = fuse([experts[e].encode_poster(seen[0]) for e in chosen], weights)
        intro = fuse([experts[e].encode_intro(seen[1]) for e in chosen], weights)
        metrics = evaluate_vectors(poster, intro, ids, train, seed=0, samples=1000)
        print(f"{name:45s}", *(said(metrics, direction) for direction in ("poster_to_intro", "intro_to_poster")))


def said(metrics: Mapping[str, Any], direction: str) -> str:
    low, high = metrics["intervals"][direction]["held_out"]
    return f"{metrics[direction]['held_out']:.3f} ({low:.3f} to {high:.3f})"


def learned(parts: Sequence[OutOfFold], recipe: Recipe) -> NDArray[np.float64]:
    fusion = recipe.fusion
    free = [None] * len(parts[0].poster)
    return fusion_weights(parts, free, temperature=fusion.temperature, steps=fusion.steps)


def score(
    folds: Sequence[OutOfFold],
    names: Sequence[str],
    recipe: Recipe,
    distances: Callable[[NDArray[np.float32]], NDArray[np.float32]] = lambda S: 1 - S,
) -> tuple[float, float]:
    """Top-5 % accuracy of both directions, the mean over the folds, with weights learned on the other folds."""
    chosen = [list(EXPERTS).index(name) for name in names]
    parts = [OutOfFold([f.poster[e] for e in chosen], [f.intro[e] for e in chosen]) for f in folds]
    accuracies = []
    for judged, part in enumerate(parts):
        others = [other for fold, other in enumerate(parts) if fold != judged]
        weights = learned(others, recipe)
        D = distances(fuse(part.poster, weights) @ fuse(part.intro, weights).T)
        accuracies.append((get_acc(D, 0.05, 1), get_acc(D, 0.05, 0)))
    there, back = np.mean(accuracies, axis=0)
    return float(there), float(back)


if __name__ == "__main__":
    main()
