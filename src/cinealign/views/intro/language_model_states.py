"""A language model before its last layers: what a tower needs to fine-tune these layers and nothing below."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cinealign.device import autocast, device_settings, placed
from cinealign.errors import ModelError
from cinealign.progress import say
from cinealign.views.base import Extracted, Features, Origin, TextView, ViewOptions
from cinealign.views.intro.encoders import MODELS, encoder_files
from cinealign.views.intro.language_model import Prompt, load_encoder
from cinealign.views.intro.shortest_first import shortest_first
from cinealign.views.precision import Precision, ResolvedPrecision, resolve_precision
from cinealign.views.store import FeatureStore, text_digest

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from torch import Tensor, nn

    from cinealign.views.split_transformer import UpperHalf

BATCH = 32


class LanguageModelStatesOptions(ViewOptions):
    """Options of `LanguageModelStatesView`."""

    model: str = Field(default="minilm", min_length=1)
    """minilm, mpnet (extra `mpnet`), or the folder or hub id of a sentence-transformers or transformers encoder."""
    hub: bool = False
    """May the weights of a hub id be downloaded?"""
    layers: int = Field(default=2, ge=1, le=100)
    """Last layers that are left to the tower."""
    prompt: Prompt = "{}"
    """Prompt around a text, which takes the place of {}."""
    max_tokens: int = Field(default=128, ge=3, le=8192)
    """Most tokens read of a text; a message says how many texts are longer. A token takes 2 x H bytes of memory."""
    precision: Precision = "auto"
    """Number format of the computation; auto: bfloat16 where the processor has it, else float32."""


class LanguageModelStatesView(TextView):
    """Token states (N, L, H) float16 of a language model before its last layers, for the tower `language_model`.

    The frozen layers run once, and only the last ones in training. L is the longest text at hand; what comes after a
    text's end is zero, as is the whole of an empty text.
    """

    Options = LanguageModelStatesOptions

    def __init__(self, options: LanguageModelStatesOptions) -> None:
        self.options = options
        self._model = encoder_files(options.model, options.hub)

    def extract(self, items: Sequence[str], store: FeatureStore) -> list[NDArray[np.float16]]:
        """(L_i, H) states of every text, from the store where it has them.

        Raises:
            ModelError: the weights are missing or other ones, or the model cannot be cut in two.
        """
        items = [self.options.prompt.replace("{}", item) if item else "" for item in items]
        ordered, places = shortest_first(items)
        stored = store.sequences(
            "language_model_states",
            self.settings(),
            [text_digest(text) for text in ordered],
            lambda rows: self._read([ordered[row] for row in rows]),
            batch_size=BATCH,
        )
        states: list[NDArray[np.float16]] = []
        cut = 0
        for sequence in (stored[place] for place in places):
            longer = not sequence[-1].any()
            cut += longer
            states.append(sequence[:-1] if longer else sequence)
        if cut:
            say(f"language_model_states: {cut} of {len(items)} texts are longer than {self._limit} tokens; "
                "only that much was read")  # fmt: skip
        return states

    def transform(self, extracted: Extracted) -> Features:
        """(N, L, H) float16, zero after each text's end."""
        sequences = cast("list[NDArray[np.float16]]", extracted)
        longest = max([1, *(len(sequence) for sequence in sequences)])
        width = max([0, *(sequence.shape[1] for sequence in sequences)]) or self._model.dimension
        states = np.zeros((len(sequences), longest, width), dtype=np.float16)
        for row, sequence in enumerate(sequences):
            states[row, : len(sequence)] = sequence
        return states

    def origin(self) -> Origin:
        """Where the states come from, for the tower that goes on from there."""
        o = self.options
        return {"view": "language_model_states", "model": o.model, "hub": o.hub, "layers": o.layers}

    def settings(self) -> dict[str, Any]:
        """What the states depend on besides the text."""
        return {
            "model": self.options.model if self.options.model in MODELS else "files",
            "files": self._model.files,
            "limit": self._limit,
            "before": f"the last {self.options.layers} layers",
            "precision": self._precision,
            **device_settings(),
        }

    @property
    def _limit(self) -> int:
        return min(self.options.max_tokens, self._model.limit)

    @cached_property
    def _precision(self) -> ResolvedPrecision:
        return resolve_precision(self.options.precision)

    @cached_property
    def _encoder(self) -> SentenceTransformer:
        return load_encoder(self._model)

    def _read(self, texts: list[str]) -> list[NDArray[np.float16]]:
        """States of every text up to its end, one row a token; a row of zeros follows where a text was cut."""
        import torch

        from cinealign.views.split_transformer import lower_states

        tokenizer = cast(Any, self._encoder.tokenizer)
        lengths = [len(ids) for ids in tokenizer(texts, truncation=False, verbose=False)["input_ids"]]
        inputs = tokenizer(texts, truncation=True, max_length=self._limit, padding=True, return_tensors="pt")
        with torch.inference_mode(), autocast(self._precision == "bfloat16"):
            read = placed(dict(inputs))
            states = lower_states(self._network, self.options.layers, self.options.model, **read).float().cpu()
        if not bool((states.abs() < np.finfo(np.float16).max).all()):
            raise ModelError(f"{self.options.model}: states before its last layers are too large for float16")
        mask, halves = inputs["attention_mask"].bool(), states.half()
        rows = []
        for row, length in enumerate(lengths):
            kept = halves[row][mask[row]].numpy()
            rows.append(np.pad(kept, ((0, 1), (0, 0))) if length > self._limit else kept)
        return rows

    @cached_property
    def _network(self) -> nn.Module:
        from cinealign.views.split_transformer import check_cut, check_layers

        network: nn.Module = placed(cast(Any, self._encoder[0]).model)
        o = self.options
        check_layers(network, o.layers, o.model)
        tokenizer = cast(Any, self._encoder.tokenizer)
        inputs = placed(dict(tokenizer(["words on a poster", "a"], padding=True, return_tensors="pt")))
        mask = inputs["attention_mask"]
        check_cut(network, o.layers, o.model, inputs, lambda states: upper_inputs(states, mask), "last_hidden_state")
        return network


def upper_inputs(states: Tensor, mask: Tensor) -> dict[str, Tensor]:
    """What the upper half of a language model takes beside its states: (B, L, H) states and (B, L) int64 mask of tokens."""
    return {"inputs_embeds": states, "attention_mask": mask}


def load_upper_half(model: str, hub: bool, layers: int) -> tuple[UpperHalf, list[nn.Module], int]:
    """The last layers of a language model, what makes an embedding of their token states (pooling ...), and its width.

    Raises:
        ModelError: the weights are missing or other ones, or the model cannot be cut in two.
    """
    from cinealign.views.split_transformer import UpperHalf, check_layers

    encoder = load_encoder(encoder_files(model, hub))
    network: nn.Module = cast(Any, encoder[0]).model
    check_layers(network, layers, model)
    width = int(cast(Any, encoder).get_embedding_dimension())
    return UpperHalf(network, layers, model), list(encoder)[1:], width


def present(states: Tensor) -> Tensor:
    """(N, L) bool: where (N, L, H) states hold a token; a token's state is never all zero."""
    return (states != 0).any(dim=-1)
