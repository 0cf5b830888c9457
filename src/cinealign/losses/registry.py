"""The losses that a recipe can name: one file a loss, one line here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from cinealign.errors import ConfigError
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
    name, options = _parts(spec)
    return {"loss": name, **options.model_dump(mode="json")}


def loss_options(spec: Mapping[str, Any]) -> LossOptions:
    """The checked options of the loss that `spec` names."""
    return _parts(spec)[1]


def build_loss(spec: Mapping[str, Any]) -> Loss:
    """The loss of `spec`, not yet prepared."""
    name, options = _parts(spec)
    return LOSSES.kind(name)(options)


def _parts(spec: Mapping[str, Any]) -> tuple[str, LossOptions]:
    rest = dict(spec)
    name = rest.pop("loss", None)
    if not isinstance(name, str):
        raise ConfigError(f"needs a 'loss', got {dict(spec)!r}; choose one of: {', '.join(LOSSES.names())}")
    return name, cast(LossOptions, LOSSES.options(name, rest))
