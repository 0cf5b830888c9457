from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cinealign.errors import ConfigError
from cinealign.experts.base import TrainingSet
from cinealign.experts.registry import EXPERTS
from cinealign.training.networks.intro_bag import BagTower
from cinealign.training.networks.registry import TOWERS
from cinealign.training.networks.towers import Tower, build_tower, tower_geometry
from cinealign.training.networks.word_embedding import WordEmbedding

WORDS = ["<pad>", "<unk>", "shark", "boat", "lawyer", "bank"]
ROWS = torch.tensor([[2, 3, 0, 0], [4, 5, 3, 2], [1, 0, 0, 0], [0, 0, 0, 0]])
KINDS: list[dict[str, Any]] = [
    {"tower": "recurrent", "cell": cell, "pooling": pooling, "hidden": 4, "width": 6}
    for cell in ("rnn", "gru", "lstm")
    for pooling in ("mean", "max", "attention")
] + [
    {"tower": "bag", "width": 6},
    *({"tower": "bag", "width": 6, "pooling": pooling} for pooling in ("max", "attention")),
]


def tower(spec: dict[str, Any]) -> Tower:
    torch.manual_seed(0)
    built = build_tower(TOWERS.parse(spec), 5, tower_geometry(TOWERS.parse(spec), ROWS, WORDS))
    built.begin(ROWS, WORDS)
    return built.eval()


@pytest.mark.parametrize(
    "spec", KINDS, ids=lambda spec: "-".join(str(spec.get(k, "")) for k in ("tower", "cell", "pooling"))
)
def test_padding_and_batch_do_not_matter(spec: dict[str, Any]) -> None:
    built = tower(spec)
    together = built(ROWS)
    assert together.shape == (4, 5) and torch.isfinite(together).all()
    assert built.seen(ROWS).tolist() == [True, True, True, False]
    alone = torch.cat([built(row[None, : max(1, int((row != 0).sum()))]) for row in ROWS])
    torch.testing.assert_close(together, alone, atol=1e-6, rtol=1e-5)
    padded = torch.cat([ROWS, torch.zeros(4, 3, dtype=torch.int64)], dim=1)
    torch.testing.assert_close(built(padded), together, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("spec", KINDS[:3] + KINDS[-3:], ids=str)
def test_bfloat16_is_near_float32(spec: dict[str, Any]) -> None:
    built = tower(spec)
    exact = built(ROWS)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        torch.testing.assert_close(built(ROWS).float(), exact, atol=0.02, rtol=0.02)


def test_order_matters_to_cells_and_not_to_the_bag() -> None:
    rows = torch.tensor([[2, 3, 4], [4, 3, 2]])
    read = tower({"tower": "recurrent", "bidirectional": False})(rows)
    assert (read[0] - read[1]).abs().max() > 1e-4
    bag = tower({"tower": "bag"})(rows)
    torch.testing.assert_close(bag[0], bag[1])


def test_attention_of_the_bag_by_hand() -> None:
    built = tower({"tower": "bag", "width": 6, "pooling": "attention"})
    assert isinstance(built, BagTower) and built.attention is not None
    vectors = built.embedding(ROWS[:1, :2])[0]  # shark, boat
    shares = built.attention(vectors)[:, 0].softmax(dim=0)
    expected = built.last(shares[0] * vectors[0] + shares[1] * vectors[1])
    torch.testing.assert_close(built(ROWS[:1])[0], expected)
    assert (shares[0] - shares[1]).abs() > 1e-4  # no plain mean


def test_word_dropout_teaches_unknown() -> None:
    built = tower({"tower": "bag", "word_dropout": 0.5}).train()
    built(ROWS[:2]).sum().backward()
    embedding = built.embedding
    assert isinstance(embedding, WordEmbedding) and embedding.table.weight.grad is not None
    assert embedding.table.weight.grad[1].abs().sum() > 0  # no row holds <unk> of itself
    assert embedding.table.weight.grad[0].abs().sum() == 0


def test_pretrained_vectors(tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_text("shark 3 0 0\nboat 0 1 0\n")
    spec = {"tower": "bag", "embeddings": str(tmp_path / "v.txt"), "frozen": True}
    built = tower(spec)
    embedding = built.embedding
    assert isinstance(embedding, WordEmbedding)
    assert embedding.table.weight[2:4].tolist() == [[1.5, 0, 0], [0, 0.5, 0]]  # mean length 1
    assert not embedding.table.weight.requires_grad
    assert tower_geometry(TOWERS.parse({"tower": "recurrent", "embeddings": "wordllama"}), ROWS, WORDS) == {
        "words": 6,
        "width": 256,
    }


def test_what_cannot_be() -> None:
    with pytest.raises(ConfigError, match="use the view 'tokens'"):
        tower_geometry(TOWERS.parse({"tower": "bag"}), torch.rand(3, 4), None)
    with pytest.raises(ConfigError, match="frozen: true with embeddings: random"):
        tower_geometry(TOWERS.parse({"tower": "bag", "frozen": True}), ROWS, WORDS)


@pytest.mark.parametrize("name", ["recurrent", "bag"])
def test_it_learns_pairs_and_is_saved(name: str) -> None:
    rng = np.random.default_rng(0)
    words = [*WORDS[:2], *(f"w{i}" for i in range(40))]
    numbers = rng.integers(2, len(words), (30, 5))
    poster = np.eye(40, dtype=np.float32)[numbers - 2].sum(axis=1)
    options: dict[str, Any] = {"poster": "p", "intro": "t", "intro_tower": {"tower": name}, "dimensions": 16}
    training = {"epochs": 25, "batch_size": 15, "learning_rate": 1e-2}
    expert = EXPERTS.build("contrastive", {**options, "training": training})
    expert.fit(TrainingSet({"p": poster}, {"t": numbers}, 30, words={"t": words}), seed=1)
    left, right = expert.encode_poster({"p": poster}), expert.encode_intro({"t": numbers})
    assert ((left @ right.T).argmax(axis=1) == np.arange(30)).mean() > 0.8
    again = EXPERTS.build("contrastive", options).load_state(expert.state())
    np.testing.assert_allclose(again.encode_intro({"t": numbers}), right, atol=1e-6)
    assert not again.encode_intro({"t": np.zeros((1, 5), dtype=np.int64)}).any()  # an empty intro says nothing
