"""From a table of vectors to an index folder that `Index.open` takes: written, indexed and measured by many workers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cinealign.data.scripts import scripts_of
from cinealign.errors import ConfigError, DataError
from cinealign.model import AlignmentModel
from cinealign.out import Draft, write_whole
from cinealign.progress import say
from cinealign.scale.cluster import cluster
from cinealign.scale.encode import REPORT
from cinealign.scale.places import Place
from cinealign.scale.shards import vectors_of
from cinealign.scale.table import open_table
from cinealign.scale.worker import MODEL
from cinealign.search.card import PROBED, tuned
from cinealign.search.engines import Rows
from cinealign.search.folder import SIDES, Manifest, Side, commit, is_index, sum_of
from cinealign.search.index import DIRECTIONS, Index
from cinealign.search.items import ADDED, GENRE, SPLIT, Item, write_items
from cinealign.search.lance import SMALLEST, LanceEngine, LanceKind, as_arrow, index_options
from cinealign.search.parts import model_blocks
from cinealign.search.space import ROOM, UNIT, WIDEST, Block, Space, fit_space

READ = 32_768
"""Rows that a task reads at a time."""
TRAINED, CODES = 256, 256
"""Rows that a centroid or code is trained on, and codes of product quantisation."""
FITTED = 4096
"""Rows by which the space of an index is fitted where it is narrower than the model's."""


def index_table(
    source: str | Path,
    out: Path,
    *,
    compression: str = "pq",
    widest: int = WIDEST,
    address: str = "auto",
    workers: int = 1,
    force: bool = False,
) -> Index:
    """Make an index of what `encode` made.

    Args:
        source: the folder or bucket of the encoding.
        out: the index folder, in a file system of this machine or mounted by it, and by the workers.
        compression: pq or none, of the vectors in the IVF index; full vectors rank the last candidates in any case.
        widest: numbers a vector at most; 0 keeps all of the model's.
        address, workers: of the cluster; the index is made in one segment a worker.
        force: replace an index.
    Raises:
        ConfigError: `out` is taken.
        DataError: there is no table, or it has no vectors of a side.
    """
    place = Place.of(source)

    def refuse() -> None:
        if is_index(out) and not force:
            raise ConfigError(f"{out} is an index already; pass --force to replace it, or --out for another place")
        if not is_index(out) and out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise ConfigError(f"{out} is not empty and not an index; choose another --out")

    with Draft.open(out, refuse) as draft, cluster(address, workers) as ray:
        draft.clear()
        table = open_table(place)
        report = json.loads(place.child(REPORT).read())
        home, version, width = draft.folder, int(table.version), int(report["width"])
        model = _copied_model(place, home / "base-1" / MODEL)
        space = _space(ray, place, version, model, width, widest, workers)
        say(f"index: vectors of {space.width} numbers (the model has {width:,})")
        engines = {
            side: _engine(ray, place, version, home / "vectors" / side, side, space, compression, workers)
            for side in SIDES
        }
        engines, told = _measured(ray, engines, space, workers)
        (home / "items").mkdir()
        write_items(home / "items" / "000001.sqlite", _items(table))
        card = _card(report, model, space, table, {"name": "lance", "compression": compression, "recall": told})
        commit(home, _manifest(home, space, card, engines, compression, int(table.count_rows())))
        draft.finish()
    return Index.open(out)


def _copied_model(place: Place, home: Path) -> AlignmentModel:
    home.mkdir(parents=True)
    for name, _ in place.child(MODEL).files():
        (home / name).write_bytes(place.child(MODEL).child(name).read())
    return AlignmentModel.load(home)


def _space(ray: Any, place: Place, version: int, model: AlignmentModel, width: int, widest: int, workers: int) -> Space:
    """The space by the first rows, with lengths and means of all."""
    some = {side: _first(place, version, side) for side in SIDES}
    blocks = [Block("match", 0, width)]
    if len(model.experts) == 1 or model.recipe.distance.distance == "mahalanobis":
        blocks, _ = model_blocks(model, [width], width)
    space = fit_space(blocks, some, some, widest=widest)
    plain = replace(space, extra=False, lengths=dict.fromkeys(SIDES, 1.0))
    told = {}
    for side in SIDES:
        measure = ray.remote(num_cpus=1)(_measure)
        parts = ray.get([measure.remote(place, version, side, plain, at, workers) for at in range(workers)])
        count = sum(part[0] for part in parts)
        told[side] = (
            min(part[1] for part in parts if part[0]),
            max(part[2] for part in parts if part[0]),
            np.sum([part[3] for part in parts], axis=0) / count,
        )
    unit = all(shortest > 1 - UNIT and longest < 1 + UNIT for shortest, longest, _ in told.values())
    return replace(
        space,
        extra=not unit,
        lengths={side: 1.0 if unit else told[side][1] * ROOM or 1.0 for side in SIDES},
        means={side: told[side][2].astype(np.float32) for side in SIDES},
    )


def _first(place: Place, version: int, side: Side) -> Rows:
    for _, rows in _rows(place, version, side, 0, 1):
        return rows[:FITTED]
    raise DataError(f"{place.uri} has no {side} vectors; an index needs both sides")


def _rows(place: Place, version: int, side: Side, at: int, of: int) -> Iterator[tuple[Any, Rows]]:
    """Keys and vectors of a side: of each `of`-th fragment from `at` on, a batch at a time."""
    column = f"{side}_vector"
    table = open_table(place, version)
    for fragment in table.get_fragments()[at::of]:
        for batch in fragment.to_batches(columns=["key", column], batch_size=READ):
            rows, held = vectors_of(batch[column], batch.schema.field(column).type.list_size)
            if held.any():
                yield batch["key"].to_numpy()[held], rows[held]


def _measure(place: Place, version: int, side: Side, space: Space, at: int, of: int) -> tuple[int, float, float, Any]:
    """Rows, shortest and longest length, and the sum of compact rows."""
    count, shortest, longest, total = 0, np.inf, 0.0, np.zeros(space.width)
    for _, rows in _rows(place, version, side, at, of):
        compact = space.compact(side, rows)
        lengths = np.linalg.norm(compact, axis=1)
        count, total = count + len(rows), total + compact.sum(axis=0, dtype=np.float64)
        shortest, longest = min(shortest, float(lengths.min())), max(longest, float(lengths.max()))
    return count, shortest, longest, total


def _engine(
    ray: Any,
    place: Place,
    version: int,
    home: Path,
    side: Side,
    space: Space,
    compression: str,
    workers: int,
) -> LanceEngine:
    """The engine of a side: fragments by workers, one commit, an index by workers."""
    import lance

    fresh = LanceKind().new(home, space.stored_width, {"compression": compression})
    assert isinstance(fresh, LanceEngine)
    write = ray.remote(num_cpus=1, max_retries=4)(_write)
    parts = ray.get([write.remote(place, version, str(fresh.table), side, space, at, workers) for at in range(workers)])
    fragments = [lance.fragment.FragmentMetadata.from_json(each) for part in parts for each in part]
    wanted = as_arrow(np.zeros(0, np.int64), np.zeros((0, space.stored_width), np.float32)).schema
    lance.LanceDataset.commit(str(fresh.table), lance.LanceOperation.Overwrite(wanted, fragments))
    rows = int(lance.dataset(str(fresh.table)).count_rows())
    if rows < SMALLEST:
        return fresh.adopted(0)
    build_ivf(str(fresh.table), fresh.state, rows, workers)
    return fresh.adopted(rows)


def build_ivf(table: str, state: Mapping[str, Any], rows: int, workers: int) -> None:
    """The IVF index of column `vector`: centroids and codes are trained here, rows are put into partitions by workers.

    Args:
        table: path of a table of `rows` rows, as `LanceEngine` has it.
        state: of the engine: `width` and `compression`.
        rows: of the table, at least 256.
        workers: at once; each makes a segment of the index.
    """
    import logging

    import lance_ray

    logging.getLogger("lance_ray").setLevel(logging.ERROR)
    options = index_options(state, rows)
    samples = min(TRAINED, rows // max(options["num_partitions"], CODES))
    lance_ray.create_index(table, column="vector", num_workers=workers, sample_rate=samples, **options)


def _write(place: Place, version: int, table: str, side: Side, space: Space, at: int, of: int) -> list[str]:
    """The fragments of one worker, as JSON."""
    import lance
    import pyarrow as pa

    wanted = as_arrow(np.zeros(0, np.int64), np.zeros((0, space.stored_width), np.float32)).schema

    def batches() -> Iterator[Any]:
        for keys, rows in _rows(place, version, side, at, of):
            yield from as_arrow(keys, space.stored(side, space.compact(side, rows))).to_batches()

    reader = pa.RecordBatchReader.from_batches(wanted, batches())
    found = lance.fragment.write_fragments(reader, table, schema=wanted, mode="overwrite")
    return [json.dumps(each.to_json()) for each in found if each.physical_rows]


def _measured(
    ray: Any, engines: Mapping[Side, LanceEngine], space: Space, workers: int
) -> tuple[dict[Side, Any], dict[str, Any]]:
    """Engines with the effort that recall@10 across sides needs, by at most 500 queries against every row."""
    chosen: dict[Side, Any] = {}
    told: dict[str, Any] = {}
    for target in SIDES:
        query: Side = "intro" if target == "poster" else "poster"
        keys = engines[query].keys()
        picked = np.sort(np.random.default_rng(0).permutation(len(keys))[:PROBED])
        queries = space.unstored(query, engines[query].take(keys[picked]))
        table = str(engines[target].table)

        def exact(asked: Rows, k: int, table: str = table) -> Any:
            best = ray.remote(num_cpus=1)(best_scores)
            parts = ray.get([best.remote(table, asked, k, at, workers) for at in range(workers)])
            return -np.sort(-np.concatenate(parts, axis=1), axis=1)[:, :k]

        chosen[target], told[DIRECTIONS[target]] = tuned(engines[target], target, space, queries, exact)
    return chosen, told


def best_scores(table: str, queries: Rows, k: int, at: int, of: int) -> Any:
    """(Q, k) the highest products of each query with the rows of each `of`-th fragment from `at` on, in falling order."""
    import lance
    import torch

    torch.set_num_threads(1)
    asked, best = torch.from_numpy(queries), torch.full((len(queries), k), -torch.inf)
    for fragment in lance.dataset(table).get_fragments()[at::of]:
        for batch in fragment.to_batches(columns=["vector"], batch_size=READ):
            rows, _ = vectors_of(batch["vector"], batch.schema.field("vector").type.list_size)
            products = asked @ torch.from_numpy(rows[:, : queries.shape[1]]).T
            best = (
                torch.cat([best, products.topk(min(k, products.shape[1]), dim=1).values], dim=1).topk(k, dim=1).values
            )
    return best.numpy().astype(np.float64)


def _items(table: Any) -> Iterator[Item]:
    """What is known of every item, by rising key."""
    names = ["key", "id", "title", "year", "genres", "intro", "picture", "poster_digest", "intro_digest", "lettering"]
    for batch in table.to_batches(columns=names):
        for row in batch.to_pylist():
            genres = tuple(row["genres"] or ())
            yield Item(
                item_id=row["id"],
                title=row["title"] or row["id"],
                year=row["year"],
                intro=row["intro"],
                picture=row["picture"],
                poster_digest=row["poster_digest"],
                intro_digest=row["intro_digest"],
                lettering=None if row["lettering"] is None else tuple(row["lettering"]),
                facets={**({GENRE: genres} if genres else {}), SPLIT: (ADDED,)},
                key=row["key"],
            )


def _card(
    report: Mapping[str, Any], model: AlignmentModel, space: Space, table: Any, engine: Mapping[str, Any]
) -> dict[str, Any]:
    intros = next(iter(table.to_batches(columns=["intro"], batch_size=FITTED)))["intro"].to_pylist()
    items = int(table.count_rows())
    return {
        "run": {"folder": report["run"], "recipe": report["recipe"], "digest": report["source"]},
        **{"items": items, "train": 0, "held_out": items},
        "vectors": {
            "width": space.width,
            "model_width": int(report["width"]),
            "dtype": "float32",
            "parts": [block.name for block in space.blocks],
            "left_out": [],
            "projected": space.width < int(report["width"]),
            "unit": not space.extra,
        },
        "found": {},
        "engine": dict(engine),
        "reliability": {},
        "scripts": scripts_of(each for each in intros if each),
        "distance": model.recipe.distance.distance,
    }


def _manifest(
    out: Path, space: Space, card: Mapping[str, Any], engines: Mapping[Side, Any], compression: str, items: int
) -> Manifest:
    """Write what is left of the base and say which files belong together."""
    base = out / "base-1"
    space.save(base / "space.safetensors")
    write_whole(base / "calibration.json", b"{}\n", durable=True)
    write_whole(base / "card.json", (json.dumps(card, indent=1, ensure_ascii=False) + "\n").encode(), durable=True)
    files = ["items/000001.sqlite", *sorted(p.relative_to(out).as_posix() for p in base.rglob("*") if p.is_file())]
    highest = max((int(engine.keys()[-1]) for engine in engines.values() if engine.count()), default=-1)
    return Manifest(
        generation=1,
        base="base-1",
        space="base-1/space.safetensors",
        engine="lance",
        options={"compression": compression},
        vectors={side: dict(engines[side].state) for side in SIDES},
        items=("items/000001.sqlite",),
        next_key=highest + 1,
        settled=items,
        counts={"items": items, **{side: engines[side].count() for side in SIDES}},
        sums={file: sum_of(out / file) for file in files},
    )
