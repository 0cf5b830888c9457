"""How foreign bytes go wrong: cut, flipped, repeated, filled with what parsers stumble over, or another value in JSON."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
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
Path = tuple[Any, ...]

_place = st.integers(0, 1 << 20)
_operation = st.one_of(
    st.tuples(st.just("cut"), _place, st.just(0)),
    st.tuples(st.just("flip"), _place, st.integers(1, 255)),
    st.tuples(st.just("zeros"), _place, st.integers(1, 64)),
    st.tuples(st.just("drop"), _place, st.integers(1, 64)),
    st.tuples(st.just("again"), _place, st.integers(1, 200)),
    st.tuples(st.just("put"), _place, st.sampled_from(TOKENS)),
    st.tuples(st.just("over"), _place, st.sampled_from(TOKENS)),
    st.tuples(st.just("bytes"), _place, st.binary(min_size=1, max_size=12)),
)
_json = st.tuples(st.just("json"), _place, st.sampled_from(VALUES))
_header = st.tuples(st.just("header"), _place, st.sampled_from(VALUES))
damages = st.lists(st.one_of(_operation, _json, _header), min_size=1, max_size=3)
"""Changes to make one after the other."""


def damaged(content: bytes, changes: list[tuple[str, int, Any]]) -> bytes:
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
        elif kind == "json":
            content = _other_value(content, place, value)
        elif kind == "header":
            content = _other_header(content, place, value)
    return content


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
