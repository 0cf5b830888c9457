"""The distances and transductive corrections that a recipe can name; docs/distances.md lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cinealign.distance.options import DistanceOptions, TransductionOptions
from cinealign.registry import Registry

if TYPE_CHECKING:
    from cinealign.distance.base import Distance
    from cinealign.distance.transductive import Transduction

DISTANCES: Registry[Distance, DistanceOptions] = Registry(
    "distance",
    {
        "bilinear": "cinealign.distance.learned:Bilinear",
        "cosine": "cinealign.distance.base:Cosine",
        "dot": "cinealign.distance.base:Dot",
        "euclidean": "cinealign.distance.base:Euclidean",
        "mahalanobis": "cinealign.distance.learned:Mahalanobis",
        "neighbour_bias": "cinealign.distance.hub_correction:NeighbourBias",
        "qb_norm": "cinealign.distance.hub_correction:QbNorm",
    },
    {
        "bilinear": "cinealign.distance.options:BilinearOptions",
        "mahalanobis": "cinealign.distance.options:MahalanobisOptions",
    },
)

TRANSDUCTIONS: Registry[Transduction, TransductionOptions] = Registry(
    "transductive correction",
    {
        "csls": "cinealign.distance.transductive:Csls",
        "sinkhorn": "cinealign.distance.transductive:Sinkhorn",
    },
    key="correction",
)
