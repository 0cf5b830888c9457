"""The whole network: two towers, one table of letters, and one vector of length 1 for every poster and every intro."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from cinealign.training.networks.two_tower.hubs import Hubs
from cinealign.training.networks.two_tower.intro_side import CONSTANT
from cinealign.training.networks.two_tower.intro_tower import IntroTower
from cinealign.training.networks.two_tower.memory import Memory
from cinealign.training.networks.two_tower.ngrams import NgramTable
from cinealign.training.networks.two_tower.plan import Intros, Plan, Posters
from cinealign.training.networks.two_tower.poster_tower import PosterTower
from cinealign.training.networks.two_tower.reading import unit

Side = Literal["poster", "intro"]

ROOM = 1.1
"""New items may be so much longer than the longest train item before they are shortened."""


class TwoTowers(nn.Module):
    """Posters and intros -> (N, width) unit rows; 1 - poster . intro is the distance.

    poster = (a (x, c, -b / c), m, pad, 0) and intro = (a' (y, -b' / c, c), m', 0, pad'), with x, y the towers' cores, b, b'
    the hub biases, m, m' the memory's codes and c = `CONSTANT`. The pads make every length 1; as each side has one of its
    own, poster . intro = a a' (x . y - b - b') + m . m', and no length tilts an order.
    """

    reach: Tensor

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan
        self.poster_tower = PosterTower(plan)
        self.intro_tower = IntroTower(plan)
        self.table = NgramTable(plan.ngrams, plan.letters, plan.letters_dropout)
        self.hubs = Hubs(plan.pairs, plan.core, plan.neighbours)
        self.memory = Memory(plan.pairs if plan.memory else 0, plan.core, plan.memory, plan.bandwidth)
        self.register_buffer("reach", torch.ones(2))  # longest core of posters and of intros, with ROOM

    def poster(self, posters: Posters) -> Tensor:
        """(N, width) unit rows."""
        core = self.poster_tower(posters, self.table)
        return self.finished(core, self.hubs.of_posters(core), self.memory.of_posters(core), "poster")

    def intro(self, intros: Intros) -> Tensor:
        """(N, width) unit rows."""
        core = self.intro_tower(intros, self.table)
        return self.finished(core, self.hubs.of_intros(core), self.memory.of_intros(core), "intro")

    def finished(self, core: Tensor, bias: Tensor, codes: Tensor, side: Side) -> Tensor:
        """(N, width) unit rows from a side's core (N, core), hub bias (N, 1) and codes (N, memory)."""
        share = self.plan.memory_share if self.plan.memory else 0.0
        told = with_bias(core, bias, side) / self.reach[0 if side == "poster" else 1]
        told = told / told.norm(dim=1, keepdim=True).clamp(min=1.0)
        rows = torch.cat([(1 - share) ** 0.5 * told, share**0.5 * codes], dim=1)
        pad = (1 - rows.square().sum(dim=1, keepdim=True)).clamp(min=0.0).sqrt()
        pads = [pad, torch.zeros_like(pad)] if side == "poster" else [torch.zeros_like(pad), pad]
        return unit(torch.cat([rows, *pads], dim=1))

    @torch.no_grad()
    def measure(self, posters: Tensor, intros: Tensor) -> None:
        """Set `reach` from train cores (T, core) of both sides, their hub biases included."""
        sides = [
            with_bias(posters, self.hubs.of_posters(posters), "poster"),
            with_bias(intros, self.hubs.of_intros(intros), "intro"),
        ]
        self.reach.copy_(torch.stack([ROOM * rows.norm(dim=1).max().clamp(min=1e-6) for rows in sides]))


def with_bias(core: Tensor, bias: Tensor, side: Side) -> Tensor:
    """(N, core + 2): the two more coordinates whose product with the other side's is minus both biases."""
    constant = torch.full_like(bias, CONSTANT)
    more = [constant, -bias / CONSTANT] if side == "poster" else [-bias / CONSTANT, constant]
    return torch.cat([core, *more], dim=1)
