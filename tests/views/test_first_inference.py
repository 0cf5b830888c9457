from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cinealign.views.first_inference import first_alone
from cinealign.views.poster import ocr


class Overlaps:
    """Inferences of several networks, and whether two that are the first of their network ever ran at one time."""

    def __init__(self) -> None:
        self.running, self.most, self.seen = 0, 0, set[Any]()
        self._lock = threading.Lock()

    def infer(self, network: Any) -> None:
        with self._lock:
            first = network not in self.seen
            self.seen.add(network)
            self.running += first
            self.most = max(self.most, self.running)
        time.sleep(0.02)  # long enough for the other threads, which all passed the barrier, to be here
        with self._lock:
            self.running -= first


def at_once(calls: list[Callable[[], Any]]) -> None:
    gate = threading.Barrier(len(calls))

    def go(call: Callable[[], Any]) -> None:
        gate.wait()
        call()

    threads = [threading.Thread(target=go, args=(call,), daemon=True) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads)


def test_first_inferences_of_several_networks_never_meet() -> None:
    seen = Overlaps()
    runs = [first_alone(lambda at=at: seen.infer(at)) for at in range(4)]
    at_once(runs)
    assert seen.most == 1 and len(seen.seen) == 4


def test_later_inferences_run_at_the_same_time() -> None:
    meeting = threading.Barrier(2)
    warm = [False]
    runs = [first_alone(lambda: meeting.wait(20) if warm[0] else None) for _ in range(2)]
    for run in runs:
        run()
    warm[0] = True
    at_once(runs)  # a lock around them would keep the two from ever meeting at the barrier


def test_a_first_inference_that_fails_leaves_the_next_one_the_first() -> None:
    calls = []

    def infer() -> int:
        calls.append(len(calls))
        if len(calls) == 1:
            raise ValueError("shape")
        return 7

    run = first_alone(infer)
    with pytest.raises(ValueError, match="shape"):
        run()
    assert run() == 7
    at_once([run, run])  # the lock is free


def test_ocr_networks_are_first_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program's own networks, on an OpenVINO that records who infers at one time."""
    import openvino

    seen = Overlaps()

    class Request:
        def infer(self, inputs: Any) -> None:
            seen.infer(id(self))

        def get_output_tensor(self, *_: Any) -> Any:
            return type("Tensor", (), {"data": np.zeros((1, 1, 2), np.float32)})

    class Core:
        def read_model(self, path: Path) -> Any:
            return None

        def compile_model(self, *_: Any) -> Any:
            return type("Compiled", (), {"create_infer_request": staticmethod(Request)})

    monkeypatch.setattr(openvino, "Core", Core)
    networks = [ocr._Network(Path("model.onnx"), "float32", 64) for _ in range(3)]
    at_once([lambda network=network: network(np.zeros((1, 3, 48, 64), np.float32)) for network in networks])
    assert seen.most == 1 and len(seen.seen) == 3


def test_compiled_graphs_are_first_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    import openvino
    import torch
    from torch import nn

    from cinealign.views.compiled import compile_graph, converted

    seen, real = Overlaps(), openvino.Core

    class Core:
        def compile_model(self, *args: Any) -> Any:
            compiled = real().compile_model(*args)

            class Request:
                def __init__(self) -> None:
                    self.request = compiled.create_infer_request()

                def infer(self, inputs: Any) -> Any:
                    seen.infer(id(compiled))
                    return self.request.infer(inputs)

            return type("Compiled", (), {"create_infer_request": staticmethod(Request)})

    monkeypatch.setattr(openvino, "Core", Core)
    example = torch.zeros(1, 2)
    models = [converted(nn.Linear(2, 1).eval(), (example,), [[-1, 2]]) for _ in range(2)]
    graphs = [compile_graph(model, "float32") for model in models]
    at_once([lambda graph=graph: graph(np.zeros((1, 2), np.float32)) for graph in graphs])
    assert seen.most == 1 and len(seen.seen) == 2
