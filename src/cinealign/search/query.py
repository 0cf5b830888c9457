"""What is asked: texts, pictures and items of the index, added and subtracted, for posters, intros or both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from cinealign.arguments import shown
from cinealign.data.tables import listed
from cinealign.errors import ConfigError, DataError
from cinealign.experts.base import Vectors
from cinealign.search.engines import Rows
from cinealign.search.folder import SIDES, Side
from cinealign.search.items import Item

if TYPE_CHECKING:
    from cinealign.search.index import Index

Target = Literal["poster", "intro", "both"]
TARGETS: tuple[Target, ...] = ("poster", "intro", "both")
Kind = Literal["text", "image", "like"]
LONGEST_TEXT = 20_000
"""Letters of a query; an intro has some two hundred."""


class Encodes(Protocol):
    """What a search asks of a model: `cinealign.encoder.Encoder` is one."""

    @property
    def width(self) -> int:
        """D."""

    def warm(self, side: Literal["poster", "intro"] | None = None) -> None:
        """Load what a side needs."""

    def encode_posters(self, posters: Any) -> Vectors:
        """(N, D) vectors of posters: paths, bytes, PIL pictures, arrays or `Poster`."""

    def encode_intros(self, texts: Any) -> Vectors:
        """(N, D) vectors of texts."""


@dataclass(frozen=True)
class Part:
    """One thing that is asked for, or that hits should be unlike (`sign` -1).

    Attributes:
        kind: `text`, `image` or `like` (an item of the index).
        value: the text; whatever the encoder opens as a poster; the item's id or title, with ":poster" or ":intro" behind it
            where one side of it is meant.
        sign: 1 or -1.
    """

    kind: Kind
    value: Any
    sign: int = 1


def part_of(given: Any, sign: int = 1) -> Part:
    """What `--plus` and `--minus` take: "image:FILE", "id:ID", another text; from Python also a Path, picture or array."""
    if isinstance(given, Part):
        return given
    if not isinstance(given, str):
        return Part("image", given, sign)
    for prefix, kind in (("image:", "image"), ("id:", "like")):
        if given.startswith(prefix):
            value = given.removeprefix(prefix)
            return Part(kind, Path(value) if kind == "image" else value, sign)  # type: ignore[arg-type]
    return Part("text", given, sign)


def parts_of(
    text: Any = None, image: Any = None, like: Any = None, plus: Any = (), minus: Any = ()
) -> tuple[Part, ...]:
    """A query from the arguments of `Index.search`; each may be one thing or a list.

    Raises:
        ConfigError: nothing is asked for, or a text is none.
    """
    parts = [Part("text", one) for one in _several(text)]
    parts += [Part("image", one) for one in _several(image)]
    parts += [Part("like", str(one)) for one in _several(like)]
    parts += [part_of(one) for one in _several(plus)] + [part_of(one, -1) for one in _several(minus)]
    if not any(part.sign > 0 for part in parts):
        raise ConfigError("nothing to search for; give a text, an image or the id of an item")
    for part in parts:
        if part.kind == "text":
            _check_text(part.value)
    return tuple(parts)


def questions_of(given: Any) -> list[tuple[Part, ...]]:
    """The questions of `Index.search_many`.

    Raises:
        ConfigError: no list, or something in it is neither a text nor a list of parts.
    """
    if not isinstance(given, Iterable) or isinstance(given, str | bytes | type):
        raise ConfigError(f"questions must be a list of texts, got {shown(given)}; `search` takes one question")
    asked = []
    for at, one in enumerate(given):
        parts = [] if not isinstance(one, list | tuple) else [part for part in one if isinstance(part, Part)]
        if not isinstance(one, str) and (not parts or len(parts) < len(one)):
            raise ConfigError(f"questions[{at}] must be a text or a list of parts, got {shown(one)}")
        asked.append(parts_of(one) if isinstance(one, str) else tuple(parts))
    return asked


def default_target(parts: Sequence[Part]) -> Target:
    """Where nothing is said: a picture looks for intros, anything else for posters."""
    return "intro" if all(part.kind == "image" for part in parts) else "poster"


@dataclass(frozen=True)
class Looked:
    """A part as vectors: side -> what the model makes of it there; and the item that it is, if it is one."""

    part: Part
    vectors: dict[Side, NDArray[np.float32]]
    item: Item | None = None


def look(index: Index, parts: Sequence[Part]) -> list[Looked]:
    """Encode texts and pictures, all of a kind at once, and look up the vectors of items.

    Raises:
        DataError: an item is not in the index or lacks the side that is asked for, or a picture cannot be read.
    """
    texts = [part for part in parts if part.kind == "text"]
    images = [part for part in parts if part.kind == "image"]
    encoded: dict[int, dict[Side, NDArray[np.float32]]] = {}
    if texts:
        rows = index.text_rows([part.value for part in texts])
        encoded |= {id(part): {"intro": row} for part, row in zip(texts, rows, strict=True)}
    if images:
        rows = index.space.compact("poster", index.encoder.encode_posters([part.value for part in images]))
        encoded |= {id(part): {"poster": row} for part, row in zip(images, rows, strict=True)}
    return [Looked(part, encoded[id(part)]) if id(part) in encoded else _known(index, part) for part in parts]


def _known(index: Index, part: Part) -> Looked:
    name, _, side = str(part.value).rpartition(":")
    if side not in SIDES or not name:
        name, side = str(part.value), ""
    items, whole = index.items, str(part.value)
    item = items.of_own_id(whole) or items.of_own_id(name) or items.of_id(whole) or items.of_id(name)
    if item is None:
        item = _of_title(index, name)
    if whole in (item.item_id, item.own_id):
        side = ""  # an id that happens to end in ":poster"
    digests = {"poster": item.poster_digest, "intro": item.intro_digest}
    sides = [each for each in SIDES if digests[each] is not None and side in ("", each)]
    if not sides:
        raise DataError(f"item {item.item_id} ({item.title}) has no {side}; ask for its other side")
    keys = np.array([item.key], dtype=np.int64)
    vectors = {each: index.space.unstored(each, index.engines[each].take(keys))[0] for each in sides}
    return Looked(part, vectors, item)


def _of_title(index: Index, title: str) -> Item:
    found = index.items.of_title(title)
    if not found:
        raise DataError(
            f"{index.folder} has no item {shown(title)}, neither by id nor by title; --title TEXT finds parts of titles"
        )
    if len(found) > 1:
        ids = listed([item.item_id for item in found])
        raise DataError(f"{len(found)} items are called {shown(title)}; name one by its id: {ids}")
    return found[0]


@dataclass(frozen=True)
class Direction:
    """What is searched on one side: scores of stored rows are `row . query + constant`."""

    target: Side
    query: Rows
    """(1, stored width)."""
    constant: float
    partner: bool
    """Whether a score is the model's own of a poster and an intro, so that it has a chance."""
    crossed: NDArray[np.float32] | None
    """(W,) the one vector of the other side, where `partner`."""


def direction(index: Index, looked: Sequence[Looked], target: Side) -> Direction:
    """How the parts add up on one side.

    One text among posters, or one poster among intros, is scored by the model. Likeness within a side is the product of both
    vectors about the side's mean, 1 for an item with itself. Several parts are each put in units of the spread of their
    scores on that side, so that each has the same say, and added.
    """
    other: Side = "intro" if target == "poster" else "poster"
    space = index.space
    functions: list[tuple[int, NDArray[np.float32], float]] = []
    for each in looked:
        if target in each.vectors:
            mean = space.means[target]
            centred = each.vectors[target] - mean
            scale = float(centred @ centred) or 1.0
            functions.append((each.part.sign, (centred / scale).astype(np.float32), -float(mean @ centred) / scale))
        else:
            functions.append((each.part.sign, each.vectors[other], 0.0))
    if len(looked) == 1:
        sign, along, constant = functions[0]
        crossed = None if target in looked[0].vectors else along
        return Direction(target, space.as_query(along[None], target), constant, crossed is not None, crossed)
    total, constant = np.zeros(space.width, dtype=np.float32), 0.0
    for sign, along, least in functions:
        scores = index.background(target) @ along + least
        spread = float(scores.std()) or 1.0
        total += np.float32(sign / spread) * along
        constant += sign * (least - float(scores.mean())) / spread
    return Direction(target, space.as_query(total[None], target), constant, False, None)


def _several(given: Any) -> list[Any]:
    if given is None:
        return []
    if isinstance(given, list | tuple):
        return list(given)
    if isinstance(given, Iterable) and not isinstance(given, str | bytes | bytearray | Path) and _is_plain(given):
        return list(given)
    return [given]


def _is_plain(given: Any) -> bool:
    return isinstance(given, set | frozenset) or type(given).__name__ == "generator"


def _check_text(text: Any) -> None:
    if not isinstance(text, str):
        raise ConfigError(f"a text to search for must be a str, got {type(text).__name__}")
    if not text.strip():
        raise ConfigError("a text to search for must hold a word; got nothing but white space")
    if len(text) > LONGEST_TEXT:
        raise ConfigError(f"a text to search for has at most {LONGEST_TEXT:,} letters, got {len(text):,}")
