"""How the browser of the tests is found, or got where there is none."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.web import browsers

Machine = Callable[..., Path]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A PATH without any browser, on which `apt-get` does what a shell script says."""

    def made(apt: str | None, user: int = 0) -> Path:
        home = tmp_path / "bin"
        home.mkdir()
        if apt is not None:
            (home / "apt-get").write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n{apt}\n')
            (home / "apt-get").chmod(0o755)
        monkeypatch.setenv("PATH", str(home))
        monkeypatch.setattr(browsers, "_downloaded", lambda: None)
        monkeypatch.setattr(browsers.os, "geteuid", lambda: user, raising=False)
        return home

    return made


def asked(tmp_path: Path) -> list[str]:
    told = tmp_path / "asked"
    return told.read_text().splitlines() if told.is_file() else []


def test_debians_package_is_installed_where_there_is_none(machine: Machine, tmp_path: Path) -> None:
    home = machine(
        f'[ "$1" = install ] && printf "#!/bin/sh\\n" > {tmp_path}/bin/chromium && /bin/chmod +x {tmp_path}/bin/chromium'
    )
    assert browsers.found() is None
    assert browsers.install() == str(home / "chromium")
    assert asked(tmp_path) == ["update", "install --yes --no-install-recommends chromium"]


def test_playwrights_own_is_tried_where_apt_fails(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine("exit 100")
    called: list[list[str]] = []
    real = subprocess.run

    def run(command: list[str], **options: object) -> object:
        called.append(command)
        return real(command, **options) if command[0] == "apt-get" else None  # type: ignore[call-overload]

    monkeypatch.setattr(browsers.subprocess, "run", run)
    assert browsers.install() is None
    assert len(asked(tmp_path)) == 2
    assert called[-1] == [sys.executable, "-m", "playwright", "install", "chromium"]


@pytest.mark.parametrize(("apt", "user"), [("exit 0", 1000), (None, 0)])
def test_apt_is_left_alone_by_other_users_and_where_it_is_missing(
    apt: str | None, user: int, machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine(apt, user)
    monkeypatch.setattr(browsers, "_tried", lambda command, environment: None)
    assert browsers.install() is None and not asked(tmp_path)


def test_the_script_says_what_to_install_and_does_not_fail(tmp_path: Path) -> None:
    """The set-up goes on without a browser; the browser tests then fail with the same words."""
    root = Path(__file__).parents[2]
    (tmp_path / "playwright").mkdir()  # a package of that name that has nothing to give
    (tmp_path / "playwright" / "__init__.py").touch()
    (tmp_path / "playwright" / "sync_api.py").write_text(
        "class sync_playwright:\n"
        "    def __enter__(self): return self\n"
        "    def __exit__(self, *given): pass\n"
        "    chromium = type('chromium', (), {'executable_path': '/nowhere/chrome'})\n"
    )
    told = subprocess.run(
        [sys.executable, "tests/web/browsers.py"],
        cwd=root,
        env={**os.environ, "PATH": str(tmp_path), "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert told.returncode == 0 and browsers.WANTED in told.stderr
