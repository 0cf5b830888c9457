"""What a recipe lets its user choose of the two-tower network: the views of its parts, their widths, and its training."""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from cinealign.experts.base import ExpertOptions
from cinealign.experts.ngram_options import NgramOptions
from cinealign.training.loop.settings import TrainingSettings
from cinealign.training.losses.options import InfoNceOptions
from cinealign.training.losses.registry import LossChoice


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    intro: str = Field(description="intro view")


class LanguageOptions(_Part):
    """One language model of the network."""

    poster: list[str] = Field(
        min_length=1, description="poster views: wordings of the lettering, through the same model"
    )
    dimensions: int = Field(256, ge=1, le=100_000, description="main directions kept")


class LettersOptions(_Part, NgramOptions):
    """Character n-grams of the network."""

    poster: str = Field(description="poster view that gives texts")
    dimensions: int = Field(192, ge=1, le=100_000, description="numbers of an n-gram's row")
    dropout: float = Field(0.5, ge=0, lt=1, description="share of the n-grams of a text left out at a training step")
    ridge: float = Field(2.0, gt=0, le=1e9, description="holds the map of n-grams to the intro's meaning")


class NetworkOptions(ExpertOptions):
    """Options of `network`; `poster` and `intro` follow from its parts and need not be given."""

    languages: list[LanguageOptions] = Field(min_length=1, description="language models that both sides are read by")
    pictures: list[str] = Field(default_factory=list, description="poster views of features of the picture")
    letters: LettersOptions | None = Field(None, description="character n-grams of both sides; none where absent")
    reading_ridge: float = Field(
        8.0, gt=0, le=1e9, description="ridge that pulls the map of a reading towards the identity"
    )
    picture_ridge: float = Field(30.0, gt=0, le=1e9, description="of the CCA of pictures and intros")
    looks: int = Field(64, ge=1, le=100_000, description="directions of the picture in the shared space")
    kernel_width: float = Field(
        0.0, ge=0, le=100, description="of Gaussian kernels of picture and intro, in cosine; 0 for no kernels"
    )
    kernel_ridge: float = Field(1.0, gt=0, le=1e9, description="of the kernels")
    expectation: float = Field(
        0.3, ge=0, le=10, description="weight of what the kernels expect on an intro's poster, beside the intro itself"
    )
    rank: int = Field(32, ge=1, le=100_000, description="of the adapters")
    dropout: float = Field(0.2, ge=0, lt=1, description="before an adapter")
    folds: int = Field(5, ge=3, le=50, description="inner folds; a member of the network leaves each out")
    neighbours: int = Field(32, ge=1, le=100_000, description="of the hub bias")
    memory: int = Field(58, ge=0, le=100_000, description="coordinates of the codes of train pairs; 0 for no memory")
    memory_share: float = Field(0.3, gt=0, lt=1, description="of a vector's squared length for the memory")
    bandwidth: float = Field(
        0.02,
        gt=0,
        le=2,
        description="width of the kernel in cosine: how different a train item may be and still be recalled",
    )
    loss: LossChoice = Field(
        InfoNceOptions(loss="info_nce", temperature=0.03), description="its name as loss, and its own options"
    )
    training: TrainingSettings = Field(
        TrainingSettings(epochs=12, batch_size="full", weight_decay=10.0, decay_to="start"),
        description="of the loop; a batch is taken from one inner fold, full: all of it",
    )

    @model_validator(mode="before")
    @classmethod
    def _views_of_the_parts(cls, given: Any) -> Any:
        if not isinstance(given, dict) or "poster" in given or "intro" in given:
            return given
        found: dict[str, list[Any]] = {"poster": [], "intro": []}
        languages, letters = given.get("languages"), given.get("letters")
        for part in [*(languages if isinstance(languages, list) else []), letters]:
            if isinstance(part, dict):
                for side, names in found.items():
                    value = part.get(side)
                    names += value if isinstance(value, list) else [value]
        pictures = given.get("pictures")
        found["poster"] += pictures if isinstance(pictures, list) else []
        return {**given, **{side: list(dict.fromkeys(names)) for side, names in found.items()}}

    @model_validator(mode="after")
    def _views_agree(self) -> Self:
        parts: list[_Part] = [*self.languages, *([self.letters] if self.letters else [])]
        readings = [name for one in self.languages for name in one.poster]
        if len(set(readings)) < len(readings):
            raise ValueError("languages: a poster view is named twice; one model reads it once")
        wanted = {*readings, *self.pictures, *([self.letters.poster] if self.letters else [])}
        if set(self.poster) != wanted or set(self.intro) != {part.intro for part in parts}:
            raise ValueError("poster and intro must name the views of languages, pictures and letters; leave them out")
        return self

    @field_validator("training")
    @classmethod
    def _its_own_stop(cls, training: TrainingSettings) -> TrainingSettings:
        if training.early_stopping is not None or training.unique_intros:
            raise ValueError("early_stopping and unique_intros are not for the network: its folds choose the epoch")
        return training
