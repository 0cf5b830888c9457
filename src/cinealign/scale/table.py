"""Shards become one Lance table in one commit; what is in it is compared with the source, row by row."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cinealign.errors import DataError
from cinealign.scale.places import Place
from cinealign.scale.shards import read_shard, schema, shard
from cinealign.scale.source import Block, Source

TABLE, PROBLEMS = "table.lance", "problems.parquet"
FRAGMENT_ROWS = 131_072
"""Rows of a fragment of the table at most, where shards allow it: few files, and work for several workers."""


@dataclass(frozen=True)
class Difference:
    """Ids by which a result differs from its source."""

    missing: list[str]
    strange: list[str]
    twice: list[str]


def commit_table(ray: Any, out: Place, numbers: Sequence[int], width: int) -> int:
    """Write the usable rows of all shards as fragments, on the cluster, and commit them at once; the version.

    A call that is killed before the commit leaves the table as it was; one that comes again replaces it as a whole.
    """
    import lance

    groups = _grouped(out, numbers)
    write = ray.remote(num_cpus=1, max_retries=4)(_write_fragments)
    written = ray.get([write.remote(out, group, width) for group in groups])
    fragments = [lance.fragment.FragmentMetadata.from_json(each) for part in written for each in part]
    operation = lance.LanceOperation.Overwrite(_table_schema(width), fragments)
    return int(lance.LanceDataset.commit(out.child(TABLE).address, operation).version)


def _grouped(out: Place, numbers: Sequence[int]) -> list[list[int]]:
    """Shards that go into one fragment."""
    groups: list[list[int]] = [[]]
    rows = 0
    for number in numbers:
        count = read_rows(shard(out, number))
        if groups[-1] and rows + count > FRAGMENT_ROWS:
            groups.append([])
            rows = 0
        groups[-1].append(number)
        rows += count
    return groups


def read_rows(place: Place) -> int:
    """Rows of a Parquet file, from its footer."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return int(pq.ParquetFile(place.opened()).metadata.num_rows)
    except pa.ArrowException as error:
        reason = " ".join(str(error).split())[:160]
        raise DataError(f"{place.uri} is damaged ({reason}); remove it and start the same command again") from None


def _table_schema(width: int) -> Any:
    wanted = schema(width)
    return wanted.remove(wanted.get_field_index("problem"))


def _usable(table: Any) -> Any:
    """The rows that have a vector."""
    import pyarrow.compute as pc

    return table.filter(pc.or_(pc.is_valid(table["poster_vector"]), pc.is_valid(table["intro_vector"])))


def _write_fragments(out: Place, numbers: Sequence[int], width: int) -> list[str]:
    import lance
    import pyarrow as pa

    wanted = _table_schema(width)

    def batches() -> Any:
        for number in numbers:
            yield from _usable(read_shard(shard(out, number))).select(wanted.names).cast(wanted).to_batches()

    reader = pa.RecordBatchReader.from_batches(wanted, batches())
    found = lance.fragment.write_fragments(reader, out.child(TABLE).address, schema=wanted, mode="overwrite")
    return [json.dumps(each.to_json()) for each in found]


def compare_ids(out: Place, source: Source, blocks: Sequence[Block]) -> tuple[Difference, dict[str, int]]:
    """Every row of the source is looked for in the table and among the problems, by key and id; and what the table holds.

    Needs 16 bytes a row, and the ids of one block at a time.
    """
    table = open_table(out)
    keys, marks = _held(table)
    missing, strange, twice = [], [], []
    expected = sum(block.count for block in blocks)
    for block in blocks:
        told = read_shard(shard(out, block.number), ["key", "problem"]).to_pydict()
        excused = {key for key, why in zip(told["key"], told["problem"], strict=True) if why is not None}
        for key, item_id in enumerate(source.ids(block), block.first):
            first, last = np.searchsorted(keys, [key, key + 1])
            if first == last and key not in excused:
                missing.append(item_id)
            if last - first > 1:
                twice.append(item_id)
            strange += [key] * int(np.count_nonzero(marks[first:last] != mark(item_id)))
    strange += keys[(keys < 0) | (keys >= expected)].tolist()
    counts = {"items": len(keys)}
    for side in ("poster", "intro"):
        counts[f"{side}s"] = int(table.count_rows(f"{side}_vector IS NOT NULL"))
    return Difference(missing, [_id_of(table, key) for key in strange], twice), counts


def mark(item_id: str) -> int:
    """64 bits that stand for an id."""
    return int.from_bytes(hashlib.blake2b(item_id.encode(), digest_size=8).digest(), "little")


def _held(table: Any) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Rising keys of the table, and the mark of each row's id."""
    rows = int(table.count_rows())
    keys, marks, at = np.empty(rows, dtype=np.int64), np.empty(rows, dtype=np.uint64), 0
    for batch in table.to_batches(columns=["key", "id"]):
        part = slice(at, at + len(batch))
        keys[part] = batch["key"].to_numpy()
        marks[part] = [mark(item_id) for item_id in batch["id"].to_pylist()]
        at = part.stop
    order = np.argsort(keys, kind="stable")
    return keys[order], marks[order]


def _id_of(table: Any, key: int) -> str:
    found = table.to_table(columns=["id"], filter=f"key = {key}")["id"].to_pylist()
    return str(found[0])


def open_table(out: Place, version: int | None = None) -> Any:
    """The Lance table of an encoding.

    Raises:
        DataError: there is none.
    """
    import lance

    try:
        return lance.dataset(out.child(TABLE).address, version=version)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:160]
        raise DataError(f"{out.uri} holds no table of vectors ({reason}); make one: cinealign scale encode") from None


def write_problems(out: Place, numbers: Sequence[int]) -> int:
    """Write key, id, picture and reason of every row with a problem, whole, from one shard at a time; how many there are."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    wanted = pa.schema([("key", pa.int64()), ("id", pa.string()), ("picture", pa.string()), ("problem", pa.string())])
    count = 0
    with out.child(PROBLEMS).writing() as stream, pq.ParquetWriter(stream, wanted) as file:
        for number in numbers:
            rows = read_shard(shard(out, number), wanted.names)
            rows = rows.filter(pc.is_valid(rows["problem"])).cast(wanted)
            count += len(rows)
            if len(rows):
                file.write_table(rows)
    return count


def problems(out: Place) -> Mapping[str, str]:
    """Id -> reason, of problems.parquet."""
    import pyarrow.parquet as pq

    table = pq.ParquetFile(out.child(PROBLEMS).opened()).read(columns=["id", "problem"]).to_pydict()
    return dict(zip(table["id"], table["problem"], strict=True))
