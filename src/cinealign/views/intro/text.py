"""The text itself, for experts that compare wording: no features, just the cleaned words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cinealign.views.base import Extracted, Features, TextView, ViewOptions
from cinealign.views.store import FeatureStore


class PlainTextView(TextView):
    """Texts as they are; features are an (N,) array of Python strings, in lower case."""

    Options = ViewOptions

    def __init__(self, options: ViewOptions) -> None:
        self.options = options

    def extract(self, items: Sequence[str], store: FeatureStore) -> list[str]:
        """The texts in lower case; nothing is worth keeping in the store."""
        return [item.lower() for item in items]

    def transform(self, extracted: Extracted) -> Features:
        """(N,) object array of strings."""
        texts = np.empty(len(extracted), dtype=object)
        texts[:] = list(extracted)
        return texts
