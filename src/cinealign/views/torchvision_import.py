"""torchvision where its compiled operators do not load: transformers and timm import it for its Python parts alone."""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, cast

_OPERATORS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
"""Those that torchvision names while it is imported."""
_declared: list[Any] = []
"""Libraries of declarations, which end with their object."""


@cache
def allow_torchvision() -> None:
    """Before transformers or timm is first imported: make `import torchvision` work, where it is installed at all.

    timm requires torchvision, whose wheels on PyPI are built for CUDA. Beside a CPU build of torch their operators do not
    load, `import torchvision` ends in "operator torchvision::nms does not exist", and with it every import of transformers.
    The operators that it names are declared here, without a body: nothing that cinealign calls uses them, and a call would
    raise. A torchvision that fits its torch is left as it is.
    """
    if find_spec("torchvision") is None:
        return
    try:
        import_module("torchvision")
        return
    except RuntimeError as error:
        if "does not exist" not in str(error):
            raise
    import torch

    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
    library: Any = cast(Any, torch.library).Library("torchvision", "FRAGMENT")
    for schema in _OPERATORS:
        library.define(schema)
    _declared.append(library)
    import_module("torchvision")
