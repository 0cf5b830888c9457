"""What a recipe lets its user choose of a loss. No PyTorch here: a recipe is read and checked without it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cinealign.registry import PartOptions

MIN_LOGIT_SCALE, MAX_LOGIT_SCALE = 1e-3, 100.0
LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE = 1 / MAX_LOGIT_SCALE, 1 / MIN_LOGIT_SCALE


class LossOptions(PartOptions):
    """Settings every loss has; unknown keys are refused."""

    loss: str = Field("", description="its kind")
    weight: float = Field(1.0, gt=0, le=1_000_000, description="of this loss in the sum")

    def teachers(self) -> list[int]:
        """Positions in the recipe's align of the experts that teach this loss."""
        return []


class DecoupledOptions(LossOptions):
    """Options of `decoupled`."""

    temperature: float = Field(0.1, ge=LOWEST_TEMPERATURE, le=HIGHEST_TEMPERATURE, description="at the start")
    learn_temperature: bool = Field(False, description="else it stays as it is")


class DistillationOptions(LossOptions):
    """Options of `distillation`."""

    teacher: int = Field(ge=0, le=1000, description="position in align, from 0, of an expert listed earlier")
    teacher_temperature: float = Field(0.05, gt=0, le=100, description="softmax temperature of the teacher's cosines")
    temperature: float = Field(
        0.07, ge=LOWEST_TEMPERATURE, le=HIGHEST_TEMPERATURE, description="of this expert's cosines, at the start"
    )
    learn_temperature: bool = Field(True, description="else it stays as it is")

    def teachers(self) -> list[int]:
        """The one teacher."""
        return [self.teacher]


class GenreOptions(LossOptions):
    """Options of `genre`."""

    labels: str = Field("genre", description="which labels of the train items")


class InfoNceOptions(LossOptions):
    """Options of `info_nce`."""

    temperature: float = Field(0.07, ge=LOWEST_TEMPERATURE, le=HIGHEST_TEMPERATURE, description="at the start")
    learn_temperature: bool = Field(True, description="else it stays as it is")
    label_smoothing: float = Field(0.0, ge=0, lt=1, description="share of the target spread over the whole batch")
    soft_targets: float = Field(0.0, ge=0, lt=1, description="share of the target given to items with like intros")
    soft_temperature: float = Field(0.05, gt=0, le=100, description="how alike intros must be: smaller is stricter")
    bank: int = Field(0, ge=0, le=1_000_000, description="vectors of earlier batches kept as further negatives")


class SigmoidOptions(LossOptions):
    """Options of `sigmoid`."""

    temperature: float = Field(0.1, ge=LOWEST_TEMPERATURE, le=HIGHEST_TEMPERATURE, description="at the start")
    learn_temperature: bool = Field(True, description="else it stays as it is")
    bias: float = Field(
        -10.0, ge=-100, le=100, description="at the start; learned. Negative, as nearly all pairs of a batch are wrong"
    )


class TripletOptions(LossOptions):
    """Options of `triplet`."""

    hinges: Literal["sum", "max"] = Field("max", description="all negatives of a query, or its hardest one")
    margin: float = Field(
        0.2, gt=0, le=100, description="in cosine: how much nearer than a negative the partner should be"
    )
