"""The intro tower: an intro through the same language models as the lettering, and the same table of letters."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cinealign.training.networks.two_tower.likeness import Likeness
from cinealign.training.networks.two_tower.ngrams import NgramTable
from cinealign.training.networks.two_tower.plan import Intros, Plan
from cinealign.training.networks.two_tower.reading import Directions, unit


class IntroTower(nn.Module):
    """Intros -> (N, core): unit rows of every language side by side, then the letters; the goal that posters move to.

    Where the plan has kernels, what is expected to stand on the poster is added to every language: a reading's unit rows,
    as train intros like this one have them, times `expectation`.
    """

    expectation: Tensor

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan
        self.directions = nn.ModuleList(Directions(language.width, language.kept) for language in plan.languages)
        if plan.kernels:
            self.expects = Likeness(plan.pairs, plan.meaning, plan.meaning, plan.kernels)
            self.register_buffer("expectation", torch.zeros(1))

    def forward(self, intros: Intros, table: NgramTable) -> Tensor:
        """(N, core), not normalised."""
        blocks = [directions(rows) for directions, rows in zip(self.directions, intros.languages, strict=True)]
        meaning = torch.cat(blocks, dim=1)
        if self.plan.kernels:
            expected = self.expected(meaning) if intros.expected is None else intros.expected
            meaning = meaning + self.expectation * expected
        return torch.cat([meaning, table(intros.letters)], dim=1) if self.plan.ngrams else meaning

    def expected(self, meaning: Tensor) -> Tensor:
        """(N, meaning) unit rows side by side, a reading of every language, from the intros' own."""
        said = self.expects(unit(meaning))
        return torch.cat([unit(rows) for rows in said.split([one.kept for one in self.plan.languages], dim=1)], dim=1)
