"""Any vision model of transformers, or of timm, as a frozen view of posters: ResNet, ViT, DINOv2, ConvNeXt ..."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cinealign.data.posters import Poster, open_poster
from cinealign.device import autocast, device_settings, placed
from cinealign.errors import ModelError
from cinealign.views.base import Features, PosterView, ViewOptions
from cinealign.views.poster.extraction import looked_at
from cinealign.views.precision import Precision, ResolvedPrecision, resolve_precision
from cinealign.views.store import FeatureStore
from cinealign.views.transformers_loading import load_image_processor, load_model, quiet_loading
from cinealign.views.weights import folder_digest, model_folder


class VisionModelOptions(ViewOptions):
    """Options of `VisionModelView`."""

    model: str = Field(default="facebook/dinov2-small", min_length=1)
    """A folder or a hub id."""
    hub: bool = False
    """May the weights be downloaded?"""
    library: Literal["transformers", "timm"] = "transformers"
    """timm needs `pip install 'cinealign[timm]'` and a model of timm's: a folder or hub id whose config.json names its
    `architecture`."""
    pooling: Literal["auto", "mean", "cls"] = "auto"
    """Of a transformer: the class token (cls), the mean of all tokens (mean), or the class token if there is one (auto). With
    timm auto is the model's own pooling."""
    precision: Precision = "auto"
    """Number format of the computation; auto: bfloat16 where the processor has it, else float32."""


class VisionModelView(PosterView):
    """Features (N, F) float32 of a frozen model, not normalised; posters are prepared as the model's files say.

    A convolutional network's last map is averaged over the picture. Untrained pooling layers are never used: some
    checkpoints lack them, and they would be random.
    """

    Options = VisionModelOptions

    def __init__(self, options: VisionModelOptions) -> None:
        self.options = options

    def extract(self, items: Sequence[Poster], store: FeatureStore) -> Features:
        """Features of every poster, from the store where it has them.

        Raises:
            DataError: a poster cannot be read.
            ModelError: the weights are missing or of another kind of model.
        """
        return looked_at(items, store, "vision_model", self.settings(), self._look)

    def settings(self) -> dict[str, Any]:
        """What the features depend on besides the poster."""
        return {
            "files": folder_digest(self._folder),
            "library": self.options.library,
            "pooling": self.options.pooling,
            "precision": self._precision,
            **device_settings(),
        }

    @cached_property
    def _folder(self) -> Path:
        return model_folder(self.options.model, hub=self.options.hub)

    @cached_property
    def _precision(self) -> ResolvedPrecision:
        return resolve_precision(self.options.precision)

    def _look(self, posters: list[Poster]) -> NDArray[np.float32]:
        import torch

        images = [open_poster(poster) for poster in posters]
        with torch.inference_mode(), autocast(self._precision == "bfloat16"):
            if self.options.library == "timm":
                network, prepare = self._timm
                pooled = self._timm_pooled(network, placed(torch.stack([prepare(image) for image in images])))
            else:
                pixels = self._processor(images=images, return_tensors="pt")["pixel_values"]
                pooled = self._pooled(self._network(pixel_values=placed(pixels)).last_hidden_state, self._network)
        rows: NDArray[np.float32] = pooled.float().cpu().numpy()
        return rows

    def _pooled(self, hidden: Any, network: Any) -> Any:
        has_class_token = any(name.endswith(("cls_token", "class_embedding")) for name, _ in network.named_parameters())
        if self.options.pooling == "cls" and (hidden.ndim == 4 or not has_class_token):
            raise ModelError(f"{self.options.model} has no class token; use pooling: mean")
        if hidden.ndim == 4:  # (B, F, h, w)
            return hidden.float().mean(dim=(2, 3))
        if self.options.pooling == "mean" or not has_class_token:
            return hidden.float().mean(dim=1)
        return hidden[:, 0]

    def _timm_pooled(self, network: Any, pixels: Any) -> Any:
        if self.options.pooling == "auto":
            return network(pixels)  # as the model was trained
        hidden = network.forward_features(pixels)
        if hidden.ndim == 4 and self.options.pooling == "mean":  # maps, whose channels are first or last: timm knows
            return network.forward_head(hidden)
        return self._pooled(hidden, network)

    @cached_property
    def _network(self) -> Any:
        network, missing = load_model(self.options.model, self._folder)
        network = getattr(network, "vision_model", network)  # of CLIP and SigLIP
        if missing := [name for name in missing if "pooler" not in name]:
            raise ModelError(f"{self.options.model} has no weights for {missing[0]}; give all of them")
        return placed(network)

    @cached_property
    def _processor(self) -> Any:
        return load_image_processor(self.options.model, self._folder)

    @cached_property
    def _timm(self) -> tuple[Any, Any]:
        if find_spec("timm") is None:
            raise ModelError("vision_model with library: timm needs timm; pip install 'cinealign[timm]'")
        with quiet_loading(self.options.model):
            import timm

            # With its classifier all weights must be there; told to leave it out, timm would draw missing ones at random.
            network = timm.create_model(f"local-dir:{self._folder}", pretrained=True).eval()
            network.reset_classifier(0)
            config = timm.data.resolve_model_data_config(network)
            return placed(network), timm.data.create_transform(**config, is_training=False)
