"""Commands that SIGKILL ends at random moments finish with what they would have made undisturbed; `make kill-test`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def tried(*options: str) -> dict[str, dict[str, int]]:
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.kills", *options],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return {line["command"]: line for line in lines}


@pytest.mark.slow
def test_two_kills_of_each_command_change_nothing() -> None:
    commands = ("run", "index add", "data import", "data download", "tune", "compare")
    found = tried("--kills", "2", "--seed", "1", "--commands", *commands)
    assert set(found) == set(commands)
    for counts in found.values():
        assert counts["kills"] >= 2 and counts["finished"] >= 1
        assert counts["different"] == counts["half"] == 0


@pytest.mark.slow
def test_a_submission_that_is_ended_leaves_no_half_zip() -> None:
    assert tried("--kills", "2", "--commands", "submit")["submit"]["different"] == 0
