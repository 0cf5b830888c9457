"""The intro tower: an intro through the same language models as the lettering, and the same table of letters."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cinealign.networks.two_tower.ngrams import NgramTable
from cinealign.networks.two_tower.plan import Intros, Plan
from cinealign.networks.two_tower.reading import Directions


class IntroTower(nn.Module):
    """Intros -> (N, core): unit rows of every language side by side, then the letters; the goal that posters move to."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan
        self.directions = nn.ModuleList(Directions(language.width, language.kept) for language in plan.languages)

    def forward(self, intros: Intros, table: NgramTable) -> Tensor:
        """(N, core), not normalised."""
        blocks = [directions(rows) for directions, rows in zip(self.directions, intros.languages, strict=True)]
        if self.plan.ngrams:
            blocks.append(table(intros.letters))
        return torch.cat(blocks, dim=1)
