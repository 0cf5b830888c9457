"""What a recipe lets its user choose of a contrastive expert. No PyTorch here: a recipe is read and checked without it."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from cinealign.experts.base import ExpertOptions
from cinealign.training.loop.settings import TrainingSettings
from cinealign.training.losses.options import InfoNceOptions
from cinealign.training.losses.registry import LossChoice
from cinealign.training.networks.options import HeadKind
from cinealign.training.networks.registry import TowerChoice


class ContrastiveOptions(ExpertOptions):
    """Options of `contrastive`."""

    poster_tower: TowerChoice = Field(None, description="a network trained on the one poster view; else a head")
    intro_tower: TowerChoice = Field(None, description="a network trained on the one intro view; else a head")
    shared: bool = Field(False, description="poster_tower, with one set of weights, serves both sides")
    head: HeadKind = Field("linear", description="of a side without a tower")
    dimensions: int = Field(
        128, ge=1, le=4096, description="of the shared space; a residual head keeps its features' width"
    )
    hidden: int = Field(512, ge=1, le=16384, description="of the mlp head")
    dropout: float = Field(0.2, ge=0, lt=1, description="on the features of a head, and inside the mlp")
    drift_penalty: float = Field(
        0.1, ge=0, le=1_000_000, description="how strongly a residual head is held near the identity"
    )
    loss: LossChoice = Field(InfoNceOptions(loss="info_nce"), description="its name as loss, and its own options")
    also: list[LossChoice] = Field(default_factory=list, description="auxiliary losses, added by weight")
    mixup: float = Field(0.0, ge=0, le=100, description="alpha of latent mixup, of any loss; 0 is none, 1 mixes evenly")
    seeds: int = Field(1, ge=1, le=32, description="members trained from different seeds, whose cosines are averaged")
    training: TrainingSettings = Field(TrainingSettings(), description="of the loop")
    validation: bool = Field(
        True, description="train once more without an inner fold, for the validation curve; the model stays the same"
    )

    @model_validator(mode="after")
    def _one_view_a_tower(self) -> Self:
        for side in ("poster", "intro"):
            names = getattr(self, side)
            if getattr(self, f"{side}_tower") is not None and len(names) != 1:
                raise ValueError(f"{side}_tower reads one view, got {len(names)} in {side}: {', '.join(names)}")
        return self

    @model_validator(mode="after")
    def _one_tower_shared(self) -> Self:
        if self.shared and (self.poster_tower is None or self.intro_tower is not None or len(self.intro) != 1):
            raise ValueError(
                "shared: true needs a poster_tower, no intro_tower and one intro view; the tower reads both"
            )
        return self

    @model_validator(mode="after")
    def _no_taught_mixtures(self) -> Self:
        if self.mixup and self.teachers():
            raise ValueError(
                "mixup and a distillation loss exclude each other: a teacher knows no mixtures; set mixup: 0"
            )
        return self

    @model_validator(mode="after")
    def _a_bank_has_other_pairs(self) -> Self:
        if self.training.batch_size == "full" and any(getattr(loss, "bank", 0) for loss in (self.loss, *self.also)):
            raise ValueError(
                "a bank holds pairs of earlier batches and batch_size: full leaves none; give a number, or bank: 0"
            )
        return self

    def teachers(self) -> list[int]:
        """Positions of the experts that its losses learn from."""
        return [position for loss in (self.loss, *self.also) for position in loss.teachers()]
