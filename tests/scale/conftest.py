"""A Ray cluster of two processors, started once a session, and an encoding of the drawn sample."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cinealign.run import Run
from cinealign.scale.cluster import cluster
from cinealign.scale.encode import Report, encode


@pytest.fixture(scope="session")
def ray() -> Iterator[Any]:
    """Ray itself, initialised."""
    with cluster("local", workers=2) as package:
        yield package


@pytest.fixture(scope="session")
def encoded(
    ray: Any, finished: Run, sample_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Report]:
    """The sample's data folder, encoded by two workers with the run `finished`; tests read it and leave it as it is."""
    out = tmp_path_factory.mktemp("encoded") / "out"
    return out, encode(finished.folder, sample_folder, out, workers=2, block=50)
