"""The networks of the OCR engine on a graphics card, by onnxruntime-gpu: whole, as a card has no need to save on classes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from cinealign.device import device
from cinealign.views.poster.reading.characters import starts_of
from cinealign.views.poster.reading.recognition import batch_of, decoded

R = TypeVar("R")

PROVIDER = "CUDAExecutionProvider"


def reads_on_card() -> bool:
    """Whether this process reads on a graphics card: its device is cuda, and an onnxruntime that knows it is installed."""
    if device() != "cuda" or find_spec("onnxruntime") is None:
        return False
    import onnxruntime

    return PROVIDER in onnxruntime.get_available_providers()


class CardNetwork:
    """A network of one input and one output in onnxruntime; any number of threads may call it."""

    def __init__(self, path: Path, provider: str = PROVIDER) -> None:
        import onnxruntime

        self._session: Any = onnxruntime.InferenceSession(str(path), providers=[provider])
        self._input = self._session.get_inputs()[0].name

    def __call__(self, batch: NDArray[np.float32], take: Callable[[NDArray[np.float32]], R] = np.asarray) -> R:  # type: ignore[assignment]
        """What `take` makes of the output for `batch`."""
        return take(self._session.run(None, {self._input: batch})[0])

    def characters(self) -> list[str]:
        """The characters that the classes of the output stand for, from the model file's own metadata."""
        return str(self._session.get_modelmeta().custom_metadata_map["character"]).splitlines()


class CardRecogniser:
    """`Recogniser` by one network that gives the probabilities of all classes."""

    def __init__(self, network: CardNetwork) -> None:
        self._network, self._characters = network, [*network.characters(), " "]

    def read(self, lines: Sequence[NDArray[np.uint8]], width: int) -> list[tuple[str, float]]:
        """As `Recogniser.read`."""
        classes, best = self._network(
            batch_of(lines, width), lambda found: (found.argmax(axis=2), found.max(axis=2).astype(np.float64))
        )
        probabilities = np.where(starts_of(classes), best, 0.0)
        return [decoded(*line, self._characters) for line in zip(classes, probabilities, strict=True)]
