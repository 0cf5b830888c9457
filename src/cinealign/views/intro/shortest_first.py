"""The order in which a network reads texts: those of like length together, as a batch is padded to its longest."""

from __future__ import annotations

from collections.abc import Sequence


def shortest_first(texts: Sequence[str]) -> tuple[list[str], list[int]]:
    """`texts` by length, equal lengths by alphabet so that the batches do not depend on the order at hand.

    Returns:
        The ordered texts, and the place of every text among them: `ordered[places[i]] == texts[i]`.
    """
    order = sorted(range(len(texts)), key=lambda row: (len(texts[row]), texts[row]))
    places = [0] * len(texts)
    for place, row in enumerate(order):
        places[row] = place
    return [texts[row] for row in order], places
