"""The views that a recipe can name: one file a view, one line here."""

from __future__ import annotations

from typing import Any

from cinealign.registry import Registry
from cinealign.views.base import View

VIEWS: Registry[View[Any]] = Registry(
    "view",
    {
        "appearance": "cinealign.views.poster.appearance:AppearanceView",
        "lettering": "cinealign.views.poster.lettering:LetteringView",
        "language_model": "cinealign.views.intro.language_model:LanguageModelView",
        "text": "cinealign.views.intro.text:PlainTextView",
        "pixels": "cinealign.views.poster.pixels:PixelsView",
        "tfidf": "cinealign.views.intro.tfidf:TfidfView",
        "tokens": "cinealign.views.intro.tokens:TokensView",
    },
)
