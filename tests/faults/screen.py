"""Run commands one after the other in a process of its own and keep apart what we say on stderr from what others say there.

`python -m tests.faults.screen COMMANDS.json OWN.json`: what others write goes to the real stderr, through whatever library or
child process it comes; what our own code writes goes to OWN.json, by command.
"""

from __future__ import annotations

import io
import json
import os
import sys
import time
from pathlib import Path
from types import FrameType

MARK = "\x1ecommand "
MESSENGERS = ("warnings", "logging")
"""Through these only other packages speak."""
CARRIERS = ("typer", "click", "rich", "contextlib", "threading", "concurrent", "codecs", "io")
"""Packages that write what they are given."""


def ours(frame: FrameType | None) -> bool:
    """Whether the nearest code that had something to say is our own."""
    while frame is not None:
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if package == "cinealign":
            return True
        if package in MESSENGERS or package not in CARRIERS:
            return False
        frame = frame.f_back
    return False


class Screen(io.TextIOBase):
    """Stands for sys.stderr."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self.own = ""

    def write(self, text: str) -> int:
        """Keep it if it is ours, pass it on to the real stderr otherwise."""
        if ours(sys._getframe(1)):
            self.own += text
        else:
            os.write(2, text.encode("utf-8", "replace"))
        return len(text)

    def fileno(self) -> int:
        return 2

    def isatty(self) -> bool:
        return False


def main(commands: Path, told: Path) -> None:
    screen = Screen()
    sys.stderr = screen
    from cinealign.cli.app import main as cinealign

    results = []
    for command in json.loads(commands.read_text(encoding="utf-8")):
        os.write(2, f"{MARK}{' '.join(command)}\n".encode())
        screen.own, code, began = "", None, time.process_time()
        try:
            cinealign(command)
        except SystemExit as ended:
            code = ended.code
        sys.stdout.flush()
        results.append({"command": command, "code": code, "own": screen.own, "cpu": time.process_time() - began})
        told.write_text(json.dumps(results), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
