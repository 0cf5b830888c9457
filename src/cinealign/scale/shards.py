"""Finished work on disk: a Parquet file a block, whose name is the block's number and which is there whole or not at all.

The files are the ledger: a block whose file is there is done, any other is not. A block that is encoded twice, because the
machine that did it first was lost before it could say so, replaces its file by an equal one; so nothing is lost and nothing
is there twice, whatever is killed when. Ray Data (2.60) has a checkpoint of its own; it keeps the id of every row, loads them
all into the memory of its actors at a restart, and forgets them when the files are written, before the table is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from cinealign.errors import DataError
from cinealign.scale.places import Place

SHARDS = "shards"
_NAME = re.compile(r"(\d{9})\.parquet")


def schema(width: int) -> Any:
    """Columns of a shard and, but for `problem`, of the table.

    Args:
        width: numbers of a vector.
    """
    import pyarrow as pa

    text, vector = pa.string(), pa.list_(pa.float32(), width)
    return pa.schema(
        [
            pa.field("key", pa.int64(), nullable=False),
            pa.field("id", text, nullable=False),
            ("title", text),
            ("year", pa.int32()),
            ("genres", pa.list_(text)),
            ("intro", text),
            ("picture", text),
            ("poster_digest", text),
            ("intro_digest", text),
            ("lettering", pa.list_(text)),
            ("poster_vector", vector),
            ("intro_vector", vector),
            ("problem", text),
        ]
    )


def shard(out: Place, number: int) -> Place:
    """The file of block `number`."""
    return out.child(SHARDS).child(f"{number:09}.parquet")


def finished(out: Place) -> set[int]:
    """Numbers of the blocks that are done."""
    home = out.child(SHARDS)
    names = (match for name, _ in home.files() if (match := _NAME.fullmatch(name)))
    return {int(match.group(1)) for match in names}


def write_shard(place: Place, rows: Sequence[dict[str, Any]], width: int) -> int:
    """Write the rows of a block whole; returns the bytes written.

    Args:
        place: of the shard.
        rows: values by column; vectors as (D,) float32 or None.
        width: D.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    wanted = schema(width)
    columns = []
    for field in wanted:
        values = [row[field.name] for row in rows]
        columns.append(_vectors(values, width) if field.name.endswith("_vector") else pa.array(values, field.type))
    with place.writing() as stream:
        pq.write_table(pa.table(columns, schema=wanted), stream, compression="zstd")
        return int(stream.tell())


def _vectors(values: Sequence[Any], width: int) -> Any:
    import pyarrow as pa

    flat = np.zeros((len(values), width), dtype=np.float32)
    for at, value in enumerate(values):
        if value is not None:
            flat[at] = value
    missing = pa.array([value is None for value in values])
    return pa.FixedSizeListArray.from_arrays(pa.array(flat.ravel()), width, mask=missing)


def read_shard(place: Place, columns: Sequence[str] | None = None) -> Any:
    """The Arrow table of a shard.

    Raises:
        DataError: it is damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(place.opened()).read(columns=None if columns is None else list(columns))
    except pa.ArrowException as error:
        reason = " ".join(str(error).split())[:160]
        raise DataError(f"{place.uri} is damaged ({reason}); remove it and start the same command again") from None


def vectors_of(column: Any, width: int) -> Any:
    """(N, width) float32 of a vector column; rows without a vector are zeros. And (N,) whether there is one."""
    import pyarrow as pa

    joined = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    held = np.asarray(joined.is_valid())
    found = np.zeros((len(joined), width), dtype=np.float32)
    flat = np.asarray(joined.drop_null().flatten(), dtype=np.float32)
    found[held] = flat.reshape(-1, width)
    return found, held
