"""A network of the OCR engine, compiled once and shared by the threads that read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from cinealign.views.first_inference import ALONE, first_alone
from cinealign.views.precision import ResolvedPrecision
from cinealign.views.weights import packaged_file

R = TypeVar("R")

PACKAGE = "rapidocr"
MODEL_FILES = {
    "Det": ("models/PP-OCRv6_det_small.onnx", "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f"),
    "Rec": ("models/PP-OCRv6_rec_small.onnx", "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884"),
}
KERNELS_KEPT = 5000
"""Compiled kernels that a stream keeps: a shape of input needs about sixty, and lines come in some forty shapes."""


class Network:
    """A network for several threads: each call takes a free request, and every request computes in one thread.

    Processor pinning is off: two programs would be pinned to the same cores.
    """

    def __init__(
        self,
        path: Path,
        precision: ResolvedPrecision,
        width_step: int = 1,
        *,
        streams: int = 1,
        change: Callable[[Any], Any] = lambda model: model,
    ) -> None:
        """Args:
        path: an ONNX model with one input and one output.
        precision: number format of its products.
        width_step: batches are padded with zeros on the right to a multiple of it.
        streams: calls that compute at the same time; further ones wait.
        change: makes of the OpenVINO model in the file the one that is compiled, a part of it for example.
        """
        import openvino

        properties = {
            "INFERENCE_NUM_THREADS": streams,
            "NUM_STREAMS": streams,
            "ENABLE_CPU_PINNING": False,
            "INFERENCE_PRECISION_HINT": {"float32": "f32", "bfloat16": "bf16"}[precision],
            "CPU_RUNTIME_CACHE_CAPACITY": str(KERNELS_KEPT),
        }
        self._width_step = width_step
        self._idle: SimpleQueue[Any] = SimpleQueue()
        with ALONE:
            core = openvino.Core()
            self._model = core.read_model(path)
            self._compiled = core.compile_model(change(self._model), "CPU", properties)
            for _ in range(streams):
                self._idle.put(self._compiled.create_infer_request())
        self._infer = first_alone(self._inferred)

    def __call__(self, batch: NDArray[np.float32], take: Callable[[NDArray[np.float32]], R] = np.array) -> R:  # type: ignore[assignment]
        """What `take` makes of the output for `batch`; it must not keep the array that it is given."""
        if rest := -batch.shape[-1] % self._width_step:
            batch = np.pad(batch, ((0, 0), (0, 0), (0, 0), (0, rest)))
        request = self._idle.get()
        try:
            return take(self._infer(request, batch))
        finally:
            self._idle.put(request)

    def _inferred(self, request: Any, batch: NDArray[np.float32]) -> Any:
        request.infer([batch])
        return request.get_output_tensor().data

    def characters(self) -> list[str]:
        """The characters that the classes of the output stand for, from the model file's own metadata."""
        return str(self._model.get_rt_info()["framework"]["character"].value).splitlines()


def model_paths() -> dict[str, Path]:
    """Path of the detection and the recognition model by their name in rapidocr, contents checked.

    Raises:
        ModelError: one is missing or another one.
    """
    return {part: packaged_file(PACKAGE, name, sha256) for part, (name, sha256) in MODEL_FILES.items()}
