"""A bag of visual words: local descriptors of a picture, a codebook of those of train pictures, shares of its words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

DESCRIPTORS = 200
"""Of a poster at most, the strongest corners first."""
CODEBOOK_SAMPLE = 60_000
"""Descriptors of train posters, drawn at random, from which the codebook is made."""
DescriptorKind = Literal["orb", "sift"]
Descriptors = NDArray[np.uint8]


def orb(grey: NDArray[np.uint8]) -> Descriptors:
    """(n, 32) ORB descriptors of a grey picture (h, w), 256 bits each.

    Source: Rublee et al., ICCV 2011.
    """
    import cv2

    detector = cast(Any, cv2).ORB_create(nfeatures=DESCRIPTORS, fastThreshold=8, edgeThreshold=16)
    _, found = detector.detectAndCompute(grey, None)
    return np.zeros((0, 32), dtype=np.uint8) if found is None else found[:DESCRIPTORS]


def sift(grey: NDArray[np.uint8]) -> Descriptors:
    """(n, 128) SIFT descriptors of a grey picture (h, w): gradients in 16 cells and 8 directions, as bytes.

    Source: Lowe, IJCV 2004.
    """
    import cv2

    detector = cast(Any, cv2).SIFT_create(nfeatures=DESCRIPTORS)
    _, found = detector.detectAndCompute(grey, None)
    # OpenCV gives whole numbers from 0 to 255 as floats, and can give one descriptor more than it was asked for.
    return np.zeros((0, 128), dtype=np.uint8) if found is None else found[:DESCRIPTORS].astype(np.uint8)


def bits(descriptors: Descriptors) -> NDArray[np.float32]:
    """(n, 32) ORB descriptors -> (n, 256): their squared Euclidean distance is the number of bits that differ."""
    return np.unpackbits(descriptors, axis=1).astype(np.float32)


def roots(descriptors: Descriptors) -> NDArray[np.float32]:
    """(n, 128) SIFT descriptors -> (n, 128) of length 1: roots of their shares, so that a few large gradients rule less.

    Source: RootSIFT, Arandjelovic and Zisserman, CVPR 2012.
    """
    sums = descriptors.sum(axis=1, keepdims=True, dtype=np.float32)
    return cast("NDArray[np.float32]", np.sqrt(descriptors / np.maximum(sums, 1)).astype(np.float32))


@dataclass(frozen=True)
class DescriptorForm:
    """One kind of local descriptors: `detect` gives (n, width) bytes of a grey picture, `points` (n, space) to cluster."""

    detect: Callable[[NDArray[np.uint8]], Descriptors]
    width: int
    points: Callable[[Descriptors], NDArray[np.float32]]
    space: int


FORMS: dict[DescriptorKind, DescriptorForm] = {
    "orb": DescriptorForm(orb, 32, bits, 256),
    "sift": DescriptorForm(sift, 128, roots, 128),
}


def codebook(descriptors: Sequence[Descriptors], size: int, form: DescriptorForm) -> NDArray[np.float32]:
    """(size, space) centres of train descriptors; fewer where there are not as many different ones."""
    from sklearn.cluster import MiniBatchKMeans

    every = np.concatenate([np.zeros((0, form.width), dtype=np.uint8), *descriptors])
    if len(every) > CODEBOOK_SAMPLE:
        every = every[np.random.default_rng(0).choice(len(every), CODEBOOK_SAMPLE, replace=False)]
    distinct = len(np.unique(every, axis=0))
    if distinct == 0:
        return np.zeros((1, form.space), dtype=np.float32)
    clusters = MiniBatchKMeans(min(size, distinct), random_state=0, n_init=1, batch_size=4096, max_iter=30)
    centres: NDArray[np.float32] = clusters.fit(form.points(every)).cluster_centers_.astype(np.float32)
    return centres


def word_shares(descriptors: Descriptors, words: NDArray[np.float32], form: DescriptorForm) -> NDArray[np.float32]:
    """(V,) square roots of the shares of the visual words among (n, width) descriptors; zeros without one."""
    counts: NDArray[Any] = np.zeros(len(words), dtype=np.float32)
    if len(descriptors):
        nearest = ((words**2).sum(axis=1) - 2 * form.points(descriptors) @ words.T).argmin(axis=1)
        counts = np.bincount(nearest, minlength=len(words)) / len(descriptors)
    return cast("NDArray[np.float32]", np.sqrt(counts).astype(np.float32))
