"""What a writer of YAML means is what is read; everything else is refused in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cinealign.errors import ConfigError
from cinealign.plain_yaml import DEEPEST, read_yaml, read_yaml_file, to_yaml

DEEP = "[" * 3000
LAUGHS = "a: &a [1]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 20)}]\n" for a, b in zip("abcd", "bcde", strict=True)
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("064", 64),
        ("010", 10),
        ("-08", -8),
        ("0x1F", 31),
        ("0o17", 15),
        ("1:30", "1:30"),
        ("1_000", "1_000"),
        ("0b11", "0b11"),
        ("1e3", 1000.0),
        ("5.0e-3", 0.005),
        (".5", 0.5),
        ("-.inf", float("-inf")),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("2001-01-01", "2001-01-01"),
        ("=", "="),
        ("~", None),
        ("", None),
        ("!!str 064", "064"),
        ("{a: &x {b: 1}, c: {<<: *x, b: 2}}", {"a": {"b": 1}, "c": {"b": 2}}),
    ],
)
def test_read_as_written(text: str, value: Any) -> None:
    found = read_yaml(text)
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3", "^line 3: key 'a' is given twice, first in line 1$"),
        ("b: {x: 1, x: 1}", "^line 1: key 'x' is given twice"),
        ("{1: a, 01: b}", "key 1 is given twice"),
        (DEEP, f"^line 1: more than {DEEPEST} values inside one another$"),
        ("a: " + "{b: " * 3000, "values inside one another"),
        (LAUGHS, "more than 10000 values"),
        ("a: &x [*x]", "a value holds itself"),
        ("!!python/object:os.system {}", "the tag .*python.* is not understood"),
        ("!!binary aGk=", "the tag .*binary.* is not understood"),
        ("!!bool maybe", "'maybe' is not what its tag"),
        ("? [a]\n: b", "unhashable key"),
        ('"\\ud800"', r"the character '\\ud800' cannot be kept"),
        ('"\\0"', r"the character '\\x00' cannot be kept"),
        ("\x07", r"the character '\\x07' cannot be kept"),
        ('"\\U00110000"', "chr"),
        ("9" * 5000, "a number of 5000 digits"),
        ("a\n---\nb", "another document"),
        ("a: [", "line 1: "),
    ],
)
def test_refused_in_one_line(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as error:
        read_yaml(text)
    assert "\n" not in str(error.value)


def test_files(tmp_path: Path) -> None:
    file = tmp_path / "f.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: 1")
    assert read_yaml_file(file, "f") == {"a": 1}
    for content, message in [(b"\xff", "f is not a readable YAML file: it is not UTF-8"), (b"#" * 1_000_001, "1 MB")]:
        file.write_bytes(content)
        with pytest.raises(ConfigError, match=message):
            read_yaml_file(file, "f")
    with pytest.raises(ConfigError, match="f is not a readable YAML file: No such file"):
        read_yaml_file(tmp_path / "none.yaml", "f")


TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12) | st.from_regex(
    r"\A([-+]?[0-9_:.]{1,6}(e[0-9])?|0[xob]?[0-7]+|true|no|Null|~|<<|=|\.inf)\Z"
)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@given(PLAIN)
def test_what_is_written_is_read_back_by_old_and_new_readers(value: Any) -> None:
    text = to_yaml(value)
    assert read_yaml(text) == value
    assert yaml.safe_load(text) == value


@given(st.text() | st.text("[]{}:,-&*?!|>'\"#%@ \n01ae.~"))
def test_any_text_ends_in_values_or_one_line(text: str) -> None:
    try:
        read_yaml(text)
    except ConfigError as error:
        assert "\n" not in str(error) and str(error)
