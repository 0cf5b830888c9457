"""The views that a recipe can name: one file a view, one line here."""

from __future__ import annotations

from typing import Any

from cinealign.registry import Registry
from cinealign.views.base import View, ViewOptions

VIEWS: Registry[View[Any], ViewOptions] = Registry(
    "view",
    {
        "appearance": "cinealign.views.poster.appearance:AppearanceView",
        "appearance_map": "cinealign.views.poster.appearance_map:AppearanceMapView",
        "bm25": "cinealign.views.intro.bm25:Bm25View",
        "classical": "cinealign.views.poster.classical:ClassicalView",
        "clip_intro": "cinealign.views.joint.clip:ClipIntroView",
        "clip_intro_states": "cinealign.views.joint.clip_states:ClipIntroStatesView",
        "clip_poster": "cinealign.views.joint.clip:ClipPosterView",
        "clip_poster_states": "cinealign.views.joint.clip_states:ClipPosterStatesView",
        "language_model": "cinealign.views.intro.language_model:LanguageModelView",
        "language_model_states": "cinealign.views.intro.language_model_states:LanguageModelStatesView",
        "lettering": "cinealign.views.poster.lettering:LetteringView",
        "pixels": "cinealign.views.poster.pixels:PixelsView",
        "text": "cinealign.views.intro.text:PlainTextView",
        "tfidf": "cinealign.views.intro.tfidf:TfidfView",
        "tokens": "cinealign.views.intro.tokens:TokensView",
        "vision_model": "cinealign.views.poster.vision_model:VisionModelView",
        "word_vectors": "cinealign.views.intro.word_vectors:WordVectorsView",
    },
)
