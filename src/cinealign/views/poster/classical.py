"""Classical features of a poster: colours, shapes of edges, textures, and a bag of visual words. No network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Self, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from cinealign.data.posters import PosterFile, open_poster
from cinealign.state import State
from cinealign.views.base import Extracted, Features, PosterView, ViewOptions
from cinealign.views.poster import classical_blocks as blocks
from cinealign.views.store import FeatureStore

BATCH = 32
CODEBOOK_SAMPLE = 60_000
"""Descriptors of train posters, drawn at random, from which the codebook is made."""


class ClassicalOptions(ViewOptions):
    """Options of `ClassicalView`; each block can be switched off."""

    colour: bool = True
    """Histograms of hue, saturation and value in a 2 x 2 grid."""
    dominant: bool = True
    """The five dominant colours with their shares."""
    hog: bool = True
    """Histograms of oriented gradients."""
    lbp: bool = True
    """Local binary patterns in a 2 x 2 grid."""
    texture: bool = True
    """Co-occurrence of grey values, strength of edges, brightness, contrast, saturation, entropy."""
    visual_words: bool = True
    """How often each visual word (a cluster of ORB descriptors of train posters) is on the poster."""
    codebook: int = Field(default=128, ge=2, le=4096)
    """Number of visual words."""

    @model_validator(mode="after")
    def _something_is_on(self) -> Self:
        if not any(getattr(self, name) for name in (*blocks.BLOCKS, "visual_words")):
            raise ValueError("every block is switched off; leave one on")
        return self


class Seen(NamedTuple):
    """One poster: its blocks side by side, all of them, and its ORB descriptors (n, 32) uint8."""

    blocks: NDArray[np.float32]
    descriptors: NDArray[np.uint8]


class ClassicalView(PosterView):
    """Features (N, F) float32: the chosen blocks, each standardised on the train posters and scaled to equal weight.

    All blocks are computed and stored once, so switching one off costs nothing. A column that is the same on all train
    posters is zero.

    Source: HOG: Dalal and Triggs, CVPR 2005; LBP: Ojala et al., PAMI 2002; co-occurrence: Haralick et al. 1973; ORB:
    Rublee et al., ICCV 2011; visual words: Sivic and Zisserman, ICCV 2003.
    """

    Options = ClassicalOptions

    def __init__(self, options: ClassicalOptions) -> None:
        self.options = options
        self._mean: NDArray[np.float32] = np.zeros(0, dtype=np.float32)
        self._scale: NDArray[np.float32] = np.zeros(0, dtype=np.float32)
        self._words: NDArray[np.float32] = np.zeros((0, 256), dtype=np.float32)

    def extract(self, items: Sequence[PosterFile], store: FeatureStore) -> list[Seen]:
        """Blocks and descriptors of every poster, from the store where it has them.

        Raises:
            DataError: a poster cannot be read.
        """
        if not items:
            return []
        stored = store.arrays(
            "classical",
            blocks.settings(),
            [poster.digest for poster in items],
            lambda rows: np.stack([blocks.look(open_poster(items[row])) for row in rows]),
            batch_size=BATCH,
        )
        return [Seen(*blocks.unpack(row)) for row in stored]

    def fit(self, extracted: Extracted) -> Self:
        """The codebook, and mean and scale of every column, from train posters."""
        posters = cast(list[Seen], extracted)
        if self.options.visual_words:
            self._words = codebook([poster.descriptors for poster in posters], self.options.codebook)
        parts = self._parts(posters)
        rows = np.concatenate(parts, axis=1)
        deviation = rows.std(axis=0)
        width = np.concatenate([np.full(part.shape[1], part.shape[1]) for part in parts])
        self._mean = rows.mean(axis=0).astype(np.float32)
        self._scale = np.where(deviation > 1e-6, 1 / (np.maximum(deviation, 1e-6) * np.sqrt(width)), 0).astype(
            np.float32
        )
        return self

    def transform(self, extracted: Extracted) -> Features:
        """(N, F) float32."""
        assert len(self._mean), "fit or load_state comes before transform"
        posters = cast(list[Seen], extracted)
        if not posters:
            return np.zeros((0, len(self._mean)), dtype=np.float32)
        features: NDArray[np.float32] = (np.concatenate(self._parts(posters), axis=1) - self._mean) * self._scale
        return features

    def state(self) -> State:
        """Codebook, means and scales."""
        return State({"mean": self._mean, "scale": self._scale, "words": self._words})

    def load_state(self, state: State) -> Self:
        """Take over codebook, means and scales."""
        self._mean, self._scale, self._words = (state.arrays[name] for name in ("mean", "scale", "words"))
        return self

    def _parts(self, posters: list[Seen]) -> list[NDArray[np.float32]]:
        rows = np.stack([poster.blocks for poster in posters])
        parts = [rows[:, place] for name, place in blocks.places().items() if getattr(self.options, name)]
        if self.options.visual_words:
            parts.append(np.stack([word_shares(poster.descriptors, self._words) for poster in posters]))
        return parts


def codebook(descriptors: Sequence[NDArray[np.uint8]], size: int) -> NDArray[np.float32]:
    """(size, 256) centres of the bits of train descriptors; fewer where there are not as many different ones."""
    from sklearn.cluster import MiniBatchKMeans

    every = np.concatenate([np.zeros((0, 32), dtype=np.uint8), *descriptors])
    if len(every) > CODEBOOK_SAMPLE:
        every = every[np.random.default_rng(0).choice(len(every), CODEBOOK_SAMPLE, replace=False)]
    distinct = len(np.unique(every, axis=0))
    if distinct == 0:
        return np.zeros((1, 256), dtype=np.float32)
    bits = np.unpackbits(every, axis=1).astype(np.float32)
    clusters = MiniBatchKMeans(min(size, distinct), random_state=0, n_init=1, batch_size=4096, max_iter=30).fit(bits)
    centres: NDArray[np.float32] = clusters.cluster_centers_.astype(np.float32)
    return centres


def word_shares(descriptors: NDArray[np.uint8], words: NDArray[np.float32]) -> NDArray[np.float32]:
    """(V,) square roots of the shares of the visual words among (n, 32) descriptors; zeros without one."""
    counts: NDArray[Any] = np.zeros(len(words), dtype=np.float32)
    if len(descriptors):
        bits = np.unpackbits(descriptors, axis=1).astype(np.float32)
        nearest = ((words**2).sum(axis=1) - 2 * bits @ words.T).argmin(axis=1)
        counts = np.bincount(nearest, minlength=len(words)) / len(descriptors)
    return cast("NDArray[np.float32]", np.sqrt(counts).astype(np.float32))
