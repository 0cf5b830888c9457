"""CLIP and SigLIP: one model that sees posters and reads intros, so that both sides share a space without training."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cinealign.data.posters import Poster, open_poster
from cinealign.device import autocast, device_settings, placed
from cinealign.errors import ModelError
from cinealign.views.base import Features, PosterView, TextView, ViewOptions
from cinealign.views.poster.extraction import looked_at
from cinealign.views.precision import Precision, ResolvedPrecision, resolve_precision
from cinealign.views.store import FeatureStore, text_digest
from cinealign.views.transformers_loading import load_image_processor, load_model, quiet_loading
from cinealign.views.weights import folder_digest, model_folder

BATCH = 32
_SENTENCE_END = re.compile(r"(?<=[.!?…。！？])\s*")


class ClipOptions(ViewOptions):
    """Options of `ClipPosterView` and `ClipIntroView`."""

    model: str = "openai/clip-vit-base-patch32"
    """A folder or a hub id of a CLIP or SigLIP model of transformers."""
    hub: bool = False
    """May the weights be downloaded?"""
    precision: Precision = "auto"
    """Number format of the computation; auto: bfloat16 where the processor has it, else float32."""


class ClipModel:
    """The files of a model, loaded when first used."""

    def __init__(self, options: ClipOptions) -> None:
        self.options = options

    @cached_property
    def folder(self) -> Path:
        """Where its files are."""
        return model_folder(self.options.model, hub=self.options.hub)

    @cached_property
    def precision(self) -> ResolvedPrecision:
        """On this machine."""
        return resolve_precision(self.options.precision)

    def settings(self) -> dict[str, Any]:
        """What its vectors depend on besides the item."""
        return {"files": folder_digest(self.folder), "precision": self.precision, **device_settings()}

    @cached_property
    def network(self) -> Any:
        """The whole model, for use only."""
        network, missing = load_model(self.options.model, self.folder)
        if not hasattr(network, "get_text_features"):
            raise ModelError(f"{self.options.model} is a {type(network).__name__}; give a CLIP or SigLIP model")
        if missing:
            raise ModelError(f"{self.options.model} has no weights for {missing[0]}; give all of them")
        return placed(network)

    @cached_property
    def processor(self) -> Any:
        """Prepares posters."""
        return load_image_processor(self.options.model, self.folder)

    @cached_property
    def tokenizer(self) -> Any:
        """Splits texts into word pieces."""
        with quiet_loading(self.options.model):
            from transformers import AutoTokenizer

            return AutoTokenizer.from_pretrained(self.folder, local_files_only=True)

    @property
    def limit(self) -> int:
        """Word pieces that a text may have, with those that begin and end it."""
        return int(self.network.config.text_config.max_position_embeddings)

    def chunks(self, text: str) -> list[str]:
        """The runs of `text` that the model reads; one if all of it fits."""
        return chunks(text, lambda part: self._length(part) <= self.limit)

    def tokens(self, texts: list[str]) -> dict[str, Any]:
        """(B, limit) inputs of texts that fit."""
        # SigLIP was trained on texts padded to its full length and has no mask; CLIP does not mind.
        tokens = self.tokenizer(
            texts, padding="max_length", max_length=self.limit, truncation=True, return_tensors="pt"
        )
        names = ("input_ids",) if "siglip" in self.network.config.model_type else ("input_ids", "attention_mask")
        return placed({name: tokens[name] for name in names})

    def _length(self, text: str) -> int:
        return len(self.tokenizer(text, truncation=False, verbose=False)["input_ids"])

    def features(self, side: str, inputs: dict[str, Any]) -> NDArray[np.float32]:
        """(B, D) rows of length 1 of prepared posters ("image") or texts ("text")."""
        import torch
        import torch.nn.functional as F

        with torch.inference_mode(), autocast(self.precision == "bfloat16"):
            given = getattr(self.network, f"get_{side}_features")(**placed(inputs))
        vectors = given if isinstance(given, torch.Tensor) else given.pooler_output
        rows: NDArray[np.float32] = F.normalize(vectors.float(), dim=1).cpu().numpy()
        return rows


class ClipPosterView(PosterView):
    """Posters (N, D) float32 in the space of CLIP or SigLIP, rows of length 1; the model's own preprocessing.

    Source: Radford et al., arXiv 2103.00020; SigLIP: Zhai et al., arXiv 2303.15343.
    """

    Options = ClipOptions

    def __init__(self, options: ClipOptions) -> None:
        self.options, self._model = options, ClipModel(options)

    def extract(self, items: Sequence[Poster], store: FeatureStore) -> Features:
        """Vectors of every poster, from the store where it has them.

        Raises:
            DataError: a poster cannot be read.
            ModelError: the weights are missing or of another kind of model.
        """
        return looked_at(items, store, "clip_poster", self._model.settings(), self._look)

    def _look(self, posters: list[Poster]) -> NDArray[np.float32]:
        images = self._model.processor(images=[open_poster(poster) for poster in posters], return_tensors="pt")
        return self._model.features("image", {"pixel_values": images["pixel_values"]})


class ClipIntroView(TextView):
    """Texts (N, D) float32 in the space of CLIP or SigLIP, rows of length 1.

    A text longer than the model reads is cut into runs of whole sentences that fit (a longer sentence into runs of
    words), and its vector is the mean of the runs' vectors, so nothing is left unread.
    """

    Options = ClipOptions

    def __init__(self, options: ClipOptions) -> None:
        self.options, self._model = options, ClipModel(options)

    def extract(self, items: Sequence[str], store: FeatureStore) -> Features:
        """Vectors of every text, from the store where it has them.

        Raises:
            ModelError: the weights are missing or of another kind of model.
        """
        return store.arrays(
            "clip_intro",
            {**self._model.settings(), "chunks": "whole sentences, mean"},
            [text_digest(text) for text in items],
            lambda rows: self._read([items[row] for row in rows]),
            batch_size=BATCH,
        )

    def _read(self, texts: list[str]) -> NDArray[np.float32]:
        parts = [self._model.chunks(text) for text in texts]
        flat = [part for of_text in parts for part in of_text]
        vectors = np.concatenate([self._encode(flat[at : at + BATCH]) for at in range(0, len(flat), BATCH)])
        rows, start = [], 0
        for of_text in parts:
            mean = vectors[start : start + len(of_text)].mean(axis=0)
            rows.append(mean / max(float(np.linalg.norm(mean)), 1e-12))
            start += len(of_text)
        return np.stack(rows).astype(np.float32)

    def _encode(self, texts: list[str]) -> NDArray[np.float32]:
        return self._model.features("text", self._model.tokens(texts))


def chunks(text: str, fits: Any) -> list[str]:
    """`text` as few runs of whole sentences that each fit, words where a sentence does not; a word alone always passes.

    Args:
        text: any text.
        fits: str -> bool, False for what is too long to be read at once.
    """
    if fits(text):
        return [text]
    runs: list[str] = []
    for sentence in filter(None, _SENTENCE_END.split(text)):
        for piece in [sentence] if fits(sentence) else sentence.split():
            joined = f"{runs[-1]} {piece}" if runs else piece
            if runs and fits(joined):
                runs[-1] = joined
            else:
                runs.append(piece)
    return runs
