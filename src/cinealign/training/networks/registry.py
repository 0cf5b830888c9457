"""The towers that a recipe can name: one file a tower, one line here, and its options in `training.networks.options`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BeforeValidator, SerializeAsAny

from cinealign.registry import Registry
from cinealign.training.networks.options import TowerOptions

if TYPE_CHECKING:
    from cinealign.training.networks.towers import Tower

TOWERS: Registry[Tower, TowerOptions] = Registry(
    "tower",
    {
        "bag": "cinealign.training.networks.intro_bag:BagTower",
        "clip": "cinealign.training.networks.clip:ClipTower",
        "cnn": "cinealign.training.networks.poster_cnn:CnnTower",
        "language_model": "cinealign.training.networks.language_model:LanguageModelTower",
        "pretrained_cnn": "cinealign.training.networks.pretrained_cnn:PretrainedCnnTower",
        "recurrent": "cinealign.training.networks.intro_recurrent:RecurrentTower",
    },
    {
        "bag": "cinealign.training.networks.options:BagOptions",
        "clip": "cinealign.training.networks.options:ClipOptions",
        "cnn": "cinealign.training.networks.options:CnnOptions",
        "language_model": "cinealign.training.networks.options:LastLayersOptions",
        "pretrained_cnn": "cinealign.training.networks.options:PretrainedCnnOptions",
        "recurrent": "cinealign.training.networks.options:RecurrentOptions",
    },
)

TowerChoice = Annotated[
    SerializeAsAny[TowerOptions] | None, BeforeValidator(lambda given: None if given is None else TOWERS.chosen(given))
]
"""Options of a tower as another part's options hold them, or None."""
