"""Learns which lines of lettering are the title, from the titles of train movies, and says how well on train movies left out.

python benchmarks/title_lines.py --data DIR            area under the curve and average precision over 5 folds of train movies
python benchmarks/title_lines.py --data DIR --write    also makes src/cinealign/views/poster/title_lines.json again
"""

from __future__ import annotations

import argparse
import json
import re
from difflib import SequenceMatcher
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score

from cinealign import Catalogue
from cinealign.experts.fusion import fold_numbers
from cinealign.views.poster.lettering import LetteringView
from cinealign.views.poster.title_lines import FEATURES, line_features, pairs
from cinealign.views.store import FeatureStore

FOLDS = 5
INVERSE_PENALTY = 0.02
MATCHED = 0.7
"""Share of a line's characters that must stand in the title, in its order, for the line to be a part of it."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    catalogue = Catalogue.load(given.data)
    posters = [catalogue.posters[row] for row in catalogue.train_rows]
    titles = [bare_title(catalogue.movies[row].title) for row in catalogue.train_rows]
    view = LetteringView(LetteringView.Options.model_validate({"looks": ["as_is", "local"], "min_confidence": 0.3}))
    lettering = [view.chosen(lines) for lines in view.lines(posters, FeatureStore())]
    features = np.concatenate([line_features(lines) for lines in lettering if lines])
    titled = np.array(
        [in_title(line.text, title) for lines, title in zip(lettering, titles, strict=True) for line in lines]
    )
    fold = np.repeat(fold_numbers(len(posters), FOLDS, 0), [len(lines) for lines in lettering])
    guess = np.zeros(len(titled))
    for left_out in range(FOLDS):
        known = fold != left_out
        mean, scale, model = fitted(features[known], titled[known])
        guess[~known] = model.predict_proba(pairs((features[~known] - mean) / scale))[:, 1]
    print(
        f"{len(posters)} train movies, {len(titled)} lines, of which {titled.mean():.3f} are of the title; {FOLDS} folds"
    )
    height = roc_auc_score(titled, features[:, 0])
    print(f"area under the ROC curve {roc_auc_score(titled, guess):.3f} (height alone {height:.3f})")
    print(f"average precision {average_precision_score(titled, guess):.3f} (chance {titled.mean():.3f})")
    if given.write:
        mean, scale, model = fitted(features, titled)
        kept = {
            "features": list(FEATURES),
            "mean": np.round(mean, 5).tolist(),
            "scale": np.round(scale, 5).tolist(),
            "weights": np.round(model.coef_[0], 5).tolist(),
            "bias": round(float(model.intercept_[0]), 5),
        }
        place = Path(str(files("cinealign.views.poster").joinpath("title_lines.json")))
        place.write_text(json.dumps(kept) + "\n", encoding="utf-8")


def fitted(
    features: NDArray[np.float64], titled: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64], LogisticRegression]:
    mean, scale = features.mean(axis=0), features.std(axis=0)
    model = LogisticRegression(C=INVERSE_PENALTY, max_iter=2000)
    return mean, scale, model.fit(pairs((features - mean) / scale), titled)


def bare_title(title: str) -> str:
    """ "City of Lost Children, The (1995)" -> "The City of Lost Children"."""
    bare = re.sub(r"\(.*?\)", "", title).strip()
    turned = re.fullmatch(r"(.*), (The|A|An|La|Le|Les|Il|Der|Das|Die|El)", bare)
    return f"{turned[2]} {turned[1]}" if turned else bare


def in_title(line: str, title: str) -> bool:
    read, wanted = (re.sub("[^a-z0-9]", "", text.lower()) for text in (line, title))
    if len(read) < 2:
        return False
    blocks = SequenceMatcher(None, read, wanted, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks if block.size >= min(3, len(read))) >= MATCHED * len(read)


if __name__ == "__main__":
    main()
