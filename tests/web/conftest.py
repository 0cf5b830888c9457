"""What the tests of the pages share: a run of the drawn sample, an index that costs nothing, servers, a browser."""

from __future__ import annotations

import copy
import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from cinealign.data.catalogue import Catalogue
from cinealign.pipeline import align
from cinealign.recipe import Recipe
from cinealign.run import Run
from cinealign.run_data import RunData
from cinealign.search.build import build_index
from cinealign.search.growth import text_digest
from cinealign.search.index import Index
from cinealign.search.items import GENRE, SPLIT, Item
from cinealign.views.store import FeatureStore
from cinealign.web.app import create_app
from cinealign.web.settings import Settings
from cinealign.web.shelf import Shelf
from cinealign.web.work import WorkQueue
from tests.conftest import LETTERED
from tests.search.encoders import WIDTH, text_vector
from tests.search.folders import write_index
from tests.web import browsers
from tests.web.servers import running

BASE = "http://127.0.0.1:8421"
HOSTILE = (
    "<script>window.pwned = 1</script>",
    '"><img src=x onerror="window.pwned=1">',
    "' onmouseover='window.pwned=1",
    "{{ 7 * 7 }}{% for x in y %}",
    "</title></option></textarea><svg onload=window.pwned=1>",
    "javascript:window.pwned=1",
    "\u202egnp.exe \u2066tfel ot thgir",
    "W" * 400,
    "&lt;b&gt; &amp; <!-- --> ]]> \\u003cscript\\u003e",
    "片名<b onclick=window.pwned=1>粗体</b>",
)
HOSTILE_IDS = (
    "../../etc/passwd",
    "a/b?c#d&e=f",
    '"><script>',
    "7:poster",
    "%2e%2e%2f",
    "..",
    "id with blank",
    "号",
    "'",
    "+",
)


class ColourEncoder:
    """A model of words that costs nothing; a picture says its mean colour."""

    width = WIDTH

    def warm(self, side: str | None = None) -> None:
        """Nothing to load."""

    def encode_intros(self, texts: Any) -> np.ndarray[Any, Any]:
        rows = [text_vector(text) for text in texts]
        return np.stack(rows) if rows else np.zeros((0, WIDTH), np.float32)

    def encode_posters(self, posters: Any) -> np.ndarray[Any, Any]:
        return np.stack([text_vector(str(np.asarray(poster.opener()).mean().round())) for poster in posters])


def hostile_items(folder: Path) -> list[Item]:
    items = []
    for number, (title, item_id) in enumerate(zip(HOSTILE, HOSTILE_IDS, strict=True)):
        path = folder / f"{number}.png"
        Image.new("RGB", (60, 90), (20 * number, 90, 120)).save(path)
        intro = f"{title} shark {number}"
        facets = {GENRE: (title[:60],), SPLIT: ("held_out" if number % 2 else "train",), "director": (title[:80],)}
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        items.append(
            Item(item_id, title, 1950 + number, intro, str(path), digest, text_digest(intro), (title,), facets, number)
        )
    return items


@pytest.fixture(scope="session")
def hostile_shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """An index whose titles, ids, intros and genres are what nobody would wish for; its model costs nothing."""
    home = tmp_path_factory.mktemp("hostile")
    folder = write_index(home / "index", items=hostile_items(home))
    return Shelf(Index.open(folder, encoder=ColourEncoder()))


@pytest.fixture
def hostile(hostile_shelf: Shelf) -> Iterator[TestClient]:
    with TestClient(create_app(hostile_shelf), base_url=BASE) as client:
        yield client


@pytest.fixture(scope="session")
def web_runs(
    tmp_path_factory: pytest.TempPathFactory, lettered: Run, rated: Catalogue, store: FeatureStore
) -> tuple[Run, Run, RunData]:
    """A copy of the run `lettered` and, beside it, another run of the same data."""
    home = tmp_path_factory.mktemp("web")
    shutil.copytree(lettered.folder, home / "lettered")
    other: dict[str, Any] = copy.deepcopy(LETTERED)
    other |= {"name": "other", "align": LETTERED["align"][:2]}
    other["views"].pop("appearance")
    second = align(rated, Recipe.parse(other), home / "other", store=store)
    first = Run(home / "lettered")
    return first, second, RunData(first, rated, store)


@pytest.fixture(scope="session")
def shelf(web_runs: tuple[Run, Run, RunData]) -> Shelf:
    """The first of the two runs with an index, as `cinealign serve` has it."""
    first, _, data = web_runs
    build_index(data, first.folder / "index", widest=0)
    made = Shelf.of(first.folder)
    made.index.encoder.warm("intro")
    return made


@pytest.fixture
def client(shelf: Shelf) -> Iterator[TestClient]:
    with TestClient(create_app(shelf, queue=WorkQueue(shelf.index.text_rows, patience=600)), base_url=BASE) as made:
        yield made


@pytest.fixture(scope="session")
def site(shelf: Shelf) -> Iterator[str]:
    """The address of a server of `shelf`."""
    with running(shelf) as address:
        yield address


@pytest.fixture(scope="session")
def hostile_site(hostile_shelf: Shelf) -> Iterator[str]:
    """The address of a server of `hostile_shelf`."""
    with running(hostile_shelf) as address:
        yield address


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A browser; without one the tests fail and say how to get it."""
    from playwright.sync_api import sync_playwright

    path = browsers.found()
    if path is None:
        pytest.fail(browsers.WANTED)
    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield started
        started.close()


@pytest.fixture
def settings() -> Settings:
    return Settings()
