"""The map in columns, as the page and the API want it: where points are, and what colours them."""

from __future__ import annotations

from typing import Any

import numpy as np

from cinealign.evaluation.accuracy import top_k
from cinealign.evaluation.metrics import TASK_RATIO
from cinealign.search.folder import SIDES
from cinealign.search.items import Item
from cinealign.web.shelf import Shelf

COLOURS = ("genre", "decade", "split", "found")
"""What points may be coloured by."""
UNKNOWN = ""


def map_columns(shelf: Shelf) -> dict[str, Any] | None:
    """`side` (0 poster, 1 intro), `x`, `y` and `item` of every point, and `items` in columns; None while it is being drawn."""
    drawn = shelf.map()
    if drawn is None:
        return None
    items = shelf.all_items
    row_of = {item.key: row for row, item in enumerate(items)}
    side, x, y, rows = [], [], [], []
    for at, name in enumerate(SIDES):
        for key, place in zip(
            drawn.keys[name].tolist(), np.round(drawn.xy[name].astype(np.float64), 5).tolist(), strict=True
        ):
            if key in row_of:
                side.append(at)
                x.append(place[0])
                y.append(place[1])
                rows.append(row_of[key])
    columns = {"id": [item.item_id for item in items], "title": [item.title for item in items]}
    return {"side": side, "x": x, "y": y, "item": rows, "items": {**columns, **groups(shelf)}}


def groups(shelf: Shelf) -> dict[str, list[str]]:
    """Attribute -> its value for each item, "" where it is not known; attributes without any value are left out."""
    found = {
        "genre": [next(iter(item.genres), UNKNOWN) for item in shelf.all_items],
        "decade": [f"{item.year // 10 * 10}s" if item.year is not None else UNKNOWN for item in shelf.all_items],
        "split": [item.split for item in shelf.all_items],
        "found": _found(shelf, shelf.all_items),
    }
    return {name: values for name, values in found.items() if any(values)}


def _found(shelf: Shelf, items: list[Item]) -> list[str]:
    """ "both", "one" or "none": in how many directions the partner is among the nearest 5 %."""
    ranks = shelf.ranks
    if ranks is None:
        return [UNKNOWN] * len(items)
    first, second = ranks["poster_to_intro"], ranks["intro_to_poster"]
    k = max(1, top_k(TASK_RATIO, len(first)))
    names = ("none", "one", "both")
    return [
        names[(first[item.item_id] <= k) + (second[item.item_id] <= k)] if item.item_id in first else UNKNOWN
        for item in items
    ]
