"""The losses that a recipe can name: one file a loss, one line here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from cinealign.losses.base import Loss, LossOptions
from cinealign.registry import Registry

LOSSES: Registry[Loss] = Registry(
    "loss",
    {
        "decoupled": "cinealign.losses.decoupled:Decoupled",
        "distillation": "cinealign.losses.distillation:Distillation",
        "genre": "cinealign.losses.genre:Genre",
        "info_nce": "cinealign.losses.info_nce:InfoNce",
        "sigmoid": "cinealign.losses.sigmoid:Sigmoid",
        "triplet": "cinealign.losses.triplet:Triplet",
    },
)


def resolve_loss(spec: Mapping[str, Any]) -> dict[str, Any]:
    """`{"loss": name, option: value ...}` with every default spelled out.

    Raises:
        ConfigError: no name, an unknown one, or options that it does not have.
    """
    return LOSSES.resolve(spec)


def loss_options(spec: Mapping[str, Any]) -> LossOptions:
    """The checked options of the loss that `spec` names."""
    return cast(LossOptions, LOSSES.parts(spec)[1])


def build_loss(spec: Mapping[str, Any]) -> Loss:
    """The loss of `spec`, not yet prepared."""
    name, options = LOSSES.parts(spec)
    return LOSSES.kind(name)(options)
