"""A sentence encoder of the mean-of-tokens kind, compiled: texts of like length together, no more padding than that."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cinealign.views.compiled import compile_graph
from cinealign.views.precision import ResolvedPrecision

if TYPE_CHECKING:
    from torch import nn

TOKENS = 1024
"""Tokens of one pass, padding included: enough for large products, few enough to stay in the processor's cache."""


def compile_encoder(
    network: nn.Module, tokenizer: Any, limit: int, precision: ResolvedPrecision
) -> Callable[[list[str]], NDArray[np.float32]]:
    """Texts (B) -> (B, D + 1) float32: the mean of each text's token vectors, not normalised, and how many tokens it has.

    Args:
        network: a transformers encoder in eval mode, with `last_hidden_state` (B, L, D).
        tokenizer: its fast tokenizer.
        limit: tokens of a text that are read.
        precision: that products are computed in.
    """
    import torch
    from torch import Tensor, nn

    class MeanOfTokens(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
            states: Tensor = self.network(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
            mask = attention_mask[:, :, None].to(states.dtype)
            return (states * mask).sum(dim=1) / mask.sum(dim=1)

    # Two texts of unlike length: what the tracer sees must have padding in it.
    example = tokenizer(["words on a poster", "a"], padding=True, return_tensors="pt")
    inputs = (example["input_ids"], example["attention_mask"])
    with torch.inference_mode():
        run = compile_graph(MeanOfTokens().eval(), inputs, [[-1, -1], [-1, -1]], precision)

    split = token_splitter(tokenizer, limit)

    def encode(texts: list[str]) -> NDArray[np.float32]:
        read, whole = split(texts)
        vectors: list[NDArray[np.float32]] = [np.zeros(0, dtype=np.float32)] * len(texts)
        for rows in token_batches([len(ids) for ids in read], TOKENS):
            longest = max(len(read[row]) for row in rows)
            ids = np.full((len(rows), longest), tokenizer.pad_token_id, dtype=np.int64)
            mask = np.zeros_like(ids)
            for place, row in enumerate(rows):
                ids[place, : len(read[row])], mask[place, : len(read[row])] = read[row], 1
            for row, vector in zip(rows, run(ids, mask)[0], strict=True):
                vectors[row] = vector
        return np.column_stack([np.stack(vectors), whole]).astype(np.float32)

    return encode


def token_splitter(tokenizer: Any, limit: int) -> Callable[[list[str]], tuple[list[list[int]], list[int]]]:
    """Texts (B) -> the token numbers of each, at most `limit`, and how many each has in all. For several threads.

    A fast tokenizer is set anew by every call that cuts differently, which other threads then run into; so here are two,
    set once.
    """
    from tokenizers import Tokenizer

    plain, cut = (Tokenizer.from_str(tokenizer.backend_tokenizer.to_str()) for _ in range(2))
    for each in (plain, cut):
        each.no_padding()
        each.no_truncation()
    cut.enable_truncation(limit)

    def split(texts: list[str]) -> tuple[list[list[int]], list[int]]:
        read = [list(encoding.ids) for encoding in plain.encode_batch(texts)]
        whole = [len(ids) for ids in read]
        for row, count in enumerate(whole):
            if count > limit:
                read[row] = list(cut.encode(texts[row]).ids)
        return read, whole

    return split


def token_batches(lengths: Sequence[int], tokens: int) -> Iterator[list[int]]:
    """Rows from the shortest text to the longest, in batches whose rows times longest row are at most `tokens`.

    A row longer than `tokens` makes a batch of its own. Rows of equal length keep their order.
    """
    batch: list[int] = []
    for row in np.argsort(lengths, kind="stable"):
        if batch and (len(batch) + 1) * lengths[row] > tokens:
            yield batch
            batch = []
        batch.append(int(row))
    if batch:
        yield batch
