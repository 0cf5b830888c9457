"""A run searched without an index folder: its vectors in memory, without chances and without most columns to filter by."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from cinealign.errors import as_argument
from cinealign.run import Run
from cinealign.search.engines import Engine, engine_kind
from cinealign.search.folder import SIDES, Manifest, Side, is_index
from cinealign.search.index import Index
from cinealign.search.items import HELD_OUT, SPLIT, TRAIN, Item, Items, write_items
from cinealign.search.space import Block, fit_space

PLACE = "index"
"""Where `cinealign index RUN` puts the index of a run that is given no other place, within the run directory."""


def open_any(folder: Path) -> tuple[Index, str | None]:
    """The index in `folder`, that of the run there, or the run's vectors alone; and what a user should know about it.

    Raises:
        DataError: neither an index nor a run.
    """
    if is_index(folder):
        return Index.open(folder), None
    run = Run(folder)
    if is_index(folder / PLACE):
        index = Index.open(folder / PLACE)
        if index.card["run"]["digest"] == run.catalogue["digest"]:
            return index, None
    note = f"{folder} has no index: hits come without chances; `cinealign index {as_argument(folder)}` makes one"
    return index_of_run(run), note


def index_of_run(run: Run) -> Index:
    """The vectors of a run as they are; nothing stays on disk."""
    poster, intro = run.vectors
    scratch = Path(tempfile.mkdtemp(prefix="cinealign-"))
    try:
        every = {"poster": poster, "intro": intro}
        space = fit_space([Block("match", 0, poster.shape[1])], every, every, widest=0)
        train = set(run.train_rows.tolist())
        titles = run.catalogue.get("titles", [])
        items = [
            Item(
                item_id=str(item_id),
                title=titles[row] if row < len(titles) else str(item_id),
                poster_digest="run",
                intro_digest="run",
                facets={SPLIT: (TRAIN if row in train else HELD_OUT,)},
                key=row,
            )
            for row, item_id in enumerate(run.ids.tolist())
        ]
        write_items(scratch / "items.sqlite", items)
        keys = np.arange(len(items), dtype=np.int64)
        engines: dict[Side, Engine] = {}
        for side in SIDES:
            fresh = engine_kind("exact").new(scratch / side, space.stored_width, {})
            engines[side] = fresh.add("run", keys, space.stored(side, every[side]))
        held = Items([scratch / "items.sqlite"], np.zeros(0, dtype=np.int64))
        counts = {"items": len(items), "poster": len(items), "intro": len(items)}
        manifest = Manifest(0, "", "", "exact", {}, {}, counts=counts)
        card: dict[str, Any] = {
            "run": {"folder": run.folder.name, "recipe": run.recipe.name, "digest": run.catalogue["digest"]}
        }
        card |= {"train": len(train)}
        index = Index(run.folder, manifest, space, held, engines, {}, card, make_encoder=run.encoder)
        index.__dict__ |= {"metrics": run.metrics, "recipe": run.recipe.model_dump(mode="json")}
        return index
    finally:
        import shutil

        shutil.rmtree(scratch, ignore_errors=True)  # what is open stays readable
