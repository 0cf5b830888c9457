from __future__ import annotations

import pytest

from cinealign import progress as module
from cinealign.progress import progress, say


def test_plain_lines_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("reading", 3) as work:
        work.advance()
        assert capsys.readouterr().err == ""  # nothing yet: a line now and then is enough
        work.advance(2)
    shown = capsys.readouterr()
    assert shown.out == "" and shown.err.startswith("reading: 3/3")


def test_long_work_says_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PLAIN_LINE_EVERY_S", 0.0)
    with progress("reading", 9, done=4) as work:
        work.advance()
    assert capsys.readouterr().err.startswith("reading: 5/9")


def test_bar_on_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with progress("reading", 2) as work:
        work.advance(2)
    shown = capsys.readouterr()
    assert shown.out == "" and "reading" in shown.err and "2/2" in shown.err


def test_say(capsys: pytest.CaptureFixture[str]) -> None:
    say("going on")
    assert capsys.readouterr() == ("", "going on\n")
