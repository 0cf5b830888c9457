"""Tables of a run as data frames, as the notebook shows them; they compute nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cinealign.evaluation.metrics import DIRECTIONS, SPLITS, Metrics

if TYPE_CHECKING:
    import pandas as pd

    from cinealign.data.catalogue import Movie
    from cinealign.model import AlignmentModel


def movie_table(movies: Any) -> pd.DataFrame:
    """One row a movie, of a catalogue or of the table that it was made from: id, title, year, genres, intro."""
    import pandas as pd

    shown: list[Movie] = list(movies)
    rows = [(m.movie_id, m.title, m.year, ", ".join(m.genres), m.intro) for m in shown]
    table = pd.DataFrame(rows, columns=["movie_id", "title", "year", "genres", "intro"])
    return table.astype({"year": "Int64"})


def expert_table(model: AlignmentModel) -> pd.DataFrame:
    """One row an expert: what it is, which views it joins, and how much its cosine counts."""
    import pandas as pd

    weights = model.weights.tolist() if len(model.weights) else [None] * len(model.recipe.align)
    return pd.DataFrame(
        [
            {
                "expert": options["expert"],
                "poster views": ", ".join(options["poster"]),
                "intro views": ", ".join(options["intro"]),
                "weight": weight,
            }
            for options, weight in zip(model.recipe.align, weights, strict=True)
        ]
    )


def accuracy_table(metrics: Metrics) -> pd.DataFrame:
    """One row a direction and split: queries, accuracy with interval and chance, recalls, ranks, accuracy at 0.5."""
    import pandas as pd

    rows = []
    for direction in DIRECTIONS:
        for split in SPLITS:
            accuracy, ranks = metrics[direction][split], metrics["ranks"][direction][split]
            if accuracy is None:
                continue
            low, high = metrics["intervals"][direction][split]
            rows.append(
                {
                    "direction": direction,
                    "queries": split,
                    "number": ranks["queries"],
                    "top 5 %": accuracy,
                    "95 % from": low,
                    "to": high,
                    "chance": metrics["chance"],
                    **{f"R@{at}": ranks[f"recall@{at}"] for at in (1, 5, 10)},
                    "median rank": ranks["median"],
                    "top 50 %": metrics["ratio_0.5"][direction][split],
                }
            )
    return pd.DataFrame(rows).set_index(["direction", "queries"]).round(4)
