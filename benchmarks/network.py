"""What each device of the two-tower network gives on folds inside the train movies.

python benchmarks/network.py --data DIR [--recipe best]

Every row is the recipe with one thing changed, learned from the train movies alone: inner accuracy (top-5 % within a fold that
a member of the network left out, both directions summed) at epoch 0, where the closed forms stand, at the chosen epoch, and
with the hub bias; and the mean log rank, the finer measure by which the epoch is chosen.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from cinealign import Catalogue, Recipe
from cinealign.data.labels import train_labels
from cinealign.fitting import fit_parts
from cinealign.model import Extracts
from cinealign.plain_yaml import read_yaml
from cinealign.recipe_files import set_value
from cinealign.training.experts.network import NetworkExpert
from cinealign.views.store import FeatureStore

DEVICES: dict[str, list[str]] = {
    "as it is": [],
    "without letters": ["align.0.letters=null"],
    "no n-grams drop out": ["align.0.letters.dropout=0"],
    "without pictures": ["align.0.pictures=[]"],
    "learning rate 3e-4": ["align.0.training.learning_rate=0.0003"],
    "learning rate 3e-3": ["align.0.training.learning_rate=0.003"],
    "no pull to the start": ["align.0.training.weight_decay=0"],
    "adapters of rank 8": ["align.0.rank=8"],
    "soft targets for like intros": ["align.0.loss.soft_targets=0.2"],
    "moving average of weights": ["align.0.training.ema=0.9"],
    "no Gaussian kernels": ["align.0.kernel_width=0"],
    "picture by kernel, nothing expected": ["align.0.kernel_width=0.5", "align.0.expectation=0"],
    "Gaussian kernels": ["align.0.kernel_width=0.5"],
    "96 numbers an n-gram": ["align.0.letters.dimensions=96"],
}
"""Name of a row -> `--set` values; views that no part reads any more are left out."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--recipe", default="default", help="a recipe whose only expert is the network")
    parser.add_argument("--only", nargs="*", choices=list(DEVICES), default=list(DEVICES), help="these rows only")
    given = parser.parse_args()
    catalogue = Catalogue.load(given.data)
    rows = catalogue.train_rows
    posters, intros = [catalogue.posters[row] for row in rows], [catalogue.intros[row] for row in rows]
    print(f"{'device':32s} epoch 0: sum, log rank   chosen: epoch, sum, log rank   with hubs   CPU s")
    for name in given.only:
        recipe = changed(given.recipe, DEVICES[name])
        extracts = Extracts.of(recipe, posters, intros, FeatureStore())
        training = extracts.training_set(np.arange(len(rows)), train_labels(catalogue))
        began = time.process_time()
        expert = fit_parts(recipe, training, lambda _, compute: compute(), "all")[1][0]
        assert isinstance(expert, NetworkExpert)
        begun, chosen = expert.history[0], next(entry for entry in expert.history if entry.get("chosen"))
        print(
            f"{name:32s} {2 * begun['inner_accuracy']:.4f} {begun['inner_log_rank']:.4f}   {chosen['epoch']:2d} "
            f"{2 * chosen['inner_accuracy']:.4f} {chosen['inner_log_rank']:.4f}   "
            f"{2 * chosen['inner_accuracy_with_hubs']:.4f}   {time.process_time() - began:.0f}",
            flush=True,
        )


def changed(name: str, overrides: list[str]) -> Recipe:
    """The recipe with these values, without poster and intro lists (they follow) and without views that nothing reads."""
    plain = Recipe.load(name).model_dump(mode="json")
    for side in ("poster", "intro"):
        del plain["align"][0][side]
    for override in overrides:
        path, _, text = override.partition("=")
        set_value(plain, path, read_yaml(text), f"--set {path}")
    part = NetworkExpert.Options.model_validate({k: v for k, v in plain["align"][0].items() if k != "expert"})
    plain["views"] = {view: options for view, options in plain["views"].items() if view in {*part.poster, *part.intro}}
    return Recipe.parse(plain)


if __name__ == "__main__":
    main()
