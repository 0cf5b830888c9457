"""Index folders made without a run: items whose poster and intro share their words."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cinealign.search.engines import engine_kind
from cinealign.search.folder import SIDES, Manifest, commit, sum_of
from cinealign.search.growth import NewItem, text_digest
from cinealign.search.items import GENRE, SPLIT, Item, write_items
from cinealign.search.space import Block, fit_space
from tests.search.encoders import text_vector

WORDS = """
shark beach boat storm island ghost castle knight sword dragon robot moon rocket alien desert train spy letter
war soldier nurse bank thief diamond dog horse ranch song dance school teacher winter snow mountain wolf river
lost king queen crown doctor island hotel murder detective fog night city taxi boxer ring circus clown summer
love wedding
""".split()  # noqa: SIM905
GENRES = ("Drama", "Comedy", "Horror", "Action")


def words_of(number: int) -> str:
    dice = np.random.default_rng(number)
    return " ".join(dice.choice(WORDS, 6, replace=False))


def known_items(count: int) -> list[Item]:
    return [
        Item(
            item_id=str(number + 1),
            title=f"Movie {number + 1}",
            year=1950 + number % 60,
            intro=words_of(number),
            picture=None,
            poster_digest=hashlib.sha256(words_of(number).encode()).hexdigest(),
            intro_digest=text_digest(words_of(number)),
            lettering=tuple(words_of(number).split()[:2]),
            facets={
                GENRE: (GENRES[number % 4], *(["Drama"] if number % 4 and not number % 3 else [])),
                SPLIT: ("train" if number % 5 < 3 else "held_out",),
                "director": (f"Director {number % 7}",),
            },
            key=number,
        )
        for number in range(count)
    ]


def write_index(
    folder: Path,
    count: int = 60,
    *,
    items: list[Item] | None = None,
    engine: str = "exact",
    longer: float = 1.0,
    **options: Any,
) -> Path:
    """An index of `count` items, or of those given; with `longer` above 1 their rows are not of unit length."""
    items = known_items(count) if items is None else items
    count = len(items)
    rows = np.stack([text_vector(item.intro or "") for item in items])
    rows = rows * np.linspace(1.0, longer, count, dtype=np.float32)[:, None]
    every = {"poster": rows, "intro": rows}
    half = rows.shape[1] // 2
    space = fit_space([Block("words", 0, half), Block("letters", half, rows.shape[1])], every, every, widest=0)
    base = folder / "base-1"
    for home in (base, folder / "items", *(folder / "vectors" / side for side in SIDES)):
        home.mkdir(parents=True, exist_ok=True)
    space.save(base / "space.safetensors")
    (base / "calibration.json").write_text("{}")
    card = {"scripts": {"Latin": count}, "items": count, "train": 36, "held_out": 24, "found": {}, "reliability": {}}
    card |= {"run": {"folder": "run", "recipe": "words"}, "engine": {"name": engine}}
    card["vectors"] = {
        "width": 16,
        "model_width": 16,
        "dtype": "float32",
        "parts": ["words", "letters"],
        "left_out": [],
    }
    card["vectors"]["projected"] = False
    (base / "card.json").write_text(json.dumps(card))
    keys = np.arange(count, dtype=np.int64)
    engines = {}
    for side in SIDES:
        fresh = engine_kind(engine).new(folder / "vectors" / side, space.stored_width, options)
        engines[side] = fresh.add("000001", keys, space.stored(side, rows))
    write_items(folder / "items" / "000001.sqlite", items)
    files = ["items/000001.sqlite", *(f"vectors/{side}/{file}" for side in SIDES for file in engines[side].files)]
    files += [path.relative_to(folder).as_posix() for path in base.iterdir()]
    manifest = Manifest(
        generation=1,
        base="base-1",
        space="base-1/space.safetensors",
        engine=engine,
        options=options,
        vectors={side: dict(engines[side].state) for side in SIDES},
        items=("items/000001.sqlite",),
        next_key=count,
        settled=count,
        counts={"items": count, "poster": count, "intro": count},
        sums={file: sum_of(folder / file) for file in files},
    )
    commit(folder, manifest)
    return folder


def new_items(numbers: Sequence[int], *, poster: bool = True, intro: bool = True, words: str = "") -> list[NewItem]:
    found = []
    for number in numbers:
        said = words or words_of(number)
        content = f"picture: {said}".encode()
        found.append(
            NewItem(
                item_id=str(number + 1),
                title=f"Movie {number + 1}",
                intro=said if intro else None,
                picture=content if poster else None,
                picture_digest=hashlib.sha256(content).hexdigest() if poster else None,
            )
        )
    return found
