"""The default run tries the same inputs whatever was loaded before, so that a failure is there again when it is looked for."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

QUICK = settings.get_current_profile_name() == "quick"


def drawn() -> list[int]:
    """What a property is tried with."""
    seen: list[int] = []

    @settings(max_examples=300)
    @given(st.integers())
    def prop(number: int) -> None:
        seen.append(number)

    prop()
    return seen


@pytest.mark.skipif(not QUICK, reason="a long run draws at random")
def test_a_module_that_is_loaded_does_not_change_what_is_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = drawn()
    numbers = [10**9 + 1000 * number for number in range(200)]
    (tmp_path / "numbers_of_a_module.py").write_text(f"NUMBERS = {numbers}\n")
    monkeypatch.syspath_prepend(tmp_path)
    import numbers_of_a_module

    assert numbers == numbers_of_a_module.NUMBERS
    assert drawn() == before
    assert not set(before) & set(numbers)
