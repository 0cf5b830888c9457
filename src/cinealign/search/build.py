"""From a run to an index: compact vectors, items, engine, calibration and card, swapped in at once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cinealign.data.catalogue import Catalogue, Movie
from cinealign.data.movie_table import TABLES
from cinealign.data.scripts import scripts_of
from cinealign.data.tables import read_table, whole_number
from cinealign.errors import ConfigError
from cinealign.evaluation.metrics import DIRECTIONS
from cinealign.experts.base import Vectors
from cinealign.fitting import Checkpoint
from cinealign.model import AlignmentModel
from cinealign.out import write_whole
from cinealign.progress import say
from cinealign.run_data import RunData
from cinealign.search.calibration import Calibration, refuse_few
from cinealign.search.card import held_out_found, held_out_reliability, sampled, tuned
from cinealign.search.engines import Engine, engine_kind
from cinealign.search.evidence import train_evidence
from cinealign.search.exact import ExactKind
from cinealign.search.folder import (
    LOCK,
    SIDES,
    Manifest,
    Side,
    commit,
    is_index,
    read_manifest,
    sum_of,
    sweep,
    writing,
)
from cinealign.search.growth import text_digest
from cinealign.search.index import DIRECTIONS as DIRECTION_OF
from cinealign.search.index import Index, words_in
from cinealign.search.items import GENRE, HELD_OUT, SPLIT, TRAIN, Item, write_items
from cinealign.search.parts import model_blocks
from cinealign.search.space import WIDEST, Space, fit_space
from cinealign.state import State
from cinealign.version import __version__
from cinealign.views.base import take
from cinealign.views.poster.lettering import fullest_reader

LONG = 300
"""A cell of the table with more letters is no facet."""
_PLAIN = frozenset({"id", "movie_id", "movieid", "name", "title", "movie_title", "intro", "genre", "genres", "year"})


def build_index(
    data: RunData,
    out: Path,
    *,
    engine: str = "exact",
    options: Mapping[str, Any] | None = None,
    widest: int = WIDEST,
    chances: bool = True,
    force: bool = False,
) -> Index:
    """Make an index of a finished run; an interrupted call goes on where it stopped.

    Args:
        data: the run and its data.
        out: the index folder. One that is there is replaced by a new generation: who reads the old one goes on undisturbed.
        engine, options: where vectors are kept, and the engine's own options.
        widest: numbers a vector at most; 0 keeps all of the model's.
        chances: whether to calibrate, for which the recipe is fitted again on each fold of the train rows.
        force: replace an index; what was added to it is lost.
    Raises:
        ConfigError: `out` is taken, or another process is writing there.
        DataError, ModelError: the data or the model cannot be used.
    """
    if widest < 0 or widest == 1:
        raise ConfigError(f"width must be 0 (all numbers) or at least 2, got {widest}")
    kind = engine_kind(engine)
    _refuse(out, force)
    if chances:  # before a fold is fitted
        refuse_few(len(data.train))
    out.mkdir(parents=True, exist_ok=True)
    with writing(out):
        before = read_manifest(out) if is_index(out) else None
        if before is not None and not force:
            raise ConfigError(f"{out} is an index already; pass --force to replace it, or --out for another place")
        number = 1 if before is None else before.generation + 1
        base, name = f"base-{number}", f"{number:06}"
        shutil.rmtree(out / base, ignore_errors=True)
        (out / base).mkdir()
        space, widths, left_out = _space(data, widest)
        say(f"index: vectors of {space.width} numbers (the model has {data.run.vectors[0].shape[1]:,})")
        compact = _compact(data, space)
        keys = np.arange(len(data.catalogue), dtype=np.int64)
        stored = {side: space.stored(side, compact[side]) for side in SIDES}
        engines = {}
        for side in SIDES:
            home = out / "vectors" / side
            _forget_killed(home, before)
            fresh = kind.new(home, space.stored_width, options or {})
            engines[side] = fresh.add(name, keys, stored[side]).compact(name)
        engines, engine_card = _all_measured(engines, space, compact, engine, options or {})
        lines = _lettering(data)
        items = _items(data.catalogue, lines)
        (out / "items").mkdir(exist_ok=True)
        write_items(out / "items" / f"{name}.sqlite", items)
        amounts = _amounts(items)
        calibrations = _calibrated(data, space, widths, amounts, out / "steps") if chances else {}
        card = {
            **_described(data, space, left_out, engines, options or {}, compact),
            "engine": engine_card,
            "reliability": held_out_reliability(calibrations, compact, data.held_out, amounts),
            "scripts": scripts_of(data.catalogue.intros[row] for row in data.train),
        }
        _write_base(out / base, space, calibrations, card, data)
        manifest = _first(out, number, base, engine, options or {}, engines, name, len(items))
        commit(out, manifest)
        shutil.rmtree(out / "steps", ignore_errors=True)
        sweep(out, manifest)
    return Index.open(out)


def _refuse(out: Path, force: bool) -> None:
    if out.exists() and not out.is_dir():
        raise ConfigError(f"{out} is a file; choose another --out")
    if is_index(out):
        if not force:
            raise ConfigError(f"{out} is an index already; pass --force to replace it, or --out for another place")
    elif out.is_dir() and any(out.iterdir()) and not (out / LOCK).is_file():
        raise ConfigError(f"{out} is not empty and not an index; choose another --out")


def _forget_killed(home: Path, before: Manifest | None) -> None:
    """Remove the vectors of a build that was killed before any index stood there."""
    if before is None:
        shutil.rmtree(home, ignore_errors=True)


def _space(data: RunData, widest: int) -> tuple[Space, list[int], list[str]]:
    """The space of the index, the width of each expert's vectors, and the parts that are left out."""
    poster, intro = data.run.vectors
    one = {name: take(seen, np.array([0], dtype=np.int64)) for name, seen in data.extracts.poster.items()}
    widths = [rows.shape[1] for rows in data.model.poster_parts(one)]
    blocks, left_out = model_blocks(data.model, widths, poster.shape[1])
    train = {"poster": poster[data.train], "intro": intro[data.train]}
    return fit_space(blocks, train, {"poster": poster, "intro": intro}, widest=widest), widths, left_out


def _compact(data: RunData, space: Space) -> dict[Side, Vectors]:
    return {side: space.compact(side, rows) for side, rows in zip(SIDES, data.run.vectors, strict=True)}


def _all_measured(
    engines: Mapping[Side, Engine],
    space: Space,
    compact: Mapping[Side, Vectors],
    name: str,
    options: Mapping[str, Any],
) -> tuple[dict[Side, Engine], dict[str, Any]]:
    """Engines with the effort that they need, and what was measured of each."""
    if isinstance(engine_kind(name), ExactKind):
        return dict(engines), {"name": name, **options}
    chosen, told = {}, {}
    for target in SIDES:
        query: Side = "intro" if target == "poster" else "poster"
        chosen[target], told[DIRECTION_OF[target]] = measured(engines[target], target, space, compact[query])
    return chosen, {"name": name, **options, "recall": told}


def measured(engine: Engine, target: Side, space: Space, queries: Vectors) -> tuple[Engine, dict[str, Any]]:
    """An engine with as much effort as it needs, and its recall against scoring every row.

    Args:
        engine: of the side `target`.
        target, space: as in the index.
        queries: (Q, W) compact rows of the other side; some of them are asked.
    """
    rows = engine.take(engine.keys())

    def exact(asked: Vectors, k: int) -> NDArray[np.float64]:
        scores = (asked @ rows.T).astype(np.float64)
        return np.sort(np.partition(scores, -k, axis=1)[:, -k:], axis=1)[:, ::-1]

    return tuned(engine, target, space, sampled(queries), exact)


def _lettering(data: RunData) -> list[tuple[str, ...]] | None:
    """The lines read on each poster by the view that reads most; None where the recipe reads none."""
    reader = fullest_reader(data.model.views.values())
    if reader is None:
        return None
    read = reader.lines(data.catalogue.posters, data.store)
    return [tuple(line.text for line in reader.chosen(lines)) for lines in read]


def _items(catalogue: Catalogue, lines: Sequence[tuple[str, ...]] | None) -> list[Item]:
    """Item `row` has key `row`."""
    cells = _cells(catalogue)
    train = set(catalogue.train_rows.tolist())
    found = []
    for row, movie in enumerate(catalogue.movies):
        facets = {**cells.get(movie.movie_id, {}), GENRE: movie.genres, SPLIT: (TRAIN if row in train else HELD_OUT,)}
        found.append(_item(row, movie, facets, None if lines is None else lines[row]))
    return found


def _item(key: int, movie: Movie, facets: Mapping[str, tuple[str, ...]], lettering: tuple[str, ...] | None) -> Item:
    return Item(
        item_id=str(movie.movie_id),
        title=movie.title,
        year=movie.year,
        intro=movie.intro,
        picture=None if movie.poster.path is None else str(movie.poster.path.resolve()),
        poster_digest=movie.poster.digest,
        intro_digest=text_digest(movie.intro),
        lettering=lettering,
        facets=facets,
        key=key,
    )


def _cells(catalogue: Catalogue) -> dict[int, dict[str, tuple[str, ...]]]:
    """Id -> the other columns of the table, cells with "|" in parts."""
    path = next((catalogue.folder / name for name in TABLES if (catalogue.folder / name).is_file()), None)
    if path is None:
        return {}
    table = read_table(path)
    at = table.column("movie_id", "movieid", "id")
    wanted = [(i, title.strip()) for i, title in enumerate(table.header) if title.strip().lower() not in _PLAIN | {""}]
    found: dict[int, dict[str, tuple[str, ...]]] = {}
    for row in table.rows:
        movie_id = None if at is None else whole_number(row.cells[at])
        if movie_id is None or movie_id in found:
            continue
        told = {}
        for place, title in wanted:
            cell = row.cells[place].strip()
            parts = tuple(dict.fromkeys(part for piece in cell.split("|") if (part := piece.strip())))
            if parts and len(cell) <= LONG:
                told[title] = parts
        found[movie_id] = told
    return found


def _amounts(items: Sequence[Item]) -> dict[Side, NDArray[np.float64]]:
    """Side -> (N,) how much each item says: letters on its poster, words of its intro."""
    return {
        "poster": np.array([item.letters or 0 for item in items], dtype=np.float64),
        "intro": np.array([words_in(item.intro or "") for item in items], dtype=np.float64),
    }


def _calibrated(
    data: RunData, space: Space, widths: Sequence[int], amounts: dict[Side, NDArray[np.float64]], steps: Path
) -> dict[Side, Calibration]:
    projected = space.width < sum(block.stop - block.start for block in space.blocks)
    say(f"index: chances from {data.model.recipe.fusion.folds} folds of {len(data.train):,} train pairs")
    checkpoint = _checkpoint(steps, data)
    evidence = train_evidence(data, space, amounts, widths=widths, projected=projected, checkpoint=checkpoint)
    return {target: Calibration.fit(evidence[target]) for target in SIDES}


def _checkpoint(steps: Path, data: RunData) -> Checkpoint:
    """Keeps what the folds have learned, for the same run and data only."""
    identity = "\n".join((data.model.recipe.to_yaml(), data.catalogue.digest, __version__))
    home = steps / text_digest(identity)[:16]
    home.mkdir(parents=True, exist_ok=True)

    def checkpoint(name: str, compute: Any) -> State:
        path = home / f"{name}.safetensors"
        if not path.is_file():
            compute().save(path)
        return State.load(path)

    return checkpoint


def _described(
    data: RunData,
    space: Space,
    left_out: Sequence[str],
    engines: Mapping[Side, Engine],
    options: Mapping[str, Any],
    compact: Mapping[Side, Vectors],
) -> dict[str, Any]:
    run, rows = data.run, data.held_out
    by_index = held_out_found(engines, space, compact, rows)
    found = {
        name: {"model": float(run.metrics[name]["held_out"]), "index": by_index[name]}
        for name in DIRECTIONS
        if name in by_index
    }
    return {
        "cinealign": __version__,
        "run": {"folder": run.folder.name, "recipe": run.recipe.name, "digest": data.catalogue.digest},
        **{"items": len(data.catalogue), "train": len(data.train), "held_out": len(rows)},
        "vectors": {
            "width": space.width,
            "model_width": int(run.vectors[0].shape[1]),
            "dtype": str(options.get("dtype", "float32")),
            "parts": [block.name for block in space.blocks],
            "left_out": list(left_out),
            "projected": space.width < sum(block.stop - block.start for block in space.blocks),
            "unit": not space.extra,
        },
        "found": found,
    }


def _write_base(
    base: Path, space: Space, calibrations: Mapping[Side, Calibration], card: Mapping[str, Any], data: RunData
) -> None:
    space.save(base / "space.safetensors")
    told = {side: calibration.to_json() for side, calibration in calibrations.items()}
    write_whole(base / "calibration.json", (json.dumps(told, indent=1) + "\n").encode(), durable=True)
    write_whole(base / "card.json", (json.dumps(card, indent=1, ensure_ascii=False) + "\n").encode(), durable=True)
    write_whole(base / "metrics.json", (json.dumps(data.run.metrics, indent=1) + "\n").encode(), durable=True)
    model: AlignmentModel = data.model
    model.save(base / "model")


def _first(
    out: Path,
    number: int,
    base: str,
    engine: str,
    options: Mapping[str, Any],
    engines: Mapping[Side, Engine],
    name: str,
    count: int,
) -> Manifest:
    files = [f"items/{name}.sqlite"]
    files += [f"vectors/{side}/{file}" for side in SIDES for file in engines[side].files]
    files += sorted(path.relative_to(out).as_posix() for path in (out / base).rglob("*") if path.is_file())
    return Manifest(
        generation=number,
        base=base,
        space=f"{base}/space.safetensors",
        engine=engine,
        options=dict(options),
        vectors={side: dict(engines[side].state) for side in SIDES},
        items=(f"items/{name}.sqlite",),
        next_key=count,
        settled=count,
        counts={"items": count, **{side: engines[side].count() for side in SIDES}},
        sums={file: sum_of(out / file) for file in files},
    )
