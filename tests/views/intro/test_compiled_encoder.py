from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cinealign.views.intro.compiled_encoder import compile_encoder, token_batches, token_splitter
from cinealign.views.intro.encoders import MODELS
from cinealign.views.intro.language_model import load_encoder

TEXTS = [
    "a shark",
    "Two lawyers fall in love during a trial about a bank, and nobody is surprised.",
    "",
    "x",
    "toy " * 90,
]


TOKENIZER = MODELS["minilm"].located(only=["tokenizer.json"]) / "tokenizer.json"


@pytest.fixture(scope="module")
def encoder() -> Any:
    return load_encoder(MODELS["minilm"])


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CINEALIGN_CACHE", str(tmp_path))


def test_float32_gives_the_numbers_of_the_plain_model(encoder: Any) -> None:
    encode = compile_encoder(lambda: encoder[0].model, TOKENIZER, 64, "float32", {})
    encoder.max_seq_length = 64
    found = encode(TEXTS)
    np.testing.assert_allclose(found[:, :-1], encoder.encode(TEXTS, batch_size=1), atol=2e-5)
    assert found[[0, 2, 3, 4], -1].tolist() == [4, 2, 3, 92]  # with the two that begin and end a text; uncut

    def never() -> Any:
        raise AssertionError("its graph is in the cache folder")

    again = compile_encoder(never, TOKENIZER, 64, "float32", {})
    np.testing.assert_array_equal(again(TEXTS), found)


def test_the_tokenizer_file_gives_the_tokens_of_the_library(encoder: Any) -> None:
    """Cases, accents, Chinese, long words, control characters and what looks like a special token."""
    texts = [
        *TEXTS,
        "Ünïcödé naïve CAFÉ",
        "爱 love",
        "a" * 300,
        "x\u200by\tz\x00",
        "[CLS] a [PAD] b [MASK]",
        "$9.99!?--",
    ]
    split, padding = token_splitter(TOKENIZER.read_text(encoding="utf-8"), 64)
    assert split(texts)[0] == encoder.tokenizer(texts, truncation=True, max_length=64)["input_ids"]
    assert padding == encoder.tokenizer.pad_token_id


def test_compiling_brings_no_message_of_the_library_to_the_screen(encoder: Any) -> None:
    from transformers.utils.logging import get_logger

    get_logger("transformers.modeling_utils").warning_once.__func__.cache_clear()  # each is said once a process
    said: list[str] = []
    listener = logging.Handler()
    listener.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    library = logging.getLogger("transformers")
    level = library.level
    library.addHandler(listener)
    try:
        compile_encoder(lambda: encoder[0].model, TOKENIZER, 64, "float32", {})
        assert (said, library.level) == ([], level)
    finally:
        library.removeHandler(listener)


def test_batches_hold_at_most_so_many_tokens_and_every_row_once() -> None:
    batches = list(token_batches([9, 3, 3, 30, 4, 12, 3], 16))
    assert batches == [[1, 2, 6, 4], [0], [5], [3]]  # 4 x 4 tokens; 9, 12 alone; 30 is more than allowed, and alone
    assert list(token_batches([], 16)) == []
