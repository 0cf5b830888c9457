"""What a recipe lets its user choose of a distance or a correction. No PyTorch here: a recipe is checked without it."""

from __future__ import annotations

from pydantic import Field

from cinealign.registry import PartOptions


class DistanceOptions(PartOptions):
    """Settings of a distance as a recipe gives them; unknown keys are refused."""

    distance: str = Field("", description="its kind")


class BilinearOptions(DistanceOptions):
    """Options of `bilinear`."""

    rank: int = Field(16, ge=1, le=4096, description="of the change")
    steps: int = Field(100, ge=1, le=100_000, description="of AdamW")
    learning_rate: float = Field(3e-3, gt=0, le=100, description="of AdamW")
    penalty: float = Field(
        1.0, ge=0, le=1_000_000, description="of the squared length of U and V: how near it stays to the cosine"
    )
    temperature: float = Field(0.05, gt=0, le=100, description="softmax temperature of the form while it learns")


class MahalanobisOptions(DistanceOptions):
    """Options of `mahalanobis`."""

    ridge: float = Field(
        1.0, gt=0, le=1_000_000, description="added to the covariance of the differences, in units of its mean variance"
    )


class BankOptions(DistanceOptions):
    """Options of both corrections."""

    strength: float | None = Field(
        None, ge=0, le=2, description="factor of the bias; chosen by cross-validation where absent"
    )


class NeighbourBiasOptions(BankOptions):
    """Options of `neighbour_bias`."""

    k: int = Field(16, ge=1, le=100_000, description="nearest queries of the bank whose mean similarity is the bias")


class QbNormOptions(BankOptions):
    """Options of `qb_norm`."""

    temperature: float = Field(0.05, gt=0, le=100, description="of the softmax over the bank: 1 / beta of the paper")


class TransductionOptions(PartOptions):
    """Settings of a transductive correction; unknown keys are refused."""

    correction: str = Field("", description="its kind")


class CslsOptions(TransductionOptions):
    """Options of `csls`."""

    k: int = Field(10, ge=1, le=100_000, description="neighbours whose mean similarity measures local density")


class SinkhornOptions(TransductionOptions):
    """Options of `sinkhorn`."""

    temperature: float = Field(0.02, gt=0, le=100, description="of the kernel exp(similarity / temperature)")
    iterations: int = Field(20, ge=1, le=10000, description="row and column scalings")
