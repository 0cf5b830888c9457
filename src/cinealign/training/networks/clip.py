"""CLIP or SigLIP whose last layers are trained on; the layers below are frozen and have run once, in a view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from cinealign.training.networks.last_layers import LastLayersTower, known_origin
from cinealign.training.networks.options import ClipOptions
from cinealign.views.base import Origin
from cinealign.views.joint.clip_states import load_clip_upper_half

SIDES = {"clip_poster_states": "poster", "clip_intro_states": "intro"}


class ClipTower(LastLayersTower):
    """States of `clip_poster_states` (B, T, H) or `clip_intro_states` (B, C, L, H) -> (B, D).

    The last layers of that side learn, and CLIP's map into the shared space. Without a new projection both sides start
    as the zero-shot model. A text's vector is the mean of its runs' unit vectors, as in the view `clip_intro`.

    Source: Radford et al., arXiv 2103.00020; SigLIP: Zhai et al., arXiv 2303.15343.
    """

    Options = ClipOptions

    def __init__(self, options: ClipOptions, dimensions: int, geometry: Mapping[str, Any]) -> None:
        super().__init__(options, dimensions, geometry)
        self.options, self.side = options, SIDES[geometry["view"]]
        self.top, self.map, self.space = load_clip_upper_half(
            geometry["model"], geometry["hub"], geometry["layers"], self.side
        )
        self.train_layers(self.top.layers, self.space, dimensions)
        for weight in self.map.parameters():
            weight.requires_grad = True
            weight.rate_share = options.rate  # type: ignore[attr-defined]

    @classmethod
    def geometry(cls, options: Any, rows: Tensor, words: Sequence[str] | None, origin: Origin | None) -> dict[str, Any]:
        """The model, its cut, the side, and the width of its vectors.

        Raises:
            ConfigError: the rows are no states of CLIP or SigLIP.
            ModelError: the weights are missing or of another kind of model.
        """
        known = known_origin("clip", {"clip_poster_states": 3, "clip_intro_states": 4}, rows, origin)
        width = load_clip_upper_half(known["model"], known["hub"], known["layers"], SIDES[known["view"]])[2]
        return {**known, "width": width}

    def seen(self, rows: Tensor) -> Tensor:
        """Items with a state: not posters without lettering."""
        return (rows != 0).flatten(1).any(dim=1)

    def forward(self, rows: Tensor) -> Tensor:
        """Not normalised; the expert does that."""
        return cast(Tensor, self.last(self.poster(rows) if self.side == "poster" else self.intro(rows)))

    def poster(self, rows: Tensor) -> Tensor:
        """(B, width): before training, and scaled to length 1, what the view `clip_poster` gives, up to rounding."""
        states = rows.float()
        pixels = states.new_zeros(len(rows), 3, 1, 1)  # of no effect: the states stand in the place of embeddings
        return cast(Tensor, self.map(self.top(states, pixel_values=pixels).pooler_output))

    def intro(self, rows: Tensor) -> Tensor:
        """(B, width): before training, and scaled to length 1, what the view `clip_intro` gives, up to rounding."""
        there = (rows != 0).any(dim=3)  # (B, C, L)
        runs = there.any(dim=2)  # (B, C)
        item = runs.nonzero()[:, 0]
        states, inside = rows[runs].float(), there[runs]  # (R, L, H), (R, L)
        vectors = rows.new_zeros(len(rows), self.space, dtype=torch.float32)
        if not len(states):
            return vectors
        units = F.normalize(self.map(self.top(states, input_ids=self._ending(inside)).pooler_output).float(), dim=1)
        return vectors.index_add(0, item, units) / runs.sum(dim=1).clamp(min=1)[:, None]

    def _ending(self, inside: Tensor) -> Tensor:
        """(R, L) word numbers that say no more than where each run ends: CLIP pools there, SigLIP at the last place."""
        places = torch.arange(inside.shape[1])
        last = (inside * places).amax(dim=1, keepdim=True)
        return (places == last).long() * int(cast(Any, self.top.network).config.eos_token_id or 1)
