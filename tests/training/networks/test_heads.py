from __future__ import annotations

import pytest
import torch

from cinealign.training.networks.heads import build_head, drift
from cinealign.training.networks.options import HeadKind


@pytest.mark.parametrize(("kind", "width"), [("linear", 5), ("mlp", 5), ("residual", 7)])
def test_shapes_and_no_dropout_when_used(kind: HeadKind, width: int) -> None:
    head = build_head(kind, 7, 5, 16, 0.5).eval()
    rows = torch.randn(3, 7)
    assert head(rows).shape == (3, width)
    assert torch.equal(head(rows), head(rows))
    head.train()
    assert not torch.equal(head(rows), head(rows))


def test_residual_starts_as_the_identity() -> None:
    head = build_head("residual", 6, 1, 1, 0.3).eval()
    rows = torch.randn(4, 6)
    assert torch.equal(head(rows), rows) and drift(head).item() == 0


def test_drift_is_the_sum_of_squares_and_has_a_gradient() -> None:
    heads = [build_head("residual", 2, 1, 1, 0.0) for _ in range(2)]
    for value, head in zip((1.0, 2.0), heads, strict=True):
        torch.nn.init.constant_(head.change.weight, value)  # type: ignore[union-attr, arg-type]
    total = drift(*heads, build_head("linear", 2, 2, 1, 0.0))
    total.backward()  # type: ignore[no-untyped-call]
    assert total.item() == 4 * 1 + 4 * 4
    assert heads[1].change.weight.grad.tolist() == [[4, 4], [4, 4]]  # type: ignore[union-attr]
