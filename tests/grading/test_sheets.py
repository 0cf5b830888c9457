"""Sheets and pages: findings with their strength, in both languages, and no other student's name."""

import re

import numpy as np
import pytest

from cinealign.audit.findings import failed, left_open
from cinealign.distance.distances import distance_matrix
from cinealign.grading.evidence import Evidence
from cinealign.grading.judging import Judged, judge
from cinealign.grading.resemblance import alike
from cinealign.grading.table import write_grades
from cinealign.grading.unpacking import Limits
from cinealign.grading.words import said


@pytest.fixture(scope="module")
def rows(finished, sample, tmp_path_factory):
    folder = tmp_path_factory.mktemp("two")
    D = distance_matrix(*finished.vectors)
    lowered = D.copy()
    held_out = np.setdiff1d(np.arange(len(D)), finished.train_rows)
    lowered[held_out, held_out] -= 0.5
    made = []
    for name, matrix in (("zhang", D), ("li <b>", lowered)):
        np.save(folder / f"{name}.npy", matrix)
        made.append(judge(folder / f"{name}.npy", folder / "scratch", sample, Limits()))
    return made


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_sheets_show_what_was_found_and_name_no_one_else(rows, tmp_path, lang):
    pairs = list(alike(rows))
    assert len(pairs) == 1
    write_grades(rows, pairs, tmp_path, lang)
    honest = (tmp_path / "sheets" / "zhang.html").read_text(encoding="utf-8")
    changed = (tmp_path / "sheets" / "li__b_.html").read_text(encoding="utf-8")
    index = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "<b>" not in changed + index and 'href="sheets/li__b_.html"' in index
    assert "zhang" not in changed and "li " not in re.sub(r"<li>", "", honest.partition("<body>")[2])
    assert "data:image/png" in changed
    sign, appeal = {"en": ("strong sign", "How to appeal"), "zh": ("强烈迹象", "如何申诉")}[lang]
    assert f'<span class="strength">{sign}</span>' in changed and f'<span class="strength">{sign}</span>' not in honest
    assert appeal in honest and appeal in changed


def test_strengths_follow_from_what_a_check_compares():
    strengths = [
        Evidence.of(found).strength
        for found in (
            failed("metrics", "differ"),
            failed("metrics", "the check cannot be made: no file"),
            failed("held-out ranks", "first or nowhere"),
            failed("special diagonal", "12 do not: they were changed after D was computed"),
            failed("special diagonal", "12 do not: they were changed after D was computed", form="logit D"),
            failed("special diagonal", "the diagonal was lowered as a whole"),
            left_open("special diagonal", "not bound"),
        )
    ]
    assert strengths == ["proof", "note", "strong sign", "proof", "strong sign", "strong sign", "note"]
    assert Evidence("note", "no such check", "12 of 13").means("zh") == "12 of 13"


def test_remarks_keep_their_numbers_and_names_in_chinese():
    assert (
        said("claims 0.9000, 0.8000; D gives 0.1000 and 0.2000", "zh") == "自报 0.9000, 0.8000；D 给出 0.1000 和 0.2000"
    )
    assert said("left out: a {0}: a link or device", "zh") == "未解压：a {0}：链接或设备文件"
    assert said("a line of another room", "zh") == "a line of another room"


def test_two_submissions_of_one_name_have_two_sheets(tmp_path):
    write_grades([Judged("a b"), Judged("a:b")], [], tmp_path)
    assert {path.name for path in (tmp_path / "sheets").iterdir()} == {"a_b.html", "a_b-2.html"}
