"""The poster tower: readings of the lettering, the picture and the letters, weighed by gates."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cinealign.training.networks.two_tower.gates import Gates
from cinealign.training.networks.two_tower.likeness import Likeness
from cinealign.training.networks.two_tower.ngrams import NgramTable
from cinealign.training.networks.two_tower.plan import ALIKE, PICTURE, Plan, Posters, Started
from cinealign.training.networks.two_tower.reading import Adapter, Directions, unit


class PosterStart(nn.Module):
    """The closed forms that the poster tower begins with; training leaves them as they are.

    A reading l goes through l (A + B' + I), the ridge regressions to the intro and back around the identity
    (`residual_ridge`); the picture through the ridge CCA of pictures and intros, whose two maps are multiplied, so that it
    says where in the intro's space it points, and where asked for through a Gaussian kernel too; the n-grams through a
    kernel ridge regression to the intro.
    """

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan
        self.directions = nn.ModuleList(Directions(language.width, language.kept) for _, language in plan.readings)
        self.maps = nn.ParameterList(frozen(torch.eye(language.kept)) for _, language in plan.readings)
        self.picture_looks = frozen(torch.zeros(plan.pictures, plan.looks))
        self.looks_say = frozen(torch.zeros(plan.looks, plan.meaning))
        if ALIKE in plan.parts:
            self.alike = Likeness(plan.pairs, plan.pictures, plan.meaning, plan.kernels)
        self.ngrams_say = NgramTable(plan.ngrams, plan.meaning)
        self.ngrams_say.rows.requires_grad = False

    def forward(self, posters: Posters) -> Started:
        """What is known of the posters before training."""
        readings = [directions(rows) for directions, rows in zip(self.directions, posters.readings, strict=True)]
        mapped = [rows @ form for rows, form in zip(readings, self.maps, strict=True)]
        seen = (posters.pictures != 0).any(dim=1)
        looks = unit(posters.pictures @ self.picture_looks)
        there = [(rows != 0).any(dim=1).float() for rows in readings]
        there += [seen.float()] * sum(part in (PICTURE, ALIKE) for part in self.plan.parts)
        there += [posters.letters.there()] * 2 * bool(self.plan.ngrams)
        picture, meaning = unit(looks @ self.looks_say), unit(self.ngrams_say(posters.letters))
        alike = unit(self.alike(unit(posters.pictures))) if ALIKE in self.plan.parts else torch.zeros_like(picture)
        return Started(readings, mapped, picture, alike, meaning, posters.letters, torch.stack(there, dim=1))


class PosterTower(nn.Module):
    """Posters -> (N, core): meaning = sum of gate x part over readings, picture and n-grams; then the letters.

    A reading is unit(closed form + adapter), so with an adapter of zero it is the closed form.
    """

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan
        self.start = PosterStart(plan)
        self.adapters = nn.ModuleList(Adapter(language.kept, plan.rank, plan.dropout) for _, language in plan.readings)
        self.gates = Gates(plan.parts)

    def forward(self, posters: Posters, table: NgramTable) -> Tensor:
        """(N, core), not normalised."""
        return self.trained(self.start(posters), table)

    def trained(self, started: Started, table: NgramTable) -> Tensor:
        """(N, core) from what the closed forms gave: all that training changes."""
        weights = self.gates(started.there)
        weight = dict(zip(self.plan.parts, weights.split(1, dim=1), strict=True))
        readings = [
            unit(mapped + adapter(rows))
            for rows, mapped, adapter in zip(started.readings, started.mapped, self.adapters, strict=True)
        ]
        said = dict(zip([name for name, _ in self.plan.readings], readings, strict=True))
        blocks = [
            torch.stack([weight[name] * said[name] for name in language.readings]).sum(dim=0)
            for language in self.plan.languages
        ]
        meaning = torch.cat(blocks, dim=1)
        if self.plan.pictures:
            meaning = meaning + weight[PICTURE] * started.picture
        if ALIKE in weight:
            meaning = meaning + weight[ALIKE] * started.alike
        if not self.plan.ngrams:
            return meaning
        meaning = meaning + weight["meaning"] * started.meaning
        return torch.cat([meaning, weight["letters"] * table(started.letters)], dim=1)


def frozen(values: Tensor) -> nn.Parameter:
    """A weight that is saved with the others and never trained."""
    return nn.Parameter(values, requires_grad=False)
