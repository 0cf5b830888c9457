"""What a recipe lets its user choose of a tower or head. No PyTorch here: a recipe is read and checked without it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from cinealign.registry import PartOptions
from cinealign.views.precision import Precision

HeadKind = Literal["linear", "mlp", "residual"]
WordPooling = Literal["mean", "max", "attention"]
"""The mean, the greatest value of each number, or a mean with learned weights."""
Channels = Annotated[int, Field(ge=1, le=4096)]


class TowerOptions(PartOptions):
    """Settings of a tower as a recipe gives them; unknown keys are refused."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    tower: str = Field("", description="its kind")


class CnnOptions(TowerOptions):
    """Options of `CnnTower`."""

    widths: list[Channels] = Field(default=[32, 64, 128, 256], min_length=1, max_length=8)
    """Channels of each stage; the stem makes the picture four times smaller, every stage but the first halves it."""
    blocks: int = Field(1, ge=1, le=50, description="residual blocks a stage")
    dropout: float = Field(0.1, ge=0, lt=1, description="on the pooled features")
    stochastic_depth: float = Field(
        0.05, ge=0, lt=1, description="probability of skipping the last block; rises linearly from 0 at the first"
    )
    crop: float = Field(0.15, ge=0, lt=1, description="largest share of each side that a random crop cuts off")
    flip: float = Field(0.5, ge=0, le=1, description="how often a poster is mirrored")
    jitter: float = Field(0.2, ge=0, lt=1, description="largest change of brightness, contrast and saturation")
    erasing: float = Field(0.25, ge=0, le=1, description="how often a random rectangle is erased")
    precision: Precision = "auto"
    """Number format of the computation; auto: bfloat16 where the processor has it, else float32."""


class PretrainedCnnOptions(TowerOptions):
    """Options of `PretrainedCnnTower`; a learning rate of about 3e-4 keeps what was learned before."""

    train: Literal["last_stage"] = Field("last_stage", description="what learns; the stages below are frozen")
    dropout: float = Field(0.3, ge=0, lt=1, description="on the pooled features")
    flip: float = Field(0.5, ge=0, le=1, description="how often a map is mirrored in training")


class EmbeddingOptions(TowerOptions):
    """Options of a tower that reads words."""

    embeddings: str = "random"
    """random, wordllama (from its wheel), or a GloVe, word2vec or fastText file."""
    frozen: bool = Field(False, description="keep the word vectors as they were loaded")
    width: int = Field(128, ge=1, le=4096, description="of random word vectors; pretrained ones have their own")
    word_dropout: float = Field(0.1, ge=0, lt=1, description="how often a word becomes <unk> in training")


class BagOptions(EmbeddingOptions):
    """Options of `BagTower`."""

    pooling: WordPooling = "mean"
    """How the vectors of an intro's words become one: mean, greatest value of each, or a mean with learned weights."""
    dropout: float = Field(0.3, ge=0, lt=1, description="on the bag's vector")


class RecurrentOptions(EmbeddingOptions):
    """Options of `RecurrentTower`."""

    cell: Literal["rnn", "gru", "lstm"] = Field("lstm", description="recurrent cell")
    pooling: WordPooling = "mean"
    """How the states of an intro's words become one: mean, greatest value of each, or a mean with learned weights."""
    bidirectional: bool = Field(True, description="read from both ends")
    hidden: int = Field(128, ge=1, le=4096, description="state of the cell, in each direction")
    layers: int = Field(1, ge=1, le=8, description="stacked layers")
    dropout: float = Field(0.3, ge=0, lt=1, description="on the word vectors, between layers and on the pooled state")


class LastLayersOptions(TowerOptions):
    """Options of `LastLayersTower`."""

    method: Literal["full", "lora"] = Field("full", description="train all weights of the layers, or small adapters")
    rank: int = Field(8, ge=1, le=1024, description="of an adapter")
    scale: float = Field(16.0, gt=0, le=10000, description="of an adapter; its correction counts scale / rank times")
    projection: Literal["linear", "none"] = Field(
        "linear", description="linear: a new map to the expert's dimensions; none: keep the model's own space"
    )
    dropout: float = Field(0.1, ge=0, lt=1, description="before the projection")
    rate: float = Field(1.0, gt=0, le=1, description="share of the learning rate for the last layer")
    layer_decay: float = Field(1.0, gt=0, le=1, description="every layer below learns at this share of the one above")


class ClipOptions(LastLayersOptions):
    """Options of `ClipTower`."""

    projection: Literal["linear", "none"] = Field(
        "none", description="none: keep the model's shared space; linear: a new map to the expert's dimensions"
    )
