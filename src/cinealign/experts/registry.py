"""The experts that a recipe can name: one file an expert, one line here."""

from __future__ import annotations

from cinealign.experts.base import Expert, ExpertOptions
from cinealign.registry import Registry

EXPERTS: Registry[Expert, ExpertOptions] = Registry(
    "expert",
    {
        "cca": "cinealign.experts.cca:CcaExpert",
        "contrastive": "cinealign.training.experts.contrastive:ContrastiveExpert",
        "lexical": "cinealign.experts.lexical:LexicalExpert",
        "memory": "cinealign.experts.memory:MemoryExpert",
        "network": "cinealign.training.experts.network:NetworkExpert",
        "residual_ridge": "cinealign.experts.residual_ridge:ResidualRidgeExpert",
        "shared_space": "cinealign.experts.shared_space:SharedSpaceExpert",
    },
    {
        "contrastive": "cinealign.training.experts.contrastive_options:ContrastiveOptions",
        "network": "cinealign.training.experts.network_options:NetworkOptions",
    },
)
