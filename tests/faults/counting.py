"""A pytest plugin for long runs of property tests: how many inputs each reader was given, with the seed, as a report.

`make fuzz` uses it: `pytest -p tests.faults.counting --hypothesis-seed=7 --inputs-report build/fuzz.md ...`.
"""

from __future__ import annotations

import re
import resource
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

READERS = {
    "tests/distance/test_foreign.py": "D files and their labels",
    "tests/test_recipe_input.py": "recipes and --set",
    "tests/test_plain_yaml.py": "YAML",
    "tests/data/importing/test_what_goes_in.py": "tables to import, as other programs write them",
    "tests/data/test_intros.py": "intros",
}
"""Files of property tests -> what they read; test_readers.py names its readers itself, others are by their file."""
_COUNTS = re.compile(r"(\d+) passing, (\d+) failing,? and (\d+) invalid")
_PARAMETER = re.compile(r"\[(.+)\]$")


def counted(statistics: str) -> int:
    """Inputs that a test was given, from hypothesis' own statistics; invalid ones are not counted."""
    return sum(int(passing) + int(failing) for passing, failing, _ in _COUNTS.findall(statistics))


def reader_of(nodeid: str) -> str:
    """What a test reads."""
    file = nodeid.partition("::")[0]
    if file.endswith("faults/test_readers.py") and (named := _PARAMETER.search(nodeid)):
        return named[1]
    return READERS.get(file, file)


class Counting:
    """Adds up the inputs by reader and writes the report at the end."""

    def __init__(self, report: Path, seed: str) -> None:
        self.report, self.seed, self.began = report, seed, time.time()
        self.inputs: dict[str, int] = defaultdict(int)
        self.seconds: dict[str, float] = defaultdict(float)
        self.failed: list[str] = []

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        if statistics := getattr(item, "hypothesis_statistics", ""):
            self.inputs[reader_of(item.nodeid)] += counted(statistics)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            self.seconds[reader_of(report.nodeid)] += report.duration
            if report.failed:
                self.failed.append(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        lines = ["| reader | inputs | seconds |", "|---|---|---|"]
        lines += [f"| {name} | {count:,} | {self.seconds[name]:.0f} |" for name, count in sorted(self.inputs.items())]
        lines += [f"| all | {sum(self.inputs.values()):,} | {time.time() - self.began:.0f} |", ""]
        lines += [f"seed {self.seed}; peak memory {peak:.2f} GB; failed: {', '.join(self.failed) or 'none'}"]
        self.report.parent.mkdir(parents=True, exist_ok=True)
        self.report.write_text("\n".join(lines) + "\n", encoding="utf-8")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--inputs-report", default="build/fuzz.md", help="where the counts go")


def pytest_configure(config: Any) -> None:
    seed = config.getoption("--hypothesis-seed", None)
    config.pluginmanager.register(Counting(Path(config.getoption("--inputs-report")), str(seed)), "counting")
