"""What a worker does: load the model once, then read, encode and write one block after another, in one thread."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from cinealign.data.posters import Poster, open_poster
from cinealign.encoder import POSTERS_AT_ONCE, Encoder
from cinealign.errors import DataError
from cinealign.experts.base import Vectors
from cinealign.scale.places import Place
from cinealign.scale.shards import shard, write_shard
from cinealign.scale.source import Block, Row, Source
from cinealign.threads import limit_threads

MODEL = "model"
REMEMBERED = 64 * 2**20
"""Bytes of features that a worker's encoder keeps: posters come once, so it needs those of a batch alone."""


@dataclass(frozen=True)
class Done:
    """What became of a block, and what it cost."""

    block: int
    rows: int
    problems: int
    cpu: float
    """Processor seconds."""
    read: int
    """Bytes of pictures."""
    written: int
    """Bytes of the shard."""


def save_model(run: Path, out: Place) -> None:
    """Put the fitted model of a run where every worker reaches it."""
    home = out.child(MODEL)
    home.make()
    for path in sorted((run / "model").iterdir()):
        home.child(path.name).write(path.read_bytes())


def load_model(out: Place, width: int) -> Encoder:
    """The encoder of the model that `save_model` put there."""
    from cinealign.model import AlignmentModel

    home = out.child(MODEL)
    with tempfile.TemporaryDirectory(prefix="cinealign-") as scratch:
        for name, _ in home.files():
            (Path(scratch) / name).write_bytes(home.child(name).read())
        return Encoder(AlignmentModel.load(Path(scratch)), width=width, memory=REMEMBERED)


class BlockEncoder:
    """Encodes blocks of a source into shards; one of these is an actor of Ray."""

    def __init__(
        self, source: Source, out: Place, width: int, repeated: Mapping[int, int], weights: str | None = None
    ) -> None:
        """Args:
        source, out: where items come from and where shards go.
        width: numbers of a vector.
        repeated: key -> key of the earlier row with the same id.
        weights: folder of model folders, as --weights names it.
        """
        one_thread()
        if weights is not None:
            from cinealign.views.weights import use_weights

            use_weights(Path(weights))
        self._source, self._out, self._width, self._repeated = source, out, width, repeated

    @cached_property
    def _encoder(self) -> Encoder:
        """Loaded when first asked for: what is wrong with it is an error of that call, not the end of a process."""
        return load_model(self._out, self._width)

    def warm(self) -> float:
        """Load the model and run it once; the seconds that took. Blocks that follow are as fast as any."""
        began = time.monotonic()
        self._encoder.warm()
        return time.monotonic() - began

    def encode(self, block: Block) -> Done:
        """Encode a block and write its shard."""
        encoder, began = self._encoder, time.process_time()  # loading it is no cost of a row
        rows = [self._checked(row) for row in self._source.rows(block)]
        told = encode_rows(encoder, rows)
        written = write_shard(shard(self._out, block.number), told, self._width)
        problems = sum(each["problem"] is not None for each in told)
        read = sum(len(row.picture or b"") for row in rows)
        return Done(block.number, len(rows), problems, time.process_time() - began, read, written)

    def _checked(self, row: Row) -> Row:
        if row.key in self._repeated:
            why = f"id {row.item_id!r} was given before, in row {self._repeated[row.key]}"
            return replace(row, picture=None, text=None, problem=why)
        if not row.item_id:
            return replace(row, picture=None, text=None, problem="it has no id")
        if row.problem is None and row.picture is None and row.text is None:
            return replace(row, problem="it has neither a picture nor a text")
        return row


def encode_rows(encoder: Encoder, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Values by column of a shard; what cannot be read has a problem and no vector of that side."""
    told = [_plain(row) for row in rows]
    pictured = [at for at, row in enumerate(rows) if row.picture is not None]
    for start in range(0, len(pictured), POSTERS_AT_ONCE):  # decoded pictures are large: only those of a batch are held
        _encode_posters(encoder, rows, pictured[start : start + POSTERS_AT_ONCE], told)
    texts = [at for at, row in enumerate(rows) if row.text is not None]
    for at, vector in _each(texts, lambda places: encoder.encode_intros([rows[p].text or "" for p in places]), told):
        told[at]["intro_vector"] = vector
    return told


def _encode_posters(encoder: Encoder, rows: Sequence[Row], places: Sequence[int], told: list[dict[str, Any]]) -> None:
    opened = {}
    for at in places:
        try:
            poster = Poster.of(rows[at].picture or b"")
            opened[at] = Poster(poster.digest, partial(_given, open_poster(poster)))
        except DataError as error:
            told[at]["problem"] = str(error)
    found = _each(list(opened), lambda those: encoder.encode_posters([opened[at] for at in those]), told)
    for at, vector in found:
        told[at] |= {"poster_vector": vector, "poster_digest": opened[at].digest}
    lines = encoder.lettering([opened[at] for at, _ in found]) if found else None  # read when the vectors were made
    for (at, _), read in zip(found, lines or (), strict=False):
        told[at]["lettering"] = list(read)


def _each(
    places: list[int], encode: Callable[[list[int]], Vectors], told: list[dict[str, Any]]
) -> list[tuple[int, Vectors]]:
    """Row and vector of all that can be encoded; where a batch fails, one by one, to find out which of it cannot."""
    try:
        return list(zip(places, _finite(encode(places)), strict=True)) if places else []
    except DataError:
        found = []
        for at in places:
            try:
                found.append((at, _finite(encode([at]))[0]))
            except DataError as error:
                told[at]["problem"] = str(error)
        return found


def _finite(vectors: Vectors) -> Vectors:
    if not np.isfinite(vectors).all():
        raise DataError("the model gives a vector that is not finite")
    return vectors


def _plain(row: Row) -> dict[str, Any]:
    return {
        **{"key": row.key, "id": row.item_id, "title": row.title or None, "year": row.year},
        **{"genres": list(row.genres), "intro": row.text, "picture": row.path},
        **{"poster_digest": None, "lettering": None, "poster_vector": None, "intro_vector": None},
        "intro_digest": None if row.text is None else hashlib.sha256(row.text.encode()).hexdigest(),
        "problem": row.problem,
    }


def _given(picture: Any) -> Any:
    return picture


def one_thread() -> None:
    """One thread a worker: as many workers as processors do more than threads that wait for each other."""
    import cv2
    import torch

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    limit_threads(1)
