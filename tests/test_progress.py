from __future__ import annotations

import threading
from pathlib import Path

import pytest

from cinealign import progress as module
from cinealign.progress import Progress, Watch, lasting, progress, say
from tests.clock import Clock


def test_plain_lines_go_to_stderr(capsys: pytest.CaptureFixture[str], clock: Clock) -> None:
    with progress("reading", 3) as work:
        work.advance()
        assert capsys.readouterr().err == ""  # nothing yet: a line now and then is enough
        clock.now += 4
        work.advance(2)
    assert capsys.readouterr() == ("", "reading 3 of 3, 4 s\n")


def test_rate_and_time_left_are_of_what_this_run_did(capsys: pytest.CaptureFixture[str], clock: Clock) -> None:
    with progress("lettering", 2938, done=1000) as work:
        clock.now += 83
        work.advance(440)
        clock.now += 1
        work.advance(1)  # too soon for another line
    assert capsys.readouterr().err == "lettering 1,440 of 2,938, 5.3/s, 4 min 43 s left\n"


def test_bar_on_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "160")
    with progress("reading", 4) as work:
        clock.now += 2
        work.advance(2)
        work.rich.refresh()  # type: ignore[attr-defined]
    shown = capsys.readouterr()
    assert shown.out == "" and "reading" in shown.err and "2/4" in shown.err and "1.0/s, 2 s left" in shown.err


def test_work_that_stands_still_is_said_to(
    capsys: pytest.CaptureFixture[str], clock: Clock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    watch, work = Watch(), Progress("lettering", 2938, 0)
    outer = Progress("folds", 5, 0)
    with watch.over(outer), watch.over(work):
        work.advance(1440)
        clock.now += 299
        watch.look(clock.now)
        assert capsys.readouterr().err == ""  # slow is not still
        clock.now += 2
        watch.look(clock.now)
        line = capsys.readouterr().err
        assert line.startswith("lettering stands still at 1,440 of 2,938 since ") and "(5 min 1 s)" in line
        assert line.count("\n") == 1
        stacks = Path(line.strip().rpartition(": ")[2])
        assert stacks.parent == tmp_path and "test_work_that_stands_still_is_said_to" in stacks.read_text()
        clock.now += 200
        watch.look(clock.now)
        assert capsys.readouterr().err == ""  # said; again when it has lasted twice as long
        clock.now += 200
        watch.look(clock.now)
        assert "(11 min 41 s)" in capsys.readouterr().err
        work.advance()
        clock.now += 299
        watch.look(clock.now)
        assert "still" not in capsys.readouterr().err  # slow but honest
    clock.now += 5000
    watch.look(clock.now)
    assert capsys.readouterr().err == ""  # nothing is under way


def test_the_watch_looks_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    said = threading.Event()
    monkeypatch.setattr(module, "_LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(module, "STANDS_STILL_AFTER_S", 0.02)
    monkeypatch.setattr(module, "_write_stacks", lambda: "nowhere")
    monkeypatch.setattr(module, "say", lambda line: said.set() if "reading stands still at 0 of 3" in line else None)
    monkeypatch.setattr(module, "watch", Watch())
    with progress("reading", 3):
        assert said.wait(20)


def test_lengths_of_time() -> None:
    assert [lasting(s) for s in (0.4, 59.4, 59.6, 280, 3600, 7530)] == [
        "0 s", "59 s", "1 min 0 s", "4 min 40 s", "1 h 0 min", "2 h 5 min",
    ]  # fmt: skip


def test_say(capsys: pytest.CaptureFixture[str]) -> None:
    say("going on")
    assert capsys.readouterr() == ("", "going on\n")
