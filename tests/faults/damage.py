"""How foreign bytes go wrong: cut, flipped, repeated, filled with what parsers stumble over, or another value in JSON."""

from __future__ import annotations

import json
import random
import re
import struct
from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import strategies as st

TOKENS = (
    *(b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\x80", b'"', b"'", b"\\", b"\n", b"\r\n", b"\r", b",", b";", b"\t", b"|"),
    *(b"{", b"}", b"[", b"]", b"[" * 3000, b'{"a":' * 2000, b"null", b"NaN", b"Infinity", b"1e999", b"-1", b"-0"),
    *(
        b"9" * 30,
        b"9" * 5000,
        b"18446744073709551616",
        b"../../x",
        b"/etc/passwd",
        b"C:\\x",
        b"\xed\xa0\x80",
        b"\\ud800",
    ),
    *(
        b"!!python/object:os.system",
        b"&a [*a]",
        b"<<: *x",
        b"PK\x03\x04",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"\x1b[2J",
    ),
    *(
        bytes([255]) * 8,
        bytes(16),
        struct.pack("<Q", 2**40),
        struct.pack(">I", 2**31 - 1),
        b"\x80\x04c__builtin__\neval\n.",
    ),
)
VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1, 1, 2**31, 2**63, 10**30, 0.5, -0.0, float("nan"), float("inf"), "", "x", "7", "../../x", "\0"),
    *("\ud800", [], [[]], [None], {}, {"a": 1}, [1, "a"], [10**12]),
)
LENGTHS = tuple(
    struct.pack(order + form, value)
    for order in "<>"
    for form, bits in (("H", 16), ("I", 32), ("Q", 64))
    for value in (
        0,
        1,
        2 ** (bits - 1) - 1,
        2 ** (bits - 1),
        2**bits - 2,
        2**bits - 1,
        *([2**31] if bits == 64 else []),
    )
)
"""What a length or an offset in a binary file may say."""
NUMBERS = (b"0", b"-1", b"1", b"2", b"255", b"65536", b"2147483648", b"99999999999999999999", b"0.5", b"1e308", b"nan")
"""What may stand where a text has a number."""
Path = tuple[Any, ...]
Change = tuple[str, int, Any]

_place = st.integers(0, 1 << 20)
_operation = st.one_of(
    st.tuples(st.just("cut"), _place, st.just(0)),
    st.tuples(st.just("flip"), _place, st.integers(1, 255)),
    st.tuples(st.just("zeros"), _place, st.integers(1, 64)),
    st.tuples(st.just("drop"), _place, st.integers(1, 64)),
    st.tuples(st.just("again"), _place, st.integers(1, 200)),
    st.tuples(st.just("put"), _place, st.sampled_from(TOKENS)),
    st.tuples(st.just("over"), _place, st.sampled_from(TOKENS)),
    st.tuples(st.just("over"), _place, st.sampled_from(LENGTHS)),
    st.tuples(st.just("number"), _place, st.sampled_from(NUMBERS)),
    st.tuples(st.just("bytes"), _place, st.binary(min_size=1, max_size=12)),
)
_json = st.tuples(st.just("json"), _place, st.sampled_from(VALUES))
_header = st.tuples(st.just("header"), _place, st.sampled_from(VALUES))
damages = st.lists(st.one_of(_operation, _json, _header), min_size=1, max_size=3)
"""Changes to make one after the other."""


def drawn(dice: random.Random, others: Sequence[bytes]) -> list[Change]:
    """The same kinds of changes, a hundred times as fast; and the end of one of `others` in place of a file's own."""
    return [_drawn(dice, others) for _ in range(dice.choice((1, 1, 1, 2, 3)))]


def _drawn(dice: random.Random, others: Sequence[bytes]) -> Change:
    kind, place = dice.choice(_KINDS), dice.randrange(1 << 20)
    if kind == "flip":
        return kind, place, 1 << dice.randrange(8) if dice.random() < 0.5 else dice.randint(1, 255)
    if kind in ("zeros", "drop", "again"):
        return kind, place, dice.randint(1, 200 if kind == "again" else 64)
    if kind == "bytes":
        return kind, place, dice.randbytes(dice.randint(1, 12))
    if kind == "tail":
        other = dice.choice(others)
        return kind, place, other[dice.randint(0, len(other)) :]
    choices: dict[str, Sequence[Any]] = {"put": TOKENS, "over": TOKENS + LENGTHS, "number": NUMBERS}
    return kind, place, 0 if kind == "cut" else dice.choice(choices.get(kind, VALUES))


_KINDS = (
    "cut",
    "flip",
    "flip",
    "zeros",
    "drop",
    "again",
    "put",
    "over",
    "over",
    "number",
    "bytes",
    "tail",
    "json",
    "header",
)


def damaged(content: bytes, changes: list[Change]) -> bytes:
    """`content` after `changes`."""
    for kind, place, value in changes:
        at = place % (len(content) + 1)
        if kind == "cut":
            content = content[:at]
        elif kind == "flip":
            content = content[:at] + bytes(byte ^ value for byte in content[at : at + 1]) + content[at + 1 :]
        elif kind == "zeros":
            content = content[:at] + bytes(len(content[at : at + value])) + content[at + value :]
        elif kind == "drop":
            content = content[:at] + content[at + value :]
        elif kind == "again":
            content = content[:at] + content[max(0, at - value) : at] + content[at:]
        elif kind in ("put", "bytes"):
            content = content[:at] + value + content[at:]
        elif kind == "over":
            content = content[:at] + value + content[at + len(value) :]
        elif kind == "number":
            content = _other_number(content, at, value)
        elif kind == "tail":
            content = content[:at] + value
        elif kind == "json":
            content = _other_value(content, place, value)
        elif kind == "header":
            content = _other_header(content, place, value)
    return content


def _other_number(content: bytes, at: int, value: bytes) -> bytes:
    """Another number in place of the first that a text has from `at` on."""
    return content[:at] + re.sub(rb"\d+", lambda found: value, content[at:], count=1)


def _other_value(content: bytes, place: int, value: Any) -> bytes:
    """Another value at one place of a JSON text; anything else stays as it is."""
    try:
        tree = json.loads(content)
    except (ValueError, RecursionError):
        return content
    every = list(_paths(tree, ()))
    return json.dumps(_replaced(tree, every[place % len(every)], value)).encode("utf-8", "surrogatepass")


def _other_header(content: bytes, place: int, value: Any) -> bytes:
    """The same in the header of a safetensors file, whose length is put right."""
    size = int.from_bytes(content[:8], "little")
    if not 2 <= size <= len(content) - 8:
        return content
    header = _other_value(content[8 : 8 + size], place, value)
    return struct.pack("<Q", len(header)) + header + content[8 + size :]


def _paths(tree: Any, before: Path) -> Iterator[Path]:
    yield before
    parts = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, part in parts:
        yield from _paths(part, (*before, key))


def _replaced(tree: Any, path: Path, value: Any) -> Any:
    if not path:
        return value
    tree[path[0]] = _replaced(tree[path[0]], path[1:], value)
    return tree
