"""Workers, machines and drivers are ended at random moments; the result is that of an undisturbed call.

LOSSES=20 python -m pytest -m slow tests/scale/test_losses.py chooses how many; each kind in turn.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cinealign.data.catalogue import Catalogue
from cinealign.run import Run
from cinealign.scale.encode import encode
from cinealign.scale.places import Place
from cinealign.scale.shards import vectors_of
from cinealign.scale.table import open_table, problems

LOSSES = int(os.environ.get("LOSSES", "3"))
KINDS = ("worker", "node", "driver")
BLOCK = 4
PATIENCE_S = 900


class TwoNodes:
    """A head without processors and two raylets with one each, which can be ended and replaced."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        head = {"num_cpus": 0, "include_dashboard": False, "object_store_memory": 100 * 2**20}
        self._cluster = Cluster(initialize_head=True, head_node_args=head)
        self.address = self._cluster.address
        self._nodes = [self._node(), self._node()]

    def _node(self) -> Any:
        return self._cluster.add_node(num_cpus=1, object_store_memory=100 * 2**20)

    def lose_node(self, dice: random.Random) -> None:
        node = self._nodes.pop(dice.randrange(2))
        self._cluster.remove_node(node, allow_graceful=False)
        self._nodes.append(self._node())

    def lose_worker(self, dice: random.Random) -> bool:
        raylets = {node.all_processes["raylet"][0].process.pid for node in self._nodes}
        found = [pid for pid in _processes() if _parent(pid) in raylets and b"BlockEncoder" in _command(pid)]
        if found:
            os.kill(dice.choice(found), signal.SIGKILL)
        return bool(found)

    def end(self) -> None:
        self._cluster.shutdown()


def _processes() -> list[int]:
    return sorted(int(home.name) for home in Path("/proc").iterdir() if home.name.isdigit())


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return -1


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@pytest.fixture
def nodes(monkeypatch: pytest.MonkeyPatch) -> Iterator[TwoNodes]:
    monkeypatch.setenv("RAY_worker_niceness", "0")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    there = TwoNodes()
    yield there
    there.end()


@pytest.fixture(scope="session")
def spoilt(sample: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of the sample's pictures under as many ids as are needed, every hundredth picture cut short."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = []
    for number in range(400 * (1 + LOSSES // 2)):
        at = number % len(sample)
        path = sample.posters[at].path
        assert path is not None
        content = path.read_bytes()
        rows.append(
            {"id": f"m{number}", "image": content[:400] if number % 100 == 7 else content, "intro": sample.intros[at]}
        )
    table = tmp_path_factory.mktemp("spoilt") / "items.parquet"
    pq.write_table(pa.Table.from_pylist(rows), table, row_group_size=50)
    return table


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
def test_whatever_is_lost_the_result_is_that_of_an_undisturbed_call(
    ray: Any, nodes: TwoNodes, finished: Run, spoilt: Path, tmp_path: Path
) -> None:
    quiet, hurt = tmp_path / "quiet", tmp_path / "hurt"
    assert encode(finished.folder, spoilt, quiet, workers=2).problems >= 4
    command = [sys.executable, "-c", "from cinealign.cli.app import main; main()", "scale", "encode"]
    command += [str(finished.folder), "--source", str(spoilt), "--out", str(hurt), "--workers", "2"]
    command += ["--block", str(BLOCK), "--address", nodes.address]
    log = (tmp_path / "log").open("ab")

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, stdout=log, stderr=log)

    dice, lost, driver, began = random.Random(0), list[str](), start(), time.monotonic()
    while driver.poll() is None and time.monotonic() - began < PATIENCE_S * (1 + LOSSES / 10):
        before = _shards(hurt)
        while driver.poll() is None and _shards(hurt) == before and time.monotonic() - began < PATIENCE_S:
            time.sleep(0.1)
        if len(lost) == LOSSES or driver.poll() is not None:
            break
        time.sleep(0.5 * dice.random())
        kind = KINDS[len(lost) % 3]
        if kind == "worker" and not nodes.lose_worker(dice):
            continue
        if kind == "node":
            nodes.lose_node(dice)
        if kind == "driver":
            driver.kill()
            driver.wait()
            driver = start()
        lost.append(kind)
        print(f"{time.monotonic() - began:6.1f} s: lost a {kind} ({len(lost)}), {before} blocks were done", flush=True)
    said = (tmp_path / "log").read_text
    assert driver.wait(PATIENCE_S) == 0, said()
    assert len(lost) == LOSSES, f"the work was done after {lost}; more items or smaller blocks are needed"
    assert _same(quiet, hurt)
    assert problems(Place.of(hurt)) == problems(Place.of(quiet))


def _shards(out: Path) -> int:
    return len(list((out / "shards").glob("*.parquet")))


def _same(quiet: Path, hurt: Path) -> bool:
    """Equal rows in both tables, each once, and vectors equal up to rounding."""
    first, second = (open_table(Place.of(each)).to_table().sort_by("key") for each in (quiet, hurt))
    plain = [name for name in first.column_names if not name.endswith("_vector")]
    assert first.select(plain).to_pylist() == second.select(plain).to_pylist()
    assert len(set(second["id"].to_pylist())) == len(second)
    for side in ("poster", "intro"):
        width = first.schema.field(f"{side}_vector").type.list_size
        (rows, there), (others, here) = (vectors_of(table[f"{side}_vector"], width) for table in (first, second))
        assert (there == here).all()
        np.testing.assert_allclose(others, rows, atol=1e-5)
    return True
