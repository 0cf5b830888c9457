"""The losses that a recipe can name: one file a loss, one line here, and its options in `losses.options`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BeforeValidator, SerializeAsAny

from cinealign.losses.options import LossOptions
from cinealign.registry import Registry

if TYPE_CHECKING:
    from cinealign.losses.base import Loss

LOSSES: Registry[Loss, LossOptions] = Registry(
    "loss",
    {
        "decoupled": "cinealign.losses.decoupled:Decoupled",
        "distillation": "cinealign.losses.distillation:Distillation",
        "genre": "cinealign.losses.genre:Genre",
        "info_nce": "cinealign.losses.info_nce:InfoNce",
        "sigmoid": "cinealign.losses.sigmoid:Sigmoid",
        "triplet": "cinealign.losses.triplet:Triplet",
    },
    {
        "decoupled": "cinealign.losses.options:DecoupledOptions",
        "distillation": "cinealign.losses.options:DistillationOptions",
        "genre": "cinealign.losses.options:GenreOptions",
        "info_nce": "cinealign.losses.options:InfoNceOptions",
        "sigmoid": "cinealign.losses.options:SigmoidOptions",
        "triplet": "cinealign.losses.options:TripletOptions",
    },
)

LossChoice = Annotated[SerializeAsAny[LossOptions], BeforeValidator(LOSSES.chosen)]
"""Options of a loss as another part's options hold them: its name alone will do where these are read."""
