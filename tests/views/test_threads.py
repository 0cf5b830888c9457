"""Networks that several threads use at once."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from cinealign.views.compiled import compile_network, kept
from cinealign.views.intro.compiled_encoder import token_splitter
from cinealign.views.split_transformer import UpperHalf, lower_states
from tests.views.tiny_models import save_bert


def test_a_compiled_network_gives_every_thread_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CINEALIGN_CACHE", str(tmp_path))
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 4, 3), nn.Flatten()).eval()
    run = compile_network(lambda: network, (3, 48, 48), "float32", {})
    inputs = [np.full((2, 3, 48, 48), at, dtype=np.float32) for at in range(8)]
    expected = [run(each)[0] for each in inputs]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(5):
            for found, wanted in zip(pool.map(lambda each: run(each)[0], inputs), expected, strict=True):
                np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_kept_makes_once_whoever_asks() -> None:
    made: list[int] = []

    @kept
    def slow(number: int) -> int:
        time.sleep(0.05)
        made.append(number)
        return number + 1

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(slow, [1, 1, 1, 2, 1])) == [2, 2, 2, 3, 2]
    assert sorted(made) == [1, 2]


def test_halves_keep_nothing_of_a_pass(tmp_path: Path) -> None:
    from transformers import AutoModel

    network = AutoModel.from_pretrained(save_bert(tmp_path / "bert", layers=3)).eval()
    whole = AutoModel.from_pretrained(tmp_path / "bert").eval()
    upper = UpperHalf(AutoModel.from_pretrained(tmp_path / "bert").eval(), 1, "bert")
    inputs = [torch.tensor([[2, 3 + at, 5, 4][: 2 + at % 3]]) for at in range(8)]
    start = threading.Barrier(4)

    def through(part: int) -> None:
        start.wait()
        with torch.inference_mode():
            for _ in range(10):
                for ids in inputs[part::2]:
                    states = lower_states(network, 1, "bert", input_ids=ids)
                    found = upper(states, input_ids=ids).last_hidden_state
                    torch.testing.assert_close(found, whole(input_ids=ids).last_hidden_state, rtol=1e-4, atol=1e-5)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(through, [0, 1, 0, 1]))
    with torch.inference_mode():  # a pass that shall not be cut short is not
        assert torch.equal(network(input_ids=inputs[0])[0], whole(input_ids=inputs[0])[0])


def test_a_tokenizer_that_several_threads_use(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    save_bert(tmp_path / "bert", layers=1)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "bert")
    split, _ = token_splitter(tokenizer.backend_tokenizer.to_str(), 5)
    texts = ["", "love", "the bank heist", "a shark eats the town people run", "x ! x ! x ! x !"]
    read = tokenizer(texts, truncation=True, max_length=5)["input_ids"]
    whole = [len(ids) for ids in tokenizer(texts, truncation=False)["input_ids"]]
    assert split(texts) == (read, whole)
    with ThreadPoolExecutor(4) as pool:
        assert all(found == (read, whole) for found in pool.map(lambda _: split(texts), range(200)))
