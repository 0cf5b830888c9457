"""How a network is trained, as a recipe says it. No PyTorch here: a recipe is read and checked without it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

OptimiserKind = Literal["adamw", "sgd", "lion", "adafactor"]
ScheduleKind = Literal["cosine", "constant", "one_cycle", "plateau"]

LARGEST_BATCH = 1_000_000
"""Pairs; full takes all that there are."""


class EarlyStopping(BaseModel):
    """How many epochs to train, found on an inner part of the train pairs that is left out for it."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    folds: int = Field(5, ge=2, le=50, description="one of so many inner folds is left out and judged")
    every: int = Field(1, ge=1, le=100_000, description="epochs between two checks")
    patience: int = Field(
        10, ge=1, le=100_000, description="checks without a better inner accuracy before the search ends"
    )


class TrainingSettings(BaseModel):
    """How a network is trained; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    epochs: int = Field(
        40, ge=1, le=100_000, description="times that every pair is seen; the schedule is laid out over them"
    )
    batch_size: int | Literal["full"] = Field(
        256, description="pairs a step; larger means more in-batch negatives, 1,000,000 at most; full: all train pairs"
    )
    unique_intros: bool = Field(False, description="no two items with one and the same intro in a batch")
    optimizer: OptimiserKind = Field("adamw", description="each wants a learning rate of its own")
    learning_rate: float = Field(1e-3, gt=0, le=1e20, description="the highest")
    weight_decay: float = Field(1e-2, ge=0, le=100, description="of matrices; vectors and scalars have none")
    decay_to: Literal["zero", "start"] = Field(
        "zero", description="what weight_decay pulls weights to: zero, or their values at the start"
    )
    momentum: float = Field(0.9, ge=0, lt=1, description="of sgd")
    schedule: ScheduleKind = Field("cosine", description="of the learning rate")
    warm_up: float = Field(0.1, ge=0, le=1, description="share of the steps in which the rate rises")
    ema: float = Field(0.0, ge=0, lt=1, description="decay of the moving average of weights; 0 is none")
    clip: float = Field(0.0, ge=0, le=1_000_000, description="largest norm of the gradient; 0 is no limit")
    bfloat16: bool = Field(False, description="towers and heads compute in bfloat16, losses and weights in float32")
    early_stopping: EarlyStopping | None = Field(None, description="look for the number of epochs first")

    @model_validator(mode="after")
    def _a_batch_has_a_negative(self) -> TrainingSettings:
        if self.batch_size != "full" and not 2 <= self.batch_size <= LARGEST_BATCH:
            raise ValueError(f"batch_size must be >= 2 and <= {LARGEST_BATCH:,}, or full, got {self.batch_size}")
        return self
