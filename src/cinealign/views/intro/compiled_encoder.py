"""A sentence encoder of the mean-of-tokens kind, compiled: texts of like length together, no more padding than that."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cinealign.views.compiled import compile_graph, converted
from cinealign.views.graphs import kept_graph
from cinealign.views.precision import ResolvedPrecision

if TYPE_CHECKING:
    from torch import nn

GRAPH = "mean of token vectors"
TOKENS = 1024
"""Tokens of one pass, padding included: enough for large products, few enough to stay in the processor's cache."""


def compile_encoder(
    network: Callable[[], nn.Module],
    tokenizer: Path,
    limit: int,
    precision: ResolvedPrecision,
    key: Mapping[str, Any],
) -> Callable[[list[str]], NDArray[np.float32]]:
    """Texts (B) -> (B, D + 1) float32: the mean of each text's token vectors, not normalised, and how many tokens it has.

    Args:
        network: gives a transformers encoder in eval mode, with `last_hidden_state` (B, L, D); called where the cache folder
            does not have its graph.
        tokenizer: its tokenizer.json.
        limit: tokens of a text that are read.
        precision: that products are computed in.
        key: what the network depends on.
    """
    split, padding = token_splitter(tokenizer.read_text(encoding="utf-8"), limit)
    run = compile_graph(kept_graph({**key, "graph": GRAPH}, lambda: _converted(network())), precision)

    def encode(texts: list[str]) -> NDArray[np.float32]:
        read, whole = split(texts)
        vectors: list[NDArray[np.float32]] = [np.zeros(0, dtype=np.float32)] * len(texts)
        for rows in token_batches([len(ids) for ids in read], TOKENS):
            longest = max(len(read[row]) for row in rows)
            ids = np.full((len(rows), longest), padding, dtype=np.int64)
            mask = np.zeros_like(ids)
            for place, row in enumerate(rows):
                ids[place, : len(read[row])], mask[place, : len(read[row])] = read[row], 1
            for row, vector in zip(rows, run(ids, mask)[0], strict=True):
                vectors[row] = vector
        return np.column_stack([np.stack(vectors), whole]).astype(np.float32)

    return encode


def _converted(network: nn.Module) -> Any:
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
    ids = torch.tensor([[2, 3, 4, 5, 6, 7], [2, 3, 4, 0, 0, 0]])
    mask = torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0]])
    with torch.inference_mode():
        return converted(MeanOfTokens().eval(), (ids, mask), [[-1, -1], [-1, -1]])


def token_splitter(tokenizer: str, limit: int) -> tuple[Callable[[list[str]], tuple[list[list[int]], list[int]]], int]:
    """Texts (B) -> the token numbers of each, at most `limit`, and how many each has in all, for several threads; and the
    number that stands for no token.

    A fast tokenizer is set anew by every call that cuts differently, which other threads then run into; so here are two,
    set once.

    Args:
        tokenizer: the content of a tokenizer.json.
        limit: tokens, with those that begin and end a text.
    """
    from tokenizers import Tokenizer

    plain, cut = (Tokenizer.from_str(tokenizer) for _ in range(2))
    padding = (plain.padding or {}).get("pad_id", 0)
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

    return split, padding


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
