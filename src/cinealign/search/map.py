"""All items of an index in two dimensions, both sides on one map: computed once for each generation, then read."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cinealign.errors import ConfigError, DataError, ModelError
from cinealign.out import whole_file
from cinealign.search.engines import Keys
from cinealign.search.folder import SIDES
from cinealign.search.index import Index

FILE = "map.safetensors"
PERPLEXITY, PRINCIPAL = 30, 50
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


def draw_map(index: Index, *, seed: int = 0) -> Map:
    """Place all posters and intros, and store the map beside the index where that can be written.

    Each side is seen about its own mean: posters and intros lie far apart as a whole, and what counts is which of them lie
    together. t-SNE keeps neighbours; distances between far points, and sizes of clusters, say nothing.

    Args:
        index: an opened index.
        seed: of the start.
    Raises:
        ModelError: the package that draws maps is not installed.

    Source: van der Maaten and Hinton 2008; Policar et al. 2019 (openTSNE).
    """
    keys = {side: index.engines[side].keys() for side in SIDES}
    rows = []
    for side in SIDES:
        centred = index.space.unstored(side, index.engines[side].take(keys[side])) - index.space.means[side]
        lengths = np.linalg.norm(centred, axis=1, keepdims=True)
        rows.append((centred / np.maximum(lengths, 1e-9)).astype(np.float32))
    placed = _within(_placed(np.concatenate(rows), seed))
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
    return json.dumps([index.manifest.generation, index.manifest.sums], sort_keys=True)


def _placed(rows: NDArray[np.float32], seed: int) -> NDArray[np.float64]:
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
    tsne = TSNE(perplexity=perplexity, initialization=start, metric="cosine", random_state=seed, n_jobs=1)
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
