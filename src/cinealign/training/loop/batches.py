"""Which train pairs make a batch: every pair once an epoch, and no movie twice in a batch."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor


def batches(count: int, batch_size: int, generator: torch.Generator, groups: Tensor | None = None) -> Iterator[Tensor]:
    """Row numbers of one epoch in random order; no row twice; a last batch of a single row joins the one before.

    A batch of one has no negatives: its loss is 0 and teaches nothing.

    Args:
        count: train pairs.
        batch_size: rows of a batch; the last can be smaller.
        generator: of the order.
        groups: (count,) int64; rows of one group (movies with one intro, say) go to different batches. Where a group has
            more rows than there are batches, some meet all the same.
    """
    order = torch.randperm(count, generator=generator)
    sizes = _sizes(count, batch_size)
    if groups is not None:
        order = _apart(order, groups, sizes)
    return iter(torch.split(order, sizes))


def _sizes(count: int, batch_size: int) -> list[int]:
    sizes = [min(batch_size, count - start) for start in range(0, count, batch_size)]
    if len(sizes) > 1 and sizes[-1] == 1:
        sizes[-2:] = [sizes[-2] + 1]
    return sizes


def _apart(order: Tensor, groups: Tensor, sizes: list[int]) -> Tensor:
    """`order` changed as little as needed for batches of these sizes without two rows of a group."""
    names = groups[order].tolist()
    members = torch.bincount(groups)[groups[order]].tolist()
    places: list[list[int]] = [[] for _ in sizes]
    taken: list[set[int]] = [set() for _ in sizes]
    # Members of large groups are placed first, while every batch has room.
    for place in sorted(range(len(names)), key=lambda i: -members[i]):
        roomy = [i for i, size in enumerate(sizes) if len(places[i]) < size]
        free = next((i for i in roomy if names[place] not in taken[i]), roomy[0])
        places[free].append(place)
        taken[free].add(names[place])
    return order[torch.tensor([place for batch in places for place in batch])]
