from __future__ import annotations

import pytest

from cinealign.data.scripts import script_of, scripts_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A shark eats a town", "Latin"),
        ("Ｆｕｌｌ ｗｉｄｔｈ", "Latin"),
        ("一个男孩 meets 鲨鱼与小镇", "Han"),
        ("少年はサメと出会う", "Kana"),
        ("소년이 상어를 만난다", "Hangul"),
        ("Мальчик встречает акулу", "Cyrillic"),
        ("صبي يلتقي", "Arabic"),
        ("เด็กชาย", "Thai"),
        ("12 - !", "none"),
    ],
)
def test_script_of(text: str, expected: str) -> None:
    assert script_of(text) == expected


def test_scripts_are_counted() -> None:
    assert scripts_of(["один", "two", "три"]) == {"Cyrillic": 2, "Latin": 1}
