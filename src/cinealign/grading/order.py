"""Rows and columns without labels, in another order than the data: put right where one known order explains it.

A pair that is found at once (each the nearest of the other) says which column a row belongs to; train pairs that a model
remembers are many of these. Where rows and columns stand in different orders, such pairs agree with the right two orders
and with no others. Where both stand in one order, the texts decide: intros with words in common have columns (or rows, of
a D on its side) that resemble each other. An order that is none of `known_orders` cannot be put right, as the places of
held-out items would be guessed from D itself; this is said.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cinealign.audit.orientation import fit
from cinealign.data.catalogue import Catalogue
from cinealign.data.fingerprints import text_similarities

FEWEST_PAIRS = 20
"""Mutual nearest pairs that an order has to explain at least."""
CLEARLY = 5
"""Times as many as by any other order."""
PLACES = 500
"""Places at which texts are compared."""
FITS, FITS_NOT = 8.0, 3.0
"""Standard errors by which texts follow rows or columns in the right order, and do not in a wrong one."""
Order = NDArray[np.int64]
"""(N,) row of the data that stands at each place."""


def known_orders(catalogue: Catalogue) -> dict[str, Order]:
    """Orders in which programs and people put items, besides that of the data; equal ones once."""
    ids, titles = catalogue.ids.tolist(), [movie.title for movie in catalogue.movies]
    n = len(ids)
    found = {
        "of the data": np.arange(n),
        "of their ids sorted as text": np.array(sorted(range(n), key=lambda row: str(ids[row]))),
        "of their ids": np.argsort(ids, kind="stable"),
        "of their titles": np.array(sorted(range(n), key=lambda row: titles[row])),
        "of the data, train items first": np.concatenate([catalogue.train_rows, catalogue.held_out_rows]),
        "of the data, held-out items first": np.concatenate([catalogue.held_out_rows, catalogue.train_rows]),
        "of the data, from the end": np.arange(n)[::-1],
    }
    different: dict[str, Order] = {}
    for name, order in found.items():
        if not any(np.array_equal(order, other) for other in different.values()):
            different[name] = order
    return different


def mended(D: NDArray[Any], catalogue: Catalogue) -> tuple[NDArray[Any], str]:
    """D in the order of the data where one known order of rows and columns explains it clearly, and what was done.

    Args:
        D: (N, N) finite.
        catalogue: the data.
    Returns:
        D and "" where nothing speaks for another order.
    """
    orders = known_orders(catalogue)
    if different := _different_orders(np.asarray(D), orders):
        down, across = different
        told = (
            f"rows stood in the order {down} and columns in the order {across}; both are put in the order of the data"
        )
        return _put(D, orders[down], orders[across]), told
    if one := _one_order(np.asarray(D), orders, catalogue):
        return _put(
            D, orders[one], orders[one]
        ), f"rows and columns stood in the order {one}; they are put in that of the data"
    return D, ""


def _put(D: NDArray[Any], down: Order, across: Order) -> NDArray[Any]:
    put: NDArray[Any] = np.asarray(D)[np.ix_(np.argsort(down), np.argsort(across))]
    return put


def _different_orders(D: NDArray[Any], orders: dict[str, Order]) -> tuple[str, str] | None:
    """Names of the orders of rows and columns, where two different ones explain who finds whom."""
    here = np.arange(len(D))
    for nearest in (np.argmin, np.argmax):  # of distances, of similarities
        across, down = nearest(D, axis=1), nearest(D, axis=0)
        rows = here[down[across] == here]
        columns = across[rows]
        counts = {
            (one, other): int(np.count_nonzero(orders[one][rows] == orders[other][columns]))
            for one in orders
            for other in orders
            if one != other
        }
        counts["one", "order"] = int(np.count_nonzero(rows == columns))
        (best, most), (_, next_most) = sorted(counts.items(), key=lambda item: -item[1])[:2]
        if best != ("one", "order") and most >= FEWEST_PAIRS and most > CLEARLY * next_most:
            return best
    return None


def _one_order(D: NDArray[Any], orders: dict[str, Order], catalogue: Catalogue) -> str:
    """Name of the one order of rows and columns where texts say that it is not that of the data; else empty."""
    places = np.sort(np.random.default_rng(0).choice(len(D), min(PLACES, len(D)), replace=False))
    sides = [np.asarray(D)[places].astype(np.float64), np.asarray(D)[:, places].T.astype(np.float64)]
    intros = catalogue.intros

    def fits(order: Order) -> float:
        texts = text_similarities([intros[row] for row in order[places]])
        return max(fit(texts, side) for side in sides)

    if fits(orders["of the data"]) > FITS_NOT:
        return ""
    found = sorted(((fits(order), name) for name, order in orders.items()), reverse=True)
    clear = found[0][0] > FITS and all(other < FITS_NOT for other, _ in found[1:])
    return found[0][1] if clear else ""
