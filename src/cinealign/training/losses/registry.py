"""The losses that a recipe can name: one file a loss, one line here, and its options in `training.losses.options`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BeforeValidator, SerializeAsAny

from cinealign.registry import Registry
from cinealign.training.losses.options import LossOptions

if TYPE_CHECKING:
    from cinealign.training.losses.base import Loss

LOSSES: Registry[Loss, LossOptions] = Registry(
    "loss",
    {
        "decoupled": "cinealign.training.losses.decoupled:Decoupled",
        "distillation": "cinealign.training.losses.distillation:Distillation",
        "genre": "cinealign.training.losses.genre:Genre",
        "info_nce": "cinealign.training.losses.info_nce:InfoNce",
        "sigmoid": "cinealign.training.losses.sigmoid:Sigmoid",
        "triplet": "cinealign.training.losses.triplet:Triplet",
    },
    {
        "decoupled": "cinealign.training.losses.options:DecoupledOptions",
        "distillation": "cinealign.training.losses.options:DistillationOptions",
        "genre": "cinealign.training.losses.options:GenreOptions",
        "info_nce": "cinealign.training.losses.options:InfoNceOptions",
        "sigmoid": "cinealign.training.losses.options:SigmoidOptions",
        "triplet": "cinealign.training.losses.options:TripletOptions",
    },
)

LossChoice = Annotated[SerializeAsAny[LossOptions], BeforeValidator(LOSSES.chosen)]
"""Options of a loss as another part's options hold them: its name alone will do where these are read."""
