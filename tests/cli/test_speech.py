"""What reaches a terminal: lines folded between words, never within one, in both languages; a pipe gets whole lines."""

from __future__ import annotations

import io
import os
from unicodedata import east_asian_width

import pytest

from cinealign.cli import speech
from cinealign.cli.speech import Screen, folded

ENGLISH = (
    "top 5 %: share of queries whose partner is among the 146 nearest, ties counting against the model; intervals by "
    "drawing items again"
)
CHINESE = (
    "前 5 %：正确匹配项排在前 146 名的查询所占比例，并列时按不利于模型计；"
    "区间由对项重抽样得到；`cinealign show RUN` 给出区间"
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("columns", [40, 80, 100, 120])
@pytest.mark.parametrize("line", [ENGLISH, CHINESE, "  " + ENGLISH])
def test_a_line_is_folded_between_words(line: str, columns: int) -> None:
    parts = folded(line, columns)
    width = [sum(2 if east_asian_width(letter) in "WF" else 1 for letter in part) for part in parts]
    assert max(width) <= columns and (len(parts) > 1) == (sum(width) > columns)
    assert "".join(parts).replace(" ", "") == line.replace(" ", "")
    assert all(word in " ".join(parts) for word in line.split() if word.isascii())
    assert not any(part.lstrip().startswith(("，", "。", "；", "：", "、", "）")) for part in parts[1:])
    assert all(part.startswith("  ") for part in parts[1:])


def test_a_number_keeps_its_percent_sign() -> None:
    assert all(
        not part.lstrip().startswith("%")
        for columns in range(20, 60)
        for part in folded("k = 146 (5 %), " * 8, columns)
    )


def test_a_second_column_stays_one() -> None:
    parts = folded(f"  recipe    {ENGLISH}", 80)
    assert all(part.startswith(" " * 12) and part[12] != " " for part in parts[1:])


@pytest.mark.parametrize("line", ["x" * 200, "\x1b[2K" + ENGLISH, "50 %\r" + ENGLISH, "", "  "])
def test_paths_and_bars_stay_whole(line: str) -> None:
    assert folded(line, 80) == [line]


def test_only_a_terminal_gets_folded_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech, "get_terminal_size", lambda: os.terminal_size((80, 24)))
    terminal, pipe = Terminal(), io.StringIO()
    for out in (terminal, pipe):
        Screen(out).write(f"{ENGLISH}\nnext\n")
    assert pipe.getvalue() == f"{ENGLISH}\nnext\n"
    assert terminal.getvalue().splitlines() == [*folded(ENGLISH, 80), "next"]
