"""The intro side of a saved model alone: where the network is all there is, a text becomes a vector without PyTorch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self, cast

from cinealign.errors import ModelError
from cinealign.experts.base import Vectors, feature_rows
from cinealign.experts.ngram_counts import NgramCounts
from cinealign.experts.ngram_options import NgramOptions, texts_of
from cinealign.plain_yaml import read_yaml
from cinealign.state import State
from cinealign.training.networks.two_tower.intro_side import IntroSide
from cinealign.training.networks.two_tower.plan import Plan
from cinealign.views.base import TextView
from cinealign.views.registry import VIEWS
from cinealign.views.store import FeatureStore
from cinealign.views.weights import MissingWeightsError


class TextModel:
    """What `AlignmentModel.encode_intros` gives of such a model, up to float32 rounding (2e-5 at most on 63 real texts)."""

    def __init__(
        self, name: str, views: dict[str, TextView], languages: list[str], letters: str | None, side: IntroSide
    ) -> None:
        """Use `load`."""
        self._name, self._views, self._side = name, views, side
        self._languages, self._letters = languages, letters

    @classmethod
    def load(cls, folder: Path) -> Self | None:
        """The intro side of the model that `AlignmentModel.save` wrote to `folder`; None of one that is more than a network.

        Raises:
            ModelError: a file is missing or damaged.
        """
        try:
            recipe = cast(dict[str, Any], read_yaml((folder / "recipe.yaml").read_text(encoding="utf-8")))
            (align,) = recipe["align"] if len(recipe["align"]) == 1 else [{}]
            weights = json.loads((folder / "fusion.json").read_text(encoding="utf-8"))["weights"]
            if align.get("expert") != "network" or recipe["distance"] != {"distance": "cosine"} or weights != [1.0]:
                return None
            letters: dict[str, Any] = align["letters"] or {}
            languages = [str(one["intro"]) for one in align["languages"]]
            wanted = {name: dict(recipe["views"][name]) for name in (*languages, *filter(None, [letters.get("intro")]))}
            state = State.load(folder / "expert-0.safetensors")
            default = NgramOptions()
            lengths = letters.get("shortest", default.shortest), letters.get("longest", default.longest)
            counts = NgramCounts(state.values["vocabulary"], state.arrays["idf"], lengths)
            named = {name.removeprefix("towers."): array for name, array in state.arrays.items()}
            side = IntroSide(Plan.from_json(state.values["plan"]), counts, named)
            views = {}
            for name, options in wanted.items():
                view = cast(TextView, VIEWS.build(options.pop("view"), options, f"views.{name}"))
                views[name] = view.load_state(State.load(folder / f"view-{name}.safetensors"))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"{folder} does not hold a saved model ({error}); run the recipe again") from None
        return cls(str(recipe["name"]), views, languages, letters.get("intro"), side)

    def encode_intros(self, intros: Sequence[str], store: FeatureStore) -> Vectors:
        """(N, D) vectors of any intros.

        Raises:
            ModelError: weights are missing or other ones.
        """
        try:
            features = {name: view.transform(view.extract(intros, store)) for name, view in self._views.items()}
        except MissingWeightsError as error:
            raise MissingWeightsError(f"recipe {self._name!r} {error}") from None
        languages = [feature_rows(features, name) for name in self._languages]
        texts = [""] * len(intros) if self._letters is None else texts_of("network", features, self._letters)
        return self._side.vectors(languages, texts)
