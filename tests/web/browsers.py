"""Find a Chromium, or get one: on PATH, else Debian's package where this user may install it, else Playwright's own download.

.venv/bin/python tests/web/browsers.py
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
WANTED = (
    "the browser tests need Chromium and there is none: install it (on Debian or Ubuntu: apt-get install chromium), put "
    "Google Chrome on PATH, or run: .venv/bin/python -m playwright install --with-deps chromium"
)


def found() -> str | None:
    """The program, where there is one."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    return _downloaded()


def _downloaded() -> str | None:
    """That of `playwright install`."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        path = play.chromium.executable_path
    return path if Path(path).is_file() else None


def install() -> str | None:
    """Get one, by the first way that works."""
    if hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        _tried(["apt-get", "update"], quiet)
        _tried(["apt-get", "install", "--yes", "--no-install-recommends", "chromium"], quiet)
    if not found():
        _tried([sys.executable, "-m", "playwright", "install", "chromium"], dict(os.environ))
    return found()


def _tried(command: list[str], environment: dict[str, str]) -> None:
    """Run it and let it fail: whether a browser is there is seen afterwards."""
    try:
        subprocess.run(command, env=environment, check=False, stdout=subprocess.DEVNULL, timeout=900)
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"{' '.join(command)}: {error}", file=sys.stderr)


if __name__ == "__main__":
    path = found() or install()
    print(f"browser for the tests: {path}" if path else WANTED, file=sys.stderr)
