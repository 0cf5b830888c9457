"""The report of a long run says what was tried."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEST = """
from hypothesis import given, settings, strategies as st

@settings(max_examples=37, database=None)
@given(st.integers())
def test_a(number):
    assert number is not None

@settings(max_examples=5, database=None)
@given(st.integers())
def test_b(number):
    assert number is None
"""


def test_inputs_are_counted_by_reader(tmp_path: Path) -> None:
    (tmp_path / "test_x.py").write_text(TEST)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.faults.counting", "-p", "no:cacheprovider"]
    command += ["--rootdir", str(tmp_path), "-c", "/dev/null", "--hypothesis-seed=7", "--hypothesis-show-statistics"]
    command += ["--inputs-report", str(tmp_path / "report.md"), str(tmp_path / "test_x.py")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    report = (tmp_path / "report.md").read_text()
    assert done.returncode == 1, done.stdout
    count = int(report.split("| all | ")[1].split(" ")[0])
    assert 38 <= count <= 400, done.stdout + report
    assert "seed 7;" in report and "test_b" in report.splitlines()[-1] and "test_a" not in report.splitlines()[-1]
