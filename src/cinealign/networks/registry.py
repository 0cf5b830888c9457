"""The towers that a recipe can name: one file a tower, one line here, and its options in `networks.options`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BeforeValidator, SerializeAsAny

from cinealign.networks.options import TowerOptions
from cinealign.registry import Registry

if TYPE_CHECKING:
    from cinealign.networks.towers import Tower

TOWERS: Registry[Tower, TowerOptions] = Registry(
    "tower",
    {
        "bag": "cinealign.networks.intro_bag:BagTower",
        "clip": "cinealign.networks.clip:ClipTower",
        "cnn": "cinealign.networks.poster_cnn:CnnTower",
        "language_model": "cinealign.networks.language_model:LanguageModelTower",
        "pretrained_cnn": "cinealign.networks.pretrained_cnn:PretrainedCnnTower",
        "recurrent": "cinealign.networks.intro_recurrent:RecurrentTower",
    },
    {
        "bag": "cinealign.networks.options:BagOptions",
        "clip": "cinealign.networks.options:ClipOptions",
        "cnn": "cinealign.networks.options:CnnOptions",
        "language_model": "cinealign.networks.options:LastLayersOptions",
        "pretrained_cnn": "cinealign.networks.options:PretrainedCnnOptions",
        "recurrent": "cinealign.networks.options:RecurrentOptions",
    },
)

TowerChoice = Annotated[
    SerializeAsAny[TowerOptions] | None, BeforeValidator(lambda given: None if given is None else TOWERS.chosen(given))
]
"""Options of a tower as another part's options hold them, or None."""
