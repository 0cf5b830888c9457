"""Classical features of a poster: colours, shapes of edges, textures, and a bag of visual words. No network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Self, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from cinealign.data.posters import Poster, open_poster
from cinealign.state import State
from cinealign.views.base import Extracted, Features, PosterView, ViewOptions
from cinealign.views.poster import classical_blocks as blocks
from cinealign.views.poster.extraction import BATCH, looked_at
from cinealign.views.poster.visual_words import DESCRIPTORS, FORMS, DescriptorKind, Descriptors, codebook, word_shares
from cinealign.views.store import FeatureStore


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
    """How often each visual word (a cluster of local descriptors of train posters) is on the poster."""
    descriptors: DescriptorKind = "orb"
    """Local descriptors of the visual words: orb (256 bits around a corner) or sift (gradients around a blob; slower)."""
    codebook: int = Field(default=128, ge=2, le=4096)
    """Number of visual words."""

    @model_validator(mode="after")
    def _something_is_on(self) -> Self:
        if not any(getattr(self, name) for name in (*blocks.BLOCKS, "visual_words")):
            raise ValueError("every block is switched off; leave one on")
        return self


class Seen(NamedTuple):
    """One poster: its blocks side by side, all of them, and its local descriptors (n, width)."""

    blocks: NDArray[np.float32]
    descriptors: Descriptors


class ClassicalView(PosterView):
    """Features (N, F) float32: the chosen blocks, each standardised on the train posters and scaled to equal weight.

    All blocks and ORB descriptors are computed and stored once, so switching one off costs nothing; SIFT descriptors are
    stored where they are asked for. A column that is the same on all train posters is zero.

    Source: HOG: Dalal and Triggs, CVPR 2005; LBP: Ojala et al., PAMI 2002; co-occurrence: Haralick et al. 1973; ORB:
    Rublee et al., ICCV 2011; SIFT: Lowe, IJCV 2004; visual words: Sivic and Zisserman, ICCV 2003.
    """

    Options = ClassicalOptions

    def __init__(self, options: ClassicalOptions) -> None:
        self.options = options
        self._mean: NDArray[np.float32] = np.zeros(0, dtype=np.float32)
        self._scale: NDArray[np.float32] = np.zeros(0, dtype=np.float32)
        self._form = FORMS[options.descriptors]
        self._words: NDArray[np.float32] = np.zeros((0, self._form.space), dtype=np.float32)

    def extract(self, items: Sequence[Poster], store: FeatureStore) -> list[Seen]:
        """Blocks and descriptors of every poster, from the store where it has them.

        Raises:
            DataError: a poster cannot be read.
        """
        if not items:
            return []
        stored = looked_at(
            items,
            store,
            "classical",
            blocks.settings(),
            lambda posters: np.stack([blocks.look(open_poster(poster)) for poster in posters]),
        )
        seen = [Seen(*blocks.unpack(row)) for row in stored]
        if not (self.options.visual_words and self.options.descriptors == "sift"):
            return seen
        found = store.sequences(
            "sift",
            {"size": [blocks.WIDTH, blocks.HEIGHT], "descriptors": DESCRIPTORS},
            [poster.digest for poster in items],
            lambda rows: [self._form.detect(blocks.grey_pixels(open_poster(items[row]))) for row in rows],
            batch_size=BATCH,
        )
        return [one._replace(descriptors=descriptors) for one, descriptors in zip(seen, found, strict=True)]

    def fit(self, extracted: Extracted) -> Self:
        """The codebook, and mean and scale of every column, from train posters."""
        posters = cast(list[Seen], extracted)
        if self.options.visual_words:
            self._words = codebook([poster.descriptors for poster in posters], self.options.codebook, self._form)
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
            parts.append(np.stack([word_shares(poster.descriptors, self._words, self._form) for poster in posters]))
        return parts
