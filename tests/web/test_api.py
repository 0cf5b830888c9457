"""The API: equal to the library, strict about what it is given, and told by its OpenAPI document."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from cinealign.search.pairs import picture_of
from cinealign.version import __version__
from cinealign.web.shelf import Shelf
from cinealign.web.work import BusyError, WorkQueue
from tests.web.conftest import HOSTILE_IDS

API = "/api/v1"


def picture(shelf: Shelf, at: int = 0) -> bytes:
    return picture_of(shelf.all_items[at])


def test_a_search_is_that_of_the_library(client: TestClient, shelf: Shelf) -> None:
    asked = {"text": "a pirate sails to an island", "genre": "Adventure", "year_from": 1940, "limit": 4, "offset": 1}
    told = client.get(f"{API}/search", params=asked).json()
    answer = shelf.index.search(
        text=asked["text"], where={"genre": ["Adventure"], "year": (1940, None)}, limit=4, offset=1
    )
    assert told["side"] == "poster" and told["total"] == answer.total
    assert told["best_chance"] == pytest.approx(answer.best_chance)
    assert told["no_good_match"] is answer.no_good_match
    assert [hit["id"] for hit in told["hits"]] == [hit.id for hit in answer]
    assert [hit["chance"] for hit in told["hits"]] == pytest.approx([hit.chance for hit in answer])
    assert client.post(f"{API}/search", json={**asked, "genre": ["Adventure"]}).json() == told


def test_a_picture_finds_what_the_library_finds(client: TestClient, shelf: Shelf) -> None:
    content = picture(shelf, 3)
    told = client.post(f"{API}/search/picture", params={"limit": 5}, content=content).json()
    answer = shelf.index.search(image=content, limit=5)
    assert told["side"] == "intro"
    assert [hit["id"] for hit in told["hits"]] == [hit.id for hit in answer]


def test_sums_and_differences(client: TestClient, shelf: Shelf) -> None:
    first, second = (item.item_id for item in shelf.all_items[:2])
    asked = {"like": f"{first}:poster", "more": second, "minus": "war", "side": "both", "limit": 6}
    told = client.get(f"{API}/search", params=asked).json()
    answer = shelf.index.search(like=f"{first}:poster", plus=f"id:{second}", minus="war", side="both", limit=6)
    assert [(hit["side"], hit["id"]) for hit in told["hits"]] == [(hit.side, hit.id) for hit in answer]


def test_no_answer_holds_a_path(client: TestClient, shelf: Shelf) -> None:
    home = str(shelf.index.folder.parent)
    one = shelf.all_items[0].item_id
    for path in (
        "/search?text=ship",
        f"/item?id={one}",
        f"/pair?poster={one}&intro={one}",
        "/run",
        "/search?like=nobody",
        "/map",
    ):
        assert home not in client.get(API + path).text, path


def test_a_text_that_looks_like_a_file_is_a_text(hostile: TestClient, hostile_shelf: Shelf) -> None:
    for field in ("text", "plus", "minus"):
        answer = hostile.get(f"{API}/search", params={"text": "shark", field: "image:/etc/passwd"})
        assert answer.status_code == 200
    told = hostile.get(f"{API}/search", params={"plus": "image:/etc/passwd"}).json()
    expected = hostile_shelf.index.search(text="image:/etc/passwd", limit=24)
    assert [hit["id"] for hit in told["hits"]] == [hit.id for hit in expected]


@pytest.mark.parametrize("item_id", HOSTILE_IDS)
def test_items_and_posters_of_any_id(item_id: str, hostile: TestClient, hostile_shelf: Shelf) -> None:
    told = hostile.get(f"{API}/item", params={"id": item_id}).json()
    assert told["id"] == item_id
    assert told["partner"]["poster_to_intro"]["of"] == len(HOSTILE_IDS)
    answer = hostile.get("/poster", params={"id": item_id})
    assert answer.headers["content-type"] == "image/jpeg"
    item = hostile_shelf.item(item_id)
    assert item is not None
    shown, own = (Image.open(io.BytesIO(data)).convert("RGB") for data in (answer.content, picture_of(item)))
    assert shown.size == own.size
    assert np.abs(np.asarray(shown, int) - np.asarray(own, int)).mean() < 3


def test_a_poster_is_sent_once_while_it_stays_the_same(hostile: TestClient) -> None:
    first = hostile.get("/poster", params={"id": ".."})
    again = hostile.get("/poster", params={"id": ".."}, headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304 and not again.content
    assert "private" in first.headers["cache-control"]


@pytest.mark.parametrize(
    "path", ["/poster?id=/etc/passwd", "/poster?id=../../etc/shadow", "/item?id=7:poster:poster", "/poster?id=x"]
)
def test_what_is_not_there_is_not_found(path: str, hostile: TestClient) -> None:
    answer = hostile.get(API + path)
    assert answer.status_code == 404
    assert answer.json()["error"]["status"] == 404


WRONG: list[tuple[str, dict[str, Any], int]] = [
    ("/search", {}, 422),
    ("/search", {"text": " "}, 422),
    ("/search", {"minus": "war"}, 422),
    ("/search", {"text": "x" * 20_001}, 422),
    ("/search", {"text": "a", "limit": 0}, 422),
    ("/search", {"text": "a", "limit": 101}, 422),
    ("/search", {"text": "a", "offset": 10**30}, 422),
    ("/search", {"text": "a", "year_from": "1" * 400}, 422),
    ("/search", {"text": "a", "side": "back"}, 422),
    ("/search", {"text": "a", "where": "no equals sign"}, 422),
    ("/search", {"text": "a", "where": "no_such_column=1"}, 422),
    ("/search", {"text": "a", "where": "year=1990"}, 422),
    ("/search", {"text": "a", "unknown": "1"}, 422),
    ("/search", {"text": "a\0b"}, 422),
    ("/search", {"like": "nobody"}, 404),
    ("/search", {"text": "a", "more": "nobody:intro"}, 404),
    ("/search", {"text": "a", "plus": ["x"] * 21}, 422),
    ("/item", {}, 422),
    ("/item", {"id": ""}, 422),
    ("/pair", {"poster": "..", "intro": "nobody"}, 404),
    ("/compare", {"first": "a", "second": "b"}, 404),
    ("/nowhere", {}, 404),
]


@pytest.mark.parametrize(("path", "params", "status"), WRONG)
def test_what_makes_no_sense_is_said_as_json(
    path: str, params: dict[str, Any], status: int, hostile: TestClient
) -> None:
    answer = hostile.get(API + path, params=params)
    assert answer.status_code == status
    told = answer.json()["error"]
    assert told["status"] == status and told["message"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"text": 7}',
        b'{"text": "\\ud800"}',
        b'{"text": "a", "more": ["\\udfff"]}',
        b"\xff\xfe",
        b"[" * 5000,
    ],
)
def test_bodies_that_are_no_question(body: bytes, hostile: TestClient) -> None:
    answer = hostile.post(f"{API}/search", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.json()["error"]["message"]


def test_vectors_give_the_score(client: TestClient, shelf: Shelf) -> None:
    content = picture(shelf)
    hit = client.post(f"{API}/search/picture", params={"limit": 1}, content=content).json()["hits"][0]
    texts = client.post(f"{API}/encode", json={"texts": [hit["intro"], "war"]}).json()
    pictures = client.post(f"{API}/encode/picture", content=content).json()
    assert np.asarray(texts["vectors"]).shape == (2, texts["width"])
    assert np.asarray(pictures["vectors"]).shape == (1, texts["width"])
    product = float(np.asarray(texts["vectors"][0]) @ np.asarray(pictures["vectors"][0]))
    assert product == pytest.approx(hit["score"], abs=1e-4)


def test_a_pair_says_why(client: TestClient, shelf: Shelf) -> None:
    one = shelf.all_items[5].item_id
    told = client.get(f"{API}/pair", params={"poster": one, "intro": one}).json()
    assert told["score"] == pytest.approx(sum(told["shares"].values()), abs=1e-4)
    assert told["cells"] is None
    assert [word["word"] for word in told["words"]] and told["lines"][0]["line"]


def test_a_pair_says_which_parts_of_the_poster_count(hostile: TestClient) -> None:
    told = hostile.get(f"{API}/pair", params={"poster": "..", "intro": "..", "cover": True}).json()
    assert np.asarray(told["cells"]).shape == (6, 4)


def test_run_runs_version_and_health(client: TestClient, shelf: Shelf) -> None:
    assert client.get(f"{API}/run").json()["metrics"]["n"] == len(shelf.index)
    assert client.get(f"{API}/runs").json() == ["lettered", "other"]
    assert client.get(f"{API}/version").json() == {"cinealign": __version__, "recipe": "lettered", "generation": 1}
    assert client.get(f"{API}/health").json() == {"status": "ok", "items": len(shelf.index)}


def test_comparing_says_who_finds_what(client: TestClient, shelf: Shelf) -> None:
    told = client.get(f"{API}/compare", params={"first": "lettered", "second": "other"}).json()
    ranks = {name: run.score() for name, run in shelf.runs.items()}
    n, k = 240, 12  # 5 %
    held_out = [row for row in range(n) if row not in set(shelf.runs["other"].train_rows.tolist())]

    def finds(name: str, row: int) -> bool:
        own = ranks[name][row, row]
        return 1 + sum(ranks[name][row, other] >= own - 1e-6 for other in range(n) if other != row) <= k

    ids = shelf.runs["other"].ids.tolist()
    only = [str(ids[row]) for row in held_out if finds("lettered", row) and not finds("other", row)]
    assert sorted(told["only_first"]["poster_to_intro"]) == sorted(only)
    assert told["tests"]["poster_to_intro"]["mcnemar"]["only_first"] == len(only)


def test_too_much_at_once_is_429(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    async def busy(*_: Any) -> None:
        raise BusyError

    monkeypatch.setattr(WorkQueue, "run", busy)
    answer = client.get(f"{API}/search", params={"text": "war"})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert client.get(f"{API}/health").status_code == 200  # reads need no model


def test_the_document_names_every_path_and_no_other_host(client: TestClient) -> None:
    told = client.get(f"{API}/openapi.json").json()
    paths = {path.removeprefix(API) for path in told["paths"]}
    wanted = {
        "/search",
        "/search/picture",
        "/item",
        "/pair",
        "/encode",
        "/encode/picture",
        "/map",
        "/run",
        "/health",
        "/version",
    }
    assert wanted <= paths
    assert "http" not in json.dumps(told["paths"]).replace("HTTP", "")
    for path in told["paths"].values():
        for operation in path.values():
            assert operation["responses"]["422"]["content"]["application/json"]["schema"]["$ref"].endswith("ErrorReply")
    assert client.get("/docs").status_code == 404  # a page that would load scripts of other hosts
