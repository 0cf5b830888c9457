"""What an audit of a run looks at: the run directory, the data it says it came from, and the store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from cinealign.environment import environment
from cinealign.experts.base import Vectors
from cinealign.run_data import RunData

DECIDING = ("torch", "numpy", "scipy", "scikit-learn", "transformers", "openvino")
"""Packages whose versions can change the last bits of a result."""


class Evidence(RunData):
    """A run and the data folder, each read when a check asks for it; the data may be other data than the run's."""

    @cached_property
    def encoded(self) -> tuple[Vectors, Vectors]:
        """As `RunData.encoded`, with as many threads as the run had."""
        with self.threads():
            model = self.model
            return model.encode_poster_extracts(self.extracts.poster), model.encode_intro_extracts(self.extracts.intro)

    @cached_property
    def elsewhere(self) -> str:
        """How this machine differs from the one that made the run; empty where nothing that decides does."""
        then, now = self.saved_environment, environment(0)
        packages = then.get("packages", {})
        changed = [
            f"{name} {packages[name]}" for name in DECIDING if packages.get(name, "") != now["packages"].get(name, "")
        ]
        if then.get("processor") != now["processor"]:
            changed.insert(0, f"processor {then.get('processor')}")
        if then.get("device", "cpu") != now["device"]:
            changed.insert(0, f"device {then['device']}")
        return ", ".join(changed)

    @cached_property
    def saved_environment(self) -> dict[str, Any]:
        """environment.json."""
        return self.run._json("environment.json")

    @contextmanager
    def threads(self) -> Iterator[None]:
        """As many threads as the run had: sums in another order differ in their last bits."""
        import torch
        from threadpoolctl import threadpool_limits

        before, wanted = torch.get_num_threads(), self.saved_environment.get("threads")
        # A run that did not note its linear algebra's threads most likely had as many as PyTorch.
        blas = self.saved_environment.get("blas_threads", wanted)
        if isinstance(wanted, int) and wanted > 0:
            torch.set_num_threads(wanted)
        try:
            with threadpool_limits(blas if isinstance(blas, int) and blas > 0 else None, user_api="blas"):
                yield
        finally:
            torch.set_num_threads(before)
