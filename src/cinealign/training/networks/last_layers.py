"""What towers that train the last layers of a transformer have in common: how they train, and what of them is saved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from cinealign.errors import ConfigError
from cinealign.training.networks.low_rank import adapt
from cinealign.training.networks.options import LastLayersOptions
from cinealign.training.networks.towers import Tower
from cinealign.views.base import Origin


class LastLayersTower(Tower):
    """Frozen lower layers have run in a view; the last ones learn on, whole or by low-rank adapters (LoRA).

    Only what has been trained is saved: the rest comes from the model's files again.
    """

    Options = LastLayersOptions
    options: LastLayersOptions

    @classmethod
    def width(cls, options: Any, dimensions: int, geometry: Mapping[str, Any]) -> int:
        """The model's own width without a projection."""
        return dimensions if options.projection == "linear" else int(geometry["width"])

    def train_layers(self, layers: nn.ModuleList, features: int, dimensions: int) -> None:
        """Make `layers` learn as the options say, and add the projection from `features` numbers."""
        o = self.options
        if o.method == "lora":
            adapt(layers, o.rank, o.scale)
        for depth, layer in enumerate(reversed(layers)):
            for weight in layer.parameters():
                weight.rate_share = o.rate * o.layer_decay**depth  # type: ignore[attr-defined]  # see build_optimiser
        last: list[nn.Module] = [nn.Dropout(o.dropout), nn.Linear(features, dimensions)]
        self.last = nn.Sequential(*last) if o.projection == "linear" else nn.Identity()

    def learned(self) -> dict[str, Tensor]:
        """What training changes."""
        return {name: weight.detach() for name, weight in self.named_parameters() if weight.requires_grad}

    def restore(self, weights: Mapping[str, Tensor]) -> None:
        """Take over what training has changed."""
        assert set(weights) == set(self.learned()), "options and geometry say which weights there are"
        self.load_state_dict(dict(weights), strict=False)


def known_origin(tower: str, views: Mapping[str, int], rows: Tensor, origin: Origin | None) -> Origin:
    """The network that `rows` are states of.

    Args:
        tower: its name, for the message.
        views: those that the tower reads, and how many dimensions their features have.
        rows: train rows of its view.
        origin: what the view says of itself.
    Raises:
        ConfigError: the rows are of a view that is not made for this tower.
    """
    if origin is None or views.get(origin["view"]) != rows.ndim:
        raise ConfigError(
            f"tower {tower} reads states inside a network, got {tuple(rows.shape)}; use the view {' or '.join(views)}"
        )
    return origin
