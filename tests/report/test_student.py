from __future__ import annotations

import pytest

from cinealign.errors import ConfigError
from cinealign.report.student import Student


@pytest.mark.parametrize("student_id", ["2020123456", "a", "A-1_b"])
def test_good_ids(student_id: str) -> None:
    assert Student(student_id, "张三 O'Neil").student_id == student_id


@pytest.mark.parametrize(
    "student_id",
    ["", ".", "..", "../x", "a/b", "a\\b", "a b", "a\n", "a\x00", "-rf", "_a", "a.", "é", "一", "a" * 65, "a:b", "~"],
)
def test_odd_ids_are_refused(student_id: str) -> None:
    with pytest.raises(ConfigError, match=r"--student-id .*: expected up to 64 ASCII letters"):
        Student(student_id)


@pytest.mark.parametrize("student_id", ["CON", "nul", "Lpt1"])
def test_reserved_ids_are_refused(student_id: str) -> None:
    with pytest.raises(ConfigError, match="is a reserved name"):
        Student(student_id)


@pytest.mark.parametrize("name", ["a\nb", "\x1b[31m", "a\u202eb", "x" * 101])
def test_odd_names_are_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"--name .*without control characters") as refused:
        Student("1", name)
    assert str(refused.value).isprintable()


def test_lines() -> None:
    assert Student("1").line() == "1" and Student("1", "A").line() == "A · 1"
    assert Student("1_2", "<b>*x*").markdown() == "&lt;b&gt;\\*x\\* · 1\\_2"
