"""The long run notices what it is there for: whatever a reader does wrong, with the input that showed it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cinealign.errors import DataError
from tests.faults import fuzz
from tests.faults.readers import Reader

COUNT = 40


def made(home: Path, run: Path) -> None:
    (home / "a.txt").write_bytes(b"ten 10 and twenty 20")
    (home / "kept.csv").write_text("1,2\n")


def tried(tmp_path: Path, read: Callable[[Path], Any]) -> fuzz.Tried:
    """What is told of a reader of a.txt."""
    return fuzz.fuzzed(
        "texts", Reader(made, lambda home, file: read(file), "a.txt"), tmp_path, tmp_path / "w", 7, range(COUNT)
    )


def refuse_long(file: Path) -> None:
    if len(file.read_bytes()) > 20:
        raise DataError("too long")


def test_a_reader_that_refuses_or_reads_is_sound(tmp_path: Path) -> None:
    found = tried(tmp_path, refuse_long)
    assert (found.inputs, found.findings) == (COUNT, {}) and 0 < found.peak < fuzz.MOST_BYTES


def refuse_mutely(file: Path) -> None:
    raise DataError("")


def no_twenty(content: bytes) -> bool:
    return b"20" not in content


@pytest.mark.parametrize(
    ("does", "told"),
    [
        (lambda file: int("x"), "ValueError at test_fuzz.py:"),
        (refuse_mutely, "not one line: ''"),
        (lambda file: (file.parents[1] / "outside").write_text("x"), "wrote: open "),
        (lambda file: (file.parent / "kept.csv").unlink(missing_ok=True), "wrote: os.remove "),
        (lambda file: os.kill(os.getpid(), signal.SIGKILL), "ended by SIGKILL"),
        (lambda file: time.sleep(30), "ended by more than 1 s"),
    ],
)
def test_a_fault_is_told_with_its_input(
    does: Callable[[Path], Any], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fuzz, "LONGEST_S", 1.0)
    numbers = iter(range(COUNT))
    corpus = [(tmp_path / "a.txt", b"ten 10 and twenty 20")]
    bad = next(at for at in numbers if no_twenty(fuzz.changed(corpus, 7, "texts", at)[1]))

    def read(file: Path) -> None:
        if file.read_bytes() == fuzz.changed(corpus, 7, "texts", bad)[1]:
            does(file)

    found = tried(tmp_path, read)
    assert found.inputs == COUNT
    assert bad in next(places for what, places in found.findings.items() if what.startswith(told)), found.findings


def test_memory_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz, "MOST_BYTES", 1 << 20)
    found = tried(tmp_path, lambda file: None)
    assert [places for what, places in found.findings.items() if "GB of memory" in what] == [[0]]


def test_what_no_hook_sees_is_found_afterwards(tmp_path: Path) -> None:
    """Libraries in C write without asking Python."""
    found = tried(tmp_path, lambda file: os.utime(file.parent / "kept.csv", (1, 1)))
    assert any(what.startswith("files changed: ") and "kept.csv" in what for what in found.findings), found.findings


def test_an_input_is_the_same_whatever_was_drawn_before() -> None:
    corpus = [(Path("a.txt"), b"ten 10 and twenty 20"), (Path("b.csv"), b"1,2\n")]
    drawn = [fuzz.changed(corpus, 7, "texts", at) for at in range(30)]
    assert drawn[20:] == [fuzz.changed(corpus, 7, "texts", at) for at in range(20, 30)]
    assert drawn != [fuzz.changed(corpus, 8, "texts", at) for at in range(30)] and len(set(drawn)) > 20
