"""What the numbers of a run depend on besides recipe and data: versions, processor, device, threads."""

from __future__ import annotations

import platform
from importlib.metadata import distributions
from typing import Any

from cinealign.device import described
from cinealign.version import __version__


def environment(seed: int) -> dict[str, Any]:
    """Versions, platform, device, threads and seed, as environment.json of a run holds them."""
    import torch

    versions = {dist.metadata["Name"]: dist.version for dist in distributions() if dist.metadata["Name"]}
    return {
        "cinealign": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "device": described(),
        "processor": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "blas_threads": blas_threads(),
        "seed": seed,
        "packages": dict(sorted(versions.items())),
    }


def blas_threads() -> int:
    """Threads of NumPy's and SciPy's linear algebra, which PyTorch's setting does not reach."""
    import numpy as np
    from threadpoolctl import threadpool_info

    np.linalg.norm(np.zeros((2, 2)), 2)  # loads the library, if nothing has yet
    pools: list[int] = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
    return max([1, *pools])
