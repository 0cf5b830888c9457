"""Reads YAML 1.2 strictly: plain values, unique keys, one-line errors.

PyYAML reads YAML 1.1, in which `064` is 52, `1:30` is 90, `no` is false and the second of two equal keys silently wins.
Here a number is what it looks like, a word is a word, and a key that is given twice is refused.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from cinealign.errors import ConfigError

LONGEST = 1_000_000
"""Bytes of a file; a recipe has a thousandth of it."""
DEEPEST = 40
"""Values inside values; a recipe has six."""
LARGEST = 10_000
"""Values of a document, those that an alias repeats counted each time."""
DIGITS = 300
"""Of a whole number."""

CORE = {f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "str", "seq", "map")}
MERGE = "tag:yaml.org,2002:merge"
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(
    r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)
_SCALARS = {
    "bool": re.compile(r"true|True|TRUE|false|False|FALSE"),
    "null": re.compile(r"null|Null|NULL|~|"),
    "int": _INT,
    "float": _FLOAT,
}
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""Characters that no name, path or text of a recipe can hold and no file can keep."""


class _Loader(yaml.SafeLoader):
    """SafeLoader with the core schema of YAML 1.2, and limits."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """As PyYAML does it, which calls itself for every value inside a value, to a limit."""
        self._depth += 1
        if self._depth > DEEPEST:
            self._refuse(f"more than {DEEPEST} values inside one another", self.peek_event())  # type: ignore[no-untyped-call]
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_document(self, node: Any) -> Any:
        """The value of the whole document."""
        self._check_size(node, {}, set())
        return super().construct_document(node)

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        """A plain value; other tags than those of the core schema are refused."""
        if node.tag not in CORE:
            self._refuse(f"the tag {node.tag!r} is not understood", node)
        pattern = _SCALARS.get(node.tag.rpartition(":")[2])
        if pattern and isinstance(node, yaml.ScalarNode) and not pattern.fullmatch(node.value):
            self._refuse(f"{node.value[:40]!r} is not what its tag {node.tag!r} says", node)
        return super().construct_object(node, deep=deep)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        """A dict; a key that is given twice is refused. `<<: *name` merges, as in YAML 1.1."""
        first: dict[Any, int] = {}
        for key_node, _ in node.value:
            if key_node.tag == MERGE:
                continue
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, Hashable) and key in first:
                self._refuse(f"key {key!r} is given twice, first in line {first[key]}", key_node)
            if isinstance(key, Hashable):
                first[key] = key_node.start_mark.line + 1
        return super().construct_mapping(node, deep=deep)

    def _int(self, node: Any) -> int:
        text = self.construct_scalar(node)
        if len(text) > DIGITS:
            self._refuse(f"a number of {len(text)} digits", node)
        if text.startswith(("0o", "0x")):
            return int(text, 0)
        return int(text)

    def _float(self, node: Any) -> float:
        text = self.construct_scalar(node).lower()
        return float(text.replace(".inf", "inf").replace(".nan", "nan"))

    def _str(self, node: Any) -> str:
        text: str = self.construct_scalar(node)
        if unfit := _UNFIT.search(text):
            self._refuse(f"the character {unfit.group()!r} cannot be kept", node)
        return text

    def _check_size(self, node: Any, known: dict[int, int], inside: set[int]) -> int:
        """Number of values of `node`; an alias counts as often as it is used."""
        if id(node) in inside:
            self._refuse("a value holds itself", node)
        if id(node) not in known:
            inside.add(id(node))
            parts = node.value if isinstance(node, yaml.CollectionNode) else []
            flat = [each for part in parts for each in (part if isinstance(part, tuple) else (part,))]
            known[id(node)] = 1 + sum(self._check_size(each, known, inside) for each in flat)
            inside.discard(id(node))
        if known[id(node)] > LARGEST:
            self._refuse(f"more than {LARGEST} values", node)
        return known[id(node)]

    @staticmethod
    def _refuse(problem: str, place: Any) -> None:
        raise yaml.MarkedYAMLError(problem=problem, problem_mark=place.start_mark)


for _name, _pattern in _SCALARS.items():
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", re.compile(rf"(?:{_pattern.pattern})\Z"), None)
_Loader.add_implicit_resolver(MERGE, re.compile(r"<<\Z"), ["<"])
_Loader.add_constructor("tag:yaml.org,2002:int", _Loader._int)
_Loader.add_constructor("tag:yaml.org,2002:float", _Loader._float)
_Loader.add_constructor("tag:yaml.org,2002:str", _Loader._str)


class _Dumper(yaml.SafeDumper):
    """Quotes every text that YAML 1.1 or 1.2 would read as something else."""

    def ignore_aliases(self, data: Any) -> bool:
        """Values that happen to be one object are written out each time."""
        return True


for _name in ("int", "float"):
    _Dumper.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", re.compile(rf"(?:{_SCALARS[_name].pattern})\Z"), None)


def read_yaml(text: str) -> Any:
    """The plain values of one YAML document: dicts, lists, texts, numbers, true, false and null.

    Raises:
        ConfigError: it is not YAML, or holds a key twice, a tag, a character that no file keeps, or too much; the message
            begins with the line where there is one.
    """
    try:
        loader = _Loader(text)
        return loader.get_single_data()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = "" if mark is None else f"line {mark.line + 1}: "
        raise ConfigError(place + " ".join(str(error.problem or error.context).split())) from None
    except yaml.reader.ReaderError as error:
        raise ConfigError(f"the character {chr(error.character)!r} cannot be kept") from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # a number or an escaped character that is none
        raise ConfigError(" ".join(str(error).split())) from None


def read_yaml_file(file: Path, what: str) -> Any:
    """As `read_yaml`, of a UTF-8 file.

    Args:
        file: must exist.
        what: how messages call it: "recipe mine.yaml".
    Raises:
        ConfigError: as `read_yaml`, or the file cannot be read, is not UTF-8, or larger than a megabyte.
    """
    try:
        with file.open("rb") as opened:
            content = opened.read(LONGEST + 1)
        if len(content) > LONGEST:
            raise ConfigError(f"{what} is larger than {LONGEST // 1_000_000} MB")
        return read_yaml(content.decode("utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigError(f"{what} is not a readable YAML file: {reason}") from None
    except ConfigError as error:
        raise ConfigError(f"{what} is not a readable YAML file: {error}") from None


def to_yaml(value: Any) -> str:
    """`value` as YAML that readers of YAML 1.1 and 1.2 understand alike."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
