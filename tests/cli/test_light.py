"""Commands that only read or refuse answer at once: none of them brings torch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cinealign.run import Run
from cinealign.version import __version__

SAID = """
import contextlib, json, sys
from cinealign.cli.app import main
with contextlib.suppress(SystemExit):
    main(json.loads(sys.argv[1]))
print(json.dumps(sorted({"torch", "scipy", "pandas", "sklearn", "transformers"} & set(sys.modules))))
"""


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["show", "{run}"], "held-out"),
        (["show", "{run}", "--json"], '"course_score"'),
        (["recipes"], "the two-tower network"),
        (["show", "nowhere"], "nowhere"),
        (["diff", "nowhere", "{run}"], "nowhere"),
        (["slices", "nowhere"], "nowhere"),
        (["plot", "nowhere"], "nowhere"),
        (["audit", "nowhere"], "nowhere"),
        (["run", "--recipe", "no-such-recipe"], "no-such-recipe"),
        (["show", "{run}", "--no-such-option"], "--no-such-option"),
        (["runs", "{run}/.."], "poster"),
        (["--lang", "zh", "show", "{run}"], "留出"),
        (["index", "info", "{run}"], "not an index"),
        (["--help"], "Make and show runs"),
    ],
)
def test_no_torch(arguments: list[str], expected: str, finished: Run) -> None:
    asked = [word.format(run=finished.folder) for word in arguments]
    done = subprocess.run(
        [sys.executable, "-c", SAID, json.dumps(asked)], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    assert expected in done.stdout + done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == []


def test_python_m(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cinealign", "--version"], check=False, capture_output=True, text=True, cwd=tmp_path
    )
    assert (done.returncode, done.stdout.strip()) == (0, f"cinealign {__version__}"), done.stderr
