"""CLIP and SigLIP before their last layers: what a tower needs to fine-tune these layers and nothing below."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cinealign.data.posters import Poster, open_poster
from cinealign.device import autocast, placed
from cinealign.errors import ModelError
from cinealign.views.base import Extracted, Features, Origin, PosterView, TextView
from cinealign.views.joint.clip import BATCH, ClipModel, ClipOptions
from cinealign.views.store import FeatureStore, text_digest

if TYPE_CHECKING:
    from torch import nn

    from cinealign.views.split_transformer import UpperHalf


class ClipStatesOptions(ClipOptions):
    """Options of `ClipPosterStatesView` and `ClipIntroStatesView`."""

    layers: int = Field(default=1, ge=1, le=100)
    """Last layers that are left to the tower."""


class _ClipLower:
    """One side of a model below its last layers."""

    def __init__(self, options: ClipStatesOptions, side: str) -> None:
        self.options, self.model, self.side = options, ClipModel(options), side

    def settings(self) -> dict[str, Any]:
        """What the states depend on besides the item."""
        return {**self.model.settings(), "before": f"the last {self.options.layers} layers"}

    def origin(self) -> Origin:
        """Where the states come from, for the tower that goes on from there."""
        o = self.options
        return {"view": f"clip_{self.side}_states", "model": o.model, "hub": o.hub, "layers": o.layers}

    def states(self, **inputs: Any) -> Any:
        """(B, L, H) float32 tensor of prepared posters or texts."""
        import torch

        from cinealign.views.split_transformer import lower_states

        o, bfloat16 = self.options, self.model.precision == "bfloat16"
        network = self._network
        with torch.inference_mode(), autocast(bfloat16):
            states = lower_states(network, o.layers, o.model, **placed(inputs)).float().cpu()
        if not bool((states.abs() < np.finfo(np.float16).max).all()):
            raise ModelError(f"{o.model}: states before its last layers are too large for float16")
        return states

    @cached_property
    def _network(self) -> Any:
        import torch

        from cinealign.views.split_transformer import check_cut, check_layers

        o, network = self.options, _side_of(self.model, self.side)
        check_layers(network, o.layers, o.model)
        config = network.config
        if self.side == "poster":
            inputs: dict[str, Any] = {"pixel_values": torch.linspace(-1, 1, 3 * config.image_size**2)}
            inputs["pixel_values"] = inputs["pixel_values"].reshape(1, 3, config.image_size, config.image_size)
        else:
            inputs = self.model.tokens(["a poster", ""])
        inputs = placed(inputs)
        check_cut(network, o.layers, o.model, inputs, lambda _: inputs, "pooler_output")
        return network


class ClipPosterStatesView(PosterView):
    """States (N, T, H) float16 of a poster's patches in CLIP or SigLIP before the last layers, for the tower `clip`."""

    Options = ClipStatesOptions

    def __init__(self, options: ClipStatesOptions) -> None:
        self._lower = _ClipLower(options, "poster")

    def extract(self, items: Sequence[Poster], store: FeatureStore) -> Features:
        """States of every poster, from the store where it has them.

        Raises:
            DataError: a poster cannot be read.
            ModelError: the weights are missing, of another kind of model, or cannot be cut in two.
        """
        return store.arrays(
            "clip_poster_states",
            self._lower.settings(),
            [poster.digest for poster in items],
            lambda rows: self._look([items[row] for row in rows]),
            batch_size=BATCH,
        )

    def origin(self) -> Origin:
        """Where the states come from, for the tower that goes on from there."""
        return self._lower.origin()

    def _look(self, posters: list[Poster]) -> NDArray[np.float16]:
        images = self._lower.model.processor(images=[open_poster(poster) for poster in posters], return_tensors="pt")
        return cast("NDArray[np.float16]", self._lower.states(pixel_values=images["pixel_values"]).half().numpy())


class ClipIntroStatesView(TextView):
    """States (N, C, L, H) float16 of texts in CLIP or SigLIP before the last layers, for the tower `clip`.

    A text longer than the model reads is C runs of whole sentences, as in the view `clip_intro`, and C is that of the
    longest text at hand; runs that a text does not have are zero, and so are places after a run's end in CLIP (SigLIP
    reads its padding).
    """

    Options = ClipStatesOptions

    def __init__(self, options: ClipStatesOptions) -> None:
        self._lower = _ClipLower(options, "intro")

    def extract(self, items: Sequence[str], store: FeatureStore) -> list[NDArray[np.float16]]:
        """(C_i, L, H) states of every text, from the store where it has them.

        Raises:
            ModelError: the weights are missing, of another kind of model, or cannot be cut in two.
        """
        return store.sequences(
            "clip_intro_states",
            {**self._lower.settings(), "chunks": "whole sentences"},
            [text_digest(text) for text in items],
            lambda rows: [self._read(items[row]) for row in rows],
            batch_size=BATCH,
        )

    def transform(self, extracted: Extracted) -> Features:
        """(N, C, L, H) float16."""
        texts = cast("list[NDArray[np.float16]]", extracted)
        if not len(texts):
            return np.zeros((0, 1, 1, 1), dtype=np.float16)
        states = np.zeros((len(texts), max(len(text) for text in texts), *texts[0].shape[1:]), dtype=np.float16)
        for row, text in enumerate(texts):
            states[row, : len(text)] = text
        return states

    def origin(self) -> Origin:
        """Where the states come from, for the tower that goes on from there."""
        return self._lower.origin()

    def _read(self, text: str) -> NDArray[np.float16]:
        model = self._lower.model
        tokens = model.tokens(model.chunks(text))
        states = self._lower.states(**tokens)
        if "attention_mask" in tokens:
            states = states * tokens["attention_mask"].cpu()[:, :, None]
        return cast("NDArray[np.float16]", states.half().numpy())


def load_clip_upper_half(model: str, hub: bool, layers: int, side: str) -> tuple[UpperHalf, nn.Module, int]:
    """The last layers of one side, the map into the shared space (CLIP's; SigLIP has none), and the space's width.

    Args:
        model, hub, layers: as in `ClipStatesOptions`.
        side: "poster" or "intro".
    Raises:
        ModelError: the weights are missing, of another kind of model, or cannot be cut in two.
    """
    from torch import nn

    from cinealign.views.split_transformer import UpperHalf, check_layers

    files = ClipModel(ClipOptions(model=model, hub=hub))
    network = _side_of(files, side)
    check_layers(network, layers, model)
    projection = getattr(files.network, "visual_projection" if side == "poster" else "text_projection", None)
    width = network.config.hidden_size if projection is None else projection.out_features
    return UpperHalf(network, layers, model), projection or nn.Identity(), int(width)


def _side_of(model: ClipModel, side: str) -> Any:
    return model.network.vision_model if side == "poster" else model.network.text_model
