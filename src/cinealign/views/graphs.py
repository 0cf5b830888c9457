"""Graphs of frozen networks on disk: converting one takes ten seconds and PyTorch, reading it back takes neither.

A graph lies in the cache folder, next to the feature store, as OpenVINO's own files (float32 as it was converted) with the
sha256 of each. It is written beside its place and renamed, so it is whole or not there; one whose sums do not fit, or that
OpenVINO cannot read, is converted again. The key holds all that the graph depends on: weights, shapes, versions.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from cinealign.views.first_inference import ALONE
from cinealign.views.store import default_store_folder, fingerprint

CONVERTERS = ("openvino", "torch", "transformers")
"""Packages whose releases can convert a network in another way."""
_GRAPH, _WEIGHTS, _SUMS = "graph.xml", "graph.bin", "sums.json"


def kept_graph(key: Mapping[str, Any], convert: Callable[[], Any]) -> Any:
    """The `openvino.Model` under `key`, from the cache folder, or from `convert` and kept there.

    A folder that cannot be written to only means that the next process converts again.

    Args:
        key: JSON values; what the graph depends on besides the versions of `CONVERTERS`.
        convert: gives the model; called where the cache has none that is whole.
    """
    place = graph_folder(key)
    if (found := _read(place)) is not None:
        return found
    model = convert()
    with contextlib.suppress(OSError):
        _write(model, place)
    return _read(place) or model  # the file's own, whose last digits are those of every later process


def graph_folder(key: Mapping[str, Any]) -> Path:
    """Where the graph under `key` lies, or would lie."""
    settings = {**key, "versions": {name: _version(name) for name in CONVERTERS}}
    return default_store_folder() / "graphs" / fingerprint(settings)[:32]


@cache
def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _read(place: Path) -> Any | None:
    """The graph in `place`; None where there is none, or one that is not what was written."""
    try:
        sums = json.loads((place / _SUMS).read_text(encoding="utf-8"))
        if any(sums[name] != _sha256(place / name) for name in (_GRAPH, _WEIGHTS)):
            return None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    import openvino

    try:
        with ALONE:
            return openvino.Core().read_model(place / _GRAPH)
    except RuntimeError:  # written by a build that knows other operations
        return None


def _write(model: Any, place: Path) -> None:
    import openvino

    place.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(dir=place.parent, prefix=".part-"))
    try:
        with ALONE:
            try:
                openvino.save_model(model, beside / _GRAPH, compress_to_fp16=False)
            except RuntimeError as error:  # a full disk, in its words
                raise OSError(str(error)) from None
        sums = {name: _sha256(beside / name) for name in (_GRAPH, _WEIGHTS)}
        (beside / _SUMS).write_text(json.dumps(sums), encoding="utf-8")
        if place.exists():  # a damaged one; or a sound one that another process has put there meanwhile
            gone = Path(tempfile.mkdtemp(dir=place.parent, prefix=".part-"))
            place.rename(gone / "old")
            shutil.rmtree(gone, ignore_errors=True)
        beside.rename(place)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
