"""One Chinese word for each idea, in every file that a reader of Chinese sees."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "cinealign"
HAN = re.compile(r"[\u4e00-\u9fff]")
INSTEAD = {
    "数词的视图": "基于词频的视图",
    "落在最近": "排在前",
    '算作"近"的部分': "候选集中取前 p 的比例",
    "算作“近”的部分": "候选集中取前 p 的比例",
    "画廊": "候选集",
    "图库": "候选集",
    "偏去类型": "控制类型后",
    "偏去": "控制",
    "拿走": "消融项",
    "什么也不拿走": "完整模型",
    "由什么承载": "来自哪里",
    "亲自看": "重新编码",
    "另一面": "另一模态",
    "哪一面": "模态",
    "两面": "海报和简介，或两个模态",
    "传导式": "直推式",
    "转导": "直推式",
    "直推的": "直推式",
    "保留集": "留出集",
    "保留项": "留出项",
    "测试集": "留出集",
    "检验集": "留出集",
}
"""A word that is not used -> the one that is."""


def chinese_lines() -> Iterator[tuple[str, str]]:
    """Where it stands, and the line, for every line with Chinese letters that is meant to be read."""
    files = [*PACKAGE.rglob("*.zh.yaml"), PACKAGE / "report" / "texts" / "zh.yaml", *ROOT.glob("*.zh.md")]
    files += [*(ROOT / "docs").glob("*.zh.md"), *(PACKAGE / "report" / "templates").iterdir()]
    for file in files:
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            if HAN.search(line):
                yield f"{file.relative_to(ROOT)}:{number}", line


@pytest.mark.parametrize("word", INSTEAD)
def test_one_word_for_one_idea(word: str) -> None:
    found = [f"{place}: {INSTEAD[word]}" for place, line in chinese_lines() if word in line]
    assert not found


def test_every_kind_of_file_is_read() -> None:
    kinds = {Path(place.partition(":")[0]).name for place, _ in chinese_lines()}
    assert {"terminal.zh.yaml", "figure_labels.zh.yaml", "words.zh.yaml", "zh.yaml", "notebook.py"} <= kinds
    assert {"README.zh.md", "change-one-thing.zh.md", "index.zh.md", "submission-zh.md"} <= kinds


def test_no_blank_parts_chinese_letters() -> None:
    """A blank between two Chinese letters is left over from a wrapped line."""
    found = [
        f"{place}: {line[:60]}"
        for place, line in chinese_lines()
        if re.search(r"[\u4e00-\u9fff，。；] [\u4e00-\u9fff]", line)
    ]
    assert not found
