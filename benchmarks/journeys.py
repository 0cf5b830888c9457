"""Processor seconds of every command of docs/journeys.md, each in a process of its own and in the page's order.

python benchmarks/journeys.py
"""

from __future__ import annotations

import os
import re
import resource
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PAGE = Path(__file__).parent.parent / "docs" / "journeys.md"
BLOCK = re.compile(r"^```(console|sh|yaml)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NOTE = 3
"""How `audit` ends where the numbers of a D leave the question open."""


def processor_seconds() -> float:
    """Of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Walk the page in an empty folder with an empty store; print a table."""
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as home:
        (Path(home) / "hand-ins").mkdir()
        (Path(home) / "mine.yaml").write_text(next(text for kind, text in blocks if kind == "yaml"), encoding="utf-8")
        environment = {**os.environ, "CINEALIGN_CACHE": str(Path(home) / "store")}
        print("| command | processor seconds | seconds |\n|---|---|---|")
        for line in (line for kind, text in blocks if kind != "yaml" for line in text.splitlines()):
            command = line.removeprefix("$ ").removeprefix("cinealign ")
            used, began = processor_seconds(), time.perf_counter()
            call = [sys.executable, "-m", "cinealign", *shlex.split(command)]
            ended = subprocess.run(call, cwd=home, env=environment, capture_output=True, text=True, check=False)
            if ended.returncode not in ((0, NOTE) if command.startswith("audit") else (0,)):
                sys.exit(f"{command}: exit code {ended.returncode}\n{ended.stderr}")
            took = time.perf_counter() - began
            print(f"| `{command}` | {processor_seconds() - used:.0f} | {took:.0f} |", flush=True)


if __name__ == "__main__":
    main()
