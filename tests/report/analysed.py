"""An analysis of a run, made up for tests of the report: the layout of `cinealign analyse`, numbers drawn by seed."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from cinealign.run import Run

FIGURES = (
    *("relation-curve", "relation-cca", "relation-left", "relation-slices", "neighbours-lift"),
    *("gallery-poster-to-intro", "gallery-intro-to-poster", "downstream", "clusters", "search"),
)


def analysis_of(run: Run, folder: Path, seed: int = 0) -> Path:
    """Write analysis.json, figures and one explained movie into `folder`."""
    draw = np.random.default_rng(seed)
    (folder / "figures").mkdir(parents=True)
    (folder / "explain").mkdir()
    titles = run.catalogue["titles"]

    def estimate(middle: float, spread: float = 0.03) -> dict[str, float]:
        value = middle + float(draw.normal(0, 0.002))
        return {"value": value, "low": value - spread, "high": value + spread}

    def both(middle: float) -> dict[str, Any]:
        return {"poster_to_intro": estimate(middle), "intro_to_poster": estimate(middle), "mean": estimate(middle)}

    def movie(row: int) -> dict[str, Any]:
        return {"row": row, "id": int(run.ids[row]), "title": titles[row]}

    def difference(value: float, p: float) -> dict[str, float]:
        return {"value": value, "low": value - 0.02, "high": value + 0.02, "p": p}

    def trait(lift: float) -> dict[str, Any]:
        spaces = {
            space: {
                "value": [0.2, 0.15],
                **{"low": [0.1, 0.1], "high": [0.3, 0.2], "lift": [lift + 0.1, lift]},
                **{"lift_low": [lift - 0.2, lift - 0.15], "lift_high": [lift + 0.2, lift + 0.15]},
            }
            for space in ("poster_to_intro", "intro_to_poster", "poster_to_poster", "intro_to_intro")
        }
        against = {
            "poster_to_intro": {"space": "poster_to_poster", "k": 10, "difference": difference(-0.04, 0.001)},
            "intro_to_poster": {"space": "intro_to_intro", "k": 10, "difference": difference(0.01, 0.4)},
        }
        return {"says": "", "known": 1.0, "chance": estimate(0.11), "spaces": spaces, "against": against}

    def row(task: str, method: str, kind: str, value: float, **more: Any) -> dict[str, Any]:
        return {
            **{"task": task, "measure": "macro AUC", "method": method, "kind": kind, **estimate(value), "n": 96},
            **{"unit": "movies", "lower_is_better": False, "chance": 0.5, "against": None, "difference": None, **more},
        }

    slices = [
        {"attribute": attribute, "slice": name, "movies": 40, "small": False, **both(middle), "mean": middle}
        for attribute, name, middle in (("all", "all", 0.41), ("genre", "War", 0.62), ("decade", "1990s", 0.23))
    ]
    numbers: dict[str, Any] = {
        "format": 1,
        "run": {
            **{"recipe": run.recipe.name, "digest": run.catalogue["digest"]},
            "vectors": hashlib.sha256((run.folder / "vectors.safetensors").read_bytes()).hexdigest(),
        },
        "data": {"source": "sample", "n": 240, "train": 144, "held_out": 96},
        "settings": {"ratio": 0.05, "k": 12, "chance": 0.05, "level": 0.95, "samples": 2000, "seed": 0},
        "relation": {
            "permutation": {
                **{"movies": 96, "k": 12, "acc_sum": 0.771, "permuted_mean": 0.103, "permuted_high": 0.211},
                **{"permutations": 9999, "p": 0.0001},
            },
            "curve": {"area": {"poster_to_intro": estimate(0.81), "intro_to_poster": estimate(0.79), "chance": 0.4979}},
            "cca": [
                {
                    **{"poster": "appearance", "intro": "words", "mean_train": 0.823, "mean_held_out": 0.312},
                    **{"mean_null": 0.01, "mean_null_high": 0.091, "permutations": 999, "p": 0.001},
                }
            ],
            "cka": [{"poster": "appearance", "intro": "words", "cka": 0.31, "debiased": 0.042, "p": 0.005}],
            "left": [
                {"name": "full", "says": "", "movies": 96, **both(0.41), "difference": None, "share_left": None},
                {
                    **{"name": "appearance_blank", "says": "", "movies": 96, **both(0.12)},
                    **{"difference": difference(-0.29, 0.0005), "share_left": estimate(0.19)},
                },
                {"name": "lettering_blank", "says": "", "skipped": "no view reads lettering"},
            ],
            "titles": {"intros_with_title_word": 0.34, "posters_with_title_word": None},
            "slices": slices,
            "most": ["genre: War"],
            "least": ["decade: 1990s"],
            "best": [{**movie(3), "poster_to_intro": 1, "intro_to_poster": 2}],
            "worst": [{**movie(5), "poster_to_intro": 239, "intro_to_poster": 201}],
        },
        "neighbours": {
            "k": [1, 10],
            "traits": {"genre": trait(2.41), "decade": trait(1.02), "co_rating": {"skipped": "no ratings.csv"}},
            "galleries": {},
        },
        "downstream": {
            "table": [
                row(
                    "genre probe",
                    "aligned poster",
                    "aligned",
                    0.81,
                    against="raw poster",
                    difference=difference(0.2, 0.001),
                ),
                row("genre probe", "raw poster", "raw", 0.61),
                row("decade probe", "aligned poster", "aligned", 0.55, against="x", difference=difference(-0.01, 0.6)),
                row("decade probe", "most frequent", "baseline", 0.56),
            ],
            "cold_start": {"skipped": "no ratings.csv"},
            "clusters": {
                "count": 2,
                "clusters": [
                    {
                        **{"name": "ship, crew", "words": ["ship", "crew"], "movies": 120, "held_out": 48},
                        **{"genres": [{"genre": "Sci-Fi", "share": 0.5, "lift": 4.23}], "examples": [movie(1)]},
                    }
                ],
            },
        },
        "explained": [{"movie": movie(7), "kind": "good", "json": "explain/one.json"}],
        "figures": {},
        "tables": {},
    }
    explained = {
        **{"poster": movie(7), "intro": movie(7), "split": {"poster": "held_out", "intro": "held_out"}},
        **{"product": 0.312, "distance": 0.688, "rank": {"poster_to_intro": 3, "intro_to_poster": 12, "n": 240}},
        "experts": [{"expert": "cca", "poster": ["appearance"], "intro": ["words"], "contribution": 0.213}],
        "words": [{"word": "comet", "start": 2, "end": 8, "drop": 0.041}],
        "lines": [],
    }
    (folder / "explain" / "one.json").write_text(json.dumps(explained))
    for name in (*FIGURES, f"explain-{int(run.ids[7])}"):
        figure = Figure(figsize=(4, 2))
        figure.subplots().plot([0, 1])
        figure.savefig(folder / "figures" / f"{name}.pdf")
        numbers["figures"][name] = {"pdf": f"figures/{name}.pdf", "png": f"figures/{name}.png", "shows_posters": False}
    (folder / "analysis.json").write_text(json.dumps(numbers))
    return folder
