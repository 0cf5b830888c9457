"""Which recipe to begin with, from a sample of the pictures and the scripts of the texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cinealign.data.posters import Poster
from cinealign.views.poster.worth_reading import Sampled, sample_words
from cinealign.views.store import FeatureStore

MOSTLY = 0.5
"""Share of the texts from which their script decides."""


@dataclass(frozen=True)
class Proposal:
    """A recipe to begin with, and why."""

    recipe: str
    reasons: tuple[str, ...]

    def line(self) -> str:
        """For the user."""
        return f"proposed recipe: {self.recipe} ({'; '.join(self.reasons)})"


def propose(posters: Sequence[Poster], scripts: Mapping[str, int], store: FeatureStore) -> Proposal:
    """A recipe for pictures with or without words and texts in English or in another language.

    The packaged language models read English and OCR reads English and Chinese, so other texts are compared by letters.

    Args:
        posters: the pictures to look at; all of them are read.
        scripts: script -> number of texts, as `scripts_of` counts.
        store: where lines are kept.
    Raises:
        DataError, ModelError: as `sample_words`.
    """
    seen = sample_words(posters, store)
    latin = scripts.get("Latin", 0) >= MOSTLY * sum(scripts.values())
    return Proposal(_recipe(seen, latin), (seen.line(), "most texts are in Latin letters" if latin else _OTHER))


_OTHER = "most texts are not in Latin letters, which the packaged language models do not read"


def _recipe(seen: Sampled, latin: bool) -> str:
    if latin:
        return "default"
    return "lettering-lexical" if seen.with_word else "classical-tfidf"
