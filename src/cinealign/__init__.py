"""The public Python API: `import cinealign` is fast, and each part is loaded when first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from cinealign.errors import CineAlignError, ConfigError, DataError, ModelError
from cinealign.version import __version__

if TYPE_CHECKING:
    from cinealign.analysis.analyse import Analysis, analyse, explain
    from cinealign.data.catalogue import Catalogue
    from cinealign.data.posters import Poster
    from cinealign.encoder import Encoder
    from cinealign.evaluation.accuracy import course_score, get_acc
    from cinealign.pipeline import align
    from cinealign.recipe import Recipe
    from cinealign.run import Run
    from cinealign.search.answer import Hit
    from cinealign.search.index import Index


__all__ = [
    "Analysis",
    "Catalogue",
    "CineAlignError",
    "ConfigError",
    "DataError",
    "Encoder",
    "Hit",
    "Index",
    "ModelError",
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
    "Catalogue": "cinealign.data.catalogue",
    "Encoder": "cinealign.encoder",
    "Poster": "cinealign.data.posters",
    "Hit": "cinealign.search.answer",
    "Index": "cinealign.search.index",
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
