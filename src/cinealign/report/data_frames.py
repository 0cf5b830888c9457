"""Tables of a run as data frames, as the notebook shows them; they compute nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cinealign.evaluation.metrics import DIRECTIONS, SPLITS, Metrics
from cinealign.figures import Language, label_of

if TYPE_CHECKING:
    import pandas as pd

    from cinealign.data.catalogue import Movie
    from cinealign.model import AlignmentModel


def movie_table(movies: Any, lang: Language = "en") -> pd.DataFrame:
    """One row a movie, of a catalogue or of the table that it was made from: id, title, year, genres, intro."""
    import pandas as pd

    shown: list[Movie] = list(movies)
    rows = [(m.movie_id, m.title, m.year, ", ".join(m.genres), m.intro) for m in shown]
    table = pd.DataFrame(rows, columns=["movie_id", "title", "year", "genres", "intro"])
    return _named(table.astype({"year": "Int64"}), lang)


def expert_table(model: AlignmentModel, lang: Language = "en") -> pd.DataFrame:
    """One row an expert: what it is, which views it joins, and how much its cosine counts."""
    import pandas as pd

    weights = model.weights.tolist() if len(model.weights) else [None] * len(model.recipe.align)
    table = pd.DataFrame(
        [
            {
                "expert": options.expert,
                "poster views": ", ".join(options.poster),
                "intro views": ", ".join(options.intro),
                "weight": weight,
            }
            for options, weight in zip(model.recipe.align, weights, strict=True)
        ]
    )
    return _named(table, lang)


def accuracy_table(metrics: Metrics, lang: Language = "en") -> pd.DataFrame:
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
                    "direction": label_of(direction.replace("_", " "), lang),
                    "queries": label_of(split.replace("_", "-"), lang),
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
    table = pd.DataFrame(rows).set_index(["direction", "queries"]).round(4)
    table.index.names = [label_of(name, lang) for name in table.index.names]
    return _named(table, lang)


def _named(table: pd.DataFrame, lang: Language) -> pd.DataFrame:
    """The same with its columns in `lang`."""
    return table.rename(columns=lambda name: label_of(name, lang))
