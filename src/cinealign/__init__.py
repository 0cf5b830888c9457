"""The public Python API: `import cinealign` is fast, and each part is loaded when first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from cinealign.errors import CineAlignError, ConfigError, DataError, ModelError
from cinealign.version import __version__

if TYPE_CHECKING:
    from cinealign.analysis.analyse import Analysis, analyse, explain
    from cinealign.analysis.explain.numbers import Explanation
    from cinealign.data.catalogue import Catalogue, Movie
    from cinealign.data.posters import Poster
    from cinealign.encoder import Encoder
    from cinealign.evaluation.accuracy import course_score, get_acc
    from cinealign.pipeline import align
    from cinealign.recipe import Recipe
    from cinealign.run import Run
    from cinealign.search.answer import Answer, Hit
    from cinealign.search.index import Index
    from cinealign.views.store import FeatureStore


__all__ = [
    "Analysis",
    "Answer",
    "Catalogue",
    "CineAlignError",
    "ConfigError",
    "DataError",
    "Encoder",
    "Explanation",
    "FeatureStore",
    "Hit",
    "Index",
    "ModelError",
    "Movie",
    "Poster",
    "Recipe",
    "Run",
    "__version__",
    "align",
    "analyse",
    "course_score",
    "explain",
    "get_acc",
]

_HOMES = {
    "Analysis": "cinealign.analysis.analyse",
    "Answer": "cinealign.search.answer",
    "Catalogue": "cinealign.data.catalogue",
    "Encoder": "cinealign.encoder",
    "Explanation": "cinealign.analysis.explain.numbers",
    "FeatureStore": "cinealign.views.store",
    "Hit": "cinealign.search.answer",
    "Index": "cinealign.search.index",
    "Movie": "cinealign.data.catalogue",
    "Poster": "cinealign.data.posters",
    "Recipe": "cinealign.recipe",
    "Run": "cinealign.run",
    "align": "cinealign.pipeline",
    "analyse": "cinealign.analysis.analyse",
    "explain": "cinealign.analysis.analyse",
    "course_score": "cinealign.evaluation.accuracy",
    "get_acc": "cinealign.evaluation.accuracy",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'cinealign' has no attribute {name!r}")
