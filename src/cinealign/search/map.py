"""All items of an index in two dimensions, both sides on one map: computed once for each generation, then read."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cinealign.errors import ConfigError, DataError, ModelError
from cinealign.out import whole_file
from cinealign.search.engines import Keys
from cinealign.search.folder import SIDES
from cinealign.search.index import Index
from cinealign.search.parts import WITHOUT_MEANING

FILE = "map.safetensors"
FORM = 2
"""Raised when maps are drawn in another way, so that older ones are drawn again."""
PERPLEXITY, PRINCIPAL = 30, 50
TURNS, EXAGGERATED, EVERY = 750, 250, 25
"""Steps of the optimisation, those of its first phase, and how many lie between two reports."""
FEWEST = 8
"""Points; fewer have no neighbourhoods to draw, and lie where their principal components say."""


@dataclass(frozen=True)
class Map:
    """Points of a map.

    Attributes:
        keys: side -> (M,) keys of the items that have that side.
        xy: side -> (M, 2) float32 in [0, 1].
    """

    keys: dict[str, Keys]
    xy: dict[str, NDArray[np.float32]]


def draw_map(index: Index, *, seed: int = 0, heard: Callable[[float], None] | None = None) -> Map:
    """Place all posters and intros, and store the map beside the index where that can be written.

    Each side is seen about its own mean: posters and intros lie far apart as a whole, and what counts is which of them lie
    together. Parts without meaning are left out: with a memory of train pairs each of them lies alone with its partner.
    t-SNE keeps neighbours; distances between far points, and sizes of clusters, say nothing.

    Args:
        index: an opened index.
        seed: of the start.
        heard: told now and then which share of the work is done, from 0 to 1.
    Raises:
        ModelError: the package that draws maps is not installed.

    Source: van der Maaten and Hinton 2008; Policar et al. 2019 (openTSNE).
    """
    keys = {side: index.engines[side].keys() for side in SIDES}
    telling = [block for block in index.space.blocks if block.name not in WITHOUT_MEANING] or list(index.space.blocks)
    columns = np.concatenate([np.arange(block.at, block.to) for block in telling])
    rows = []
    for side in SIDES:
        seen = index.space.unstored(side, index.engines[side].take(keys[side])) - index.space.means[side]
        centred = seen[:, columns]
        lengths = np.linalg.norm(centred, axis=1, keepdims=True)
        rows.append((centred / np.maximum(lengths, 1e-9)).astype(np.float32))
    placed = _within(_placed(np.concatenate(rows), seed, heard or (lambda share: None)))
    first = len(rows[0])
    made = Map(dict(keys), {SIDES[0]: placed[:first], SIDES[1]: placed[first:]})
    _store(index, made)
    return made


def stored_map(index: Index) -> Map | None:
    """The map of this generation that was drawn before; None where there is none."""
    from safetensors import SafetensorError, safe_open

    path = index.folder / FILE
    if not path.is_file():
        return None
    try:
        with safe_open(path, "numpy") as file:
            if (file.metadata() or {}).get("of") != _of(index):
                return None
            keys = {side: file.get_tensor(f"{side}.keys") for side in SIDES}
            xy = {side: file.get_tensor(f"{side}.xy") for side in SIDES}
    except (SafetensorError, OSError) as error:
        raise DataError(f"{path} cannot be read ({error}); remove it, and the map is drawn again") from None
    return Map(keys, xy)


def _store(index: Index, made: Map) -> None:
    from safetensors.numpy import save_file

    arrays = {f"{side}.keys": made.keys[side] for side in SIDES} | {f"{side}.xy": made.xy[side] for side in SIDES}
    try:
        with whole_file(index.folder / FILE) as beside:
            save_file(arrays, beside, metadata={"of": _of(index)})
    except (ConfigError, OSError):  # a folder that may only be read; the map is drawn again next time
        return


def _of(index: Index) -> str:
    """What the map is of: the vectors of one generation."""
    return json.dumps([FORM, index.manifest.generation, index.manifest.sums], sort_keys=True)


def _placed(rows: NDArray[np.float32], seed: int, heard: Callable[[float], None]) -> NDArray[np.float64]:
    """(M, 2) anywhere."""
    if len(rows) < FEWEST:
        return np.pad(_principal(rows, 2), ((0, 0), (0, 2)))[:, :2]
    from threadpoolctl import threadpool_limits

    try:
        from openTSNE import TSNE
    except ImportError:
        raise ModelError("drawing a map needs openTSNE; pip install 'cinealign[web]'") from None
    narrow = _principal(rows, PRINCIPAL)
    start = narrow[:, :2] / max(1e-12, float(narrow[:, 0].std())) * 1e-4
    perplexity = min(PERPLEXITY, (len(rows) - 1) / 3)
    turns = iter(range(1, TURNS // EVERY + 1))
    tsne = TSNE(
        **{"perplexity": perplexity, "initialization": start, "metric": "cosine", "random_state": seed, "n_jobs": 1},
        early_exaggeration_iter=EXAGGERATED,
        n_iter=TURNS - EXAGGERATED,
        callbacks=lambda *_: heard(next(turns) * EVERY / TURNS),
        callbacks_every_iters=EVERY,
    )
    with threadpool_limits(1):  # it is drawn beside searches, and is not to hold them up
        return np.asarray(tsne.fit(narrow), dtype=np.float64)


def _principal(rows: NDArray[np.float32], count: int) -> NDArray[np.float64]:
    """(M, at most `count`) principal components, from the covariance: rows are many and columns few."""
    centred = rows.astype(np.float64) - rows.mean(axis=0, dtype=np.float64)
    _, axes = np.linalg.eigh(centred.T @ centred)
    axes = axes[:, ::-1][:, :count]
    signs = np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    found: NDArray[np.float64] = centred @ (axes * signs)
    return found


def _within(placed: NDArray[np.float64]) -> NDArray[np.float32]:
    """Into the unit square, both axes in one scale."""
    if not len(placed):
        return np.zeros((0, 2), dtype=np.float32)
    low, high = placed.min(axis=0), placed.max(axis=0)
    scale = float((high - low).max()) or 1.0
    found: NDArray[np.float32] = ((placed - (low + high) / 2) / scale + 0.5).astype(np.float32)
    return found
